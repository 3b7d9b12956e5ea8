package notification

import (
	"context"
	"errors"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// Channel is a way to reach a user outside the server.
type Channel string

// The channels.
const (
	Push Channel = "push"
	Mail Channel = "email"
)

// DeliveryID names a delivery.
type DeliveryID string

// Delivery is a notification that is to go out by a channel: a row until it
// has, and the evidence of it after.
type Delivery struct {
	ID             DeliveryID
	NotificationID ID
	UserID         rooms.UserID
	Channel        Channel
	SubscriptionID SubscriptionID // of a push
	Due            time.Time
	// Attempts counts how often it was leased, this time included.
	Attempts int
}

// Order is all that is needed to carry a delivery out, as it stands now.
type Order struct {
	Notification Notification
	User         account.User
	Preferences  Preferences
	// Subscription is that of a push; nil if it, or its login, has ended.
	Subscription *Subscription
	// Event is what the notification tells of.
	Event rooms.Event
	// Outside reports that it happened in a consultation in which the user takes no
	// part any more.
	Outside bool
}

// DeliveryStatus is how a delivery stands.
type DeliveryStatus string

// The states of a delivery.
const (
	Pending DeliveryStatus = "pending"
	Sent    DeliveryStatus = "sent"    // the push service or mail server has taken it
	Skipped DeliveryStatus = "skipped" // seen by then, or not wanted any more
	Failed  DeliveryStatus = "failed"  // refused permanently, or tried too often
)

// Outcome is how an attempt went.
type Outcome struct {
	Status DeliveryStatus
	// Due is when to try again, while Pending.
	Due time.Time
	// Note is why, for the evidence.
	Note string
	At   time.Time
	// Gone says that the browser is subscribed no more.
	Gone bool
}

// Pusher sends to browsers.
type Pusher interface {
	// Accepts judges an endpoint before it is kept: invalid for one that this
	// server will not send to.
	Accepts(endpoint string) error
	// Send encrypts a payload and hands it to the push service. Errors: not_found
	// when the subscription has ended, unavailable for transient failures (with the
	// time to wait, if the service names one), others for permanent ones.
	Send(ctx context.Context, sub Subscription, p Parcel) error
}

// Parcel is what a service worker gets.
type Parcel struct {
	ID    ID     `json:"id"`
	Kind  Kind   `json:"kind"`
	Title string `json:"title"`
	Body  string `json:"body"`
	Path  string `json:"path"`
	// Tag is the same for notifications that replace each other on a screen.
	Tag string    `json:"tag"`
	At  time.Time `json:"at"`
}

// Mailer sends e-mail.
type Mailer interface {
	// Send writes and sends a notification to its user; event is the event of the
	// notification. Errors: unavailable for transient failures, others for
	// permanent ones.
	Send(ctx context.Context, o Order) error
}

// Bounds of the workers.
const (
	pushWorkers  = 4
	mailWorkers  = 4 // a server may take its time over one mail
	workEvery    = 500 * time.Millisecond
	finishWithin = 5 * time.Second // of a shutdown, for what is being sent
	attemptsMost = 8
	backoffFirst = 15 * time.Second
	backoffMost  = 2 * time.Hour
)

// work sends what is due on a channel until ctx ends.
func (s *Service) work(ctx context.Context, channel Channel) {
	tick := time.NewTicker(workEvery)
	defer tick.Stop()
	for {
		more, err := s.SendOne(ctx, channel)
		if err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("delivery", "channel", channel, "error", err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// SendOne sends the delivery of a channel that is most overdue, and notes how
// it went; false if none was due.
func (s *Service) SendOne(ctx context.Context, channel Channel) (bool, error) {
	// The lease is longer than a sending may take, so that only who died is
	// followed by another.
	d, err := s.store.LeaseDelivery(ctx, channel, s.now(), 2*s.cfg.SendTimeout)
	if err != nil || d == nil {
		return false, err
	}
	ctx, end := s.cfg.Trace.Begin(ctx, rooms.Span{Kind: rooms.SpanTask, Of: "notification", Name: string(channel)})
	err = s.deliver(ctx, d)
	end.With(err)
	return true, err
}

// deliver sends what a delivery orders, if it is still wanted, and notes how it went.
func (s *Service) deliver(ctx context.Context, d *Delivery) error {
	o, err := s.store.Order(ctx, *d)
	var outcome Outcome
	switch {
	case errors.Is(err, rooms.ErrDamaged): // it stays so
		s.store.PassOver("delivery "+string(d.ID), err)
		outcome = Outcome{Status: Failed, Note: "what it tells cannot be read", At: s.now()}
	case err != nil:
		return err
	default:
		outcome = s.carryOut(ctx, *d, o)
	}
	ctx, cancel := outliving(ctx, finishWithin)
	defer cancel()
	return s.store.InTx(ctx, func(tx Tx) error {
		if outcome.Gone {
			if err := tx.DeleteSubscription(d.UserID, d.SubscriptionID); err != nil && rooms.CodeOf(err) != rooms.CodeNotFound {
				return err
			}
		}
		return tx.Finish(*d, outcome)
	})
}

func (s *Service) carryOut(ctx context.Context, d Delivery, o Order) Outcome {
	now := s.now()
	invitation := d.Channel == Mail && o.Notification.Invites()
	wish := o.Preferences.of(o.Notification.Kind)
	switch {
	case o.User.Suspended:
		return Outcome{Status: Skipped, Note: "suspended", At: now}
	case o.Outside && (o.Notification.Kind == Messages || o.Notification.Kind == Calls): // nor can the user open it
		return Outcome{Status: Skipped, Note: "takes no part any more", At: now}
	case d.Channel == Mail && !o.User.EmailVerified: // it may be a stranger's address
		return Outcome{Status: Skipped, Note: "the address is not verified", At: now}
	case !invitation && o.Notification.ReadAt != nil, !invitation && o.Notification.SeenAt != nil:
		return Outcome{Status: Skipped, Note: "seen", At: now}
	case d.Channel == Push && !wish.Push, d.Channel == Mail && !wish.Email:
		return Outcome{Status: Skipped, Note: "not wanted", At: now}
	case d.Channel == Push && o.Subscription == nil:
		return Outcome{Status: Skipped, Note: "the browser has logged out", At: now}
	}
	if q := o.Preferences.QuietHours; q != nil {
		if over, quiet := q.until(now); quiet {
			return Outcome{Status: Pending, Due: over, Note: "quiet hours", At: now}
		}
	}
	// What is on its way when the server shuts down gets the time to arrive.
	ctx, stop := outliving(ctx, finishWithin)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, s.cfg.SendTimeout)
	defer cancel()
	ctx, end := s.cfg.Trace.Begin(ctx, rooms.Span{Kind: rooms.SpanCall, System: string(d.Channel), Name: "send"})
	err := s.send(ctx, d, o)
	end.With(err)
	return s.outcome(d, err)
}

// outliving ends some time after ctx does.
func outliving(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		sleep(longer, by)
		cancel()
	})
	return longer, func() {
		stop()
		cancel()
	}
}

func (s *Service) send(ctx context.Context, d Delivery, o Order) error {
	n := o.Notification.worded(o.User)
	if d.Channel == Mail {
		o.Notification = n
		return s.cfg.Mail.Send(ctx, o)
	}
	tag := string(n.ID)
	if n.Kind == Messages {
		tag = "messages:" + string(n.ConsultationID)
	}
	return s.cfg.Push.Send(ctx, *o.Subscription, Parcel{ID: n.ID, Kind: n.Kind, Title: n.Title, Body: n.Text, Path: n.Path, Tag: tag, At: n.CreatedAt})
}

// outcome is what follows from how a sending went.
func (s *Service) outcome(d Delivery, err error) Outcome {
	now := s.now()
	var e *rooms.Error
	switch {
	case err == nil:
		return Outcome{Status: Sent, At: now}
	case rooms.CodeOf(err) == rooms.CodeNotFound:
		return Outcome{Status: Failed, Note: err.Error(), At: now, Gone: true}
	case errors.As(err, &e) && !e.Retryable, d.Attempts >= attemptsMost:
		s.cfg.Log.Warn("a notification could not be delivered", "channel", d.Channel, "delivery", d.ID, "attempts", d.Attempts, "error", err)
		return Outcome{Status: Failed, Note: err.Error(), At: now}
	}
	wait := min(backoffFirst<<min(d.Attempts-1, 20), backoffMost)
	if e != nil && e.RetryAfterMs > 0 {
		wait = max(wait, min(time.Duration(e.RetryAfterMs)*time.Millisecond, 24*time.Hour))
	}
	return Outcome{Status: Pending, Due: now.Add(wait), Note: err.Error(), At: now}
}
