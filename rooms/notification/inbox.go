package notification

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wenzhen.example/rooms"
)

// Pace of reading the log: how many events it takes in one transaction, how long
// it rests between two, so that many events cost few, and how often it looks
// unasked, for what other nodes have written.
const (
	logBatch = 200
	logRest  = 100 * time.Millisecond
	logEvery = time.Second
)

// Run reads the log and sends what is due, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	done := make(chan struct{})
	workers := []func(context.Context){s.readLog}
	if s.cfg.Mail != nil {
		for range mailWorkers {
			workers = append(workers, func(ctx context.Context) { s.work(ctx, Mail) })
		}
	}
	if s.cfg.Push != nil {
		for range pushWorkers {
			workers = append(workers, func(ctx context.Context) { s.work(ctx, Push) })
		}
	}
	for _, run := range workers {
		go func() {
			run(ctx)
			done <- struct{}{}
		}()
	}
	for range workers {
		<-done
	}
}

// Published implements rooms.Listener. It wakes the goroutine that runs readLog
// and does not wait for it.
func (s *Service) Published(rooms.Publication) {
	select {
	case s.happened <- struct{}{}:
	default: // a wish is waiting already
	}
}

// Signalled implements rooms.Listener; signals concern nobody who is away.
func (s *Service) Signalled(rooms.Signal) {}

func (s *Service) readLog(ctx context.Context) {
	tick := time.NewTicker(logEvery)
	defer tick.Stop()
	for {
		if err := s.CatchUp(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("notifications: reading the log", "error", err)
			sleep(ctx, logEvery)
		}
		sleep(ctx, logRest)
		select {
		case <-s.happened:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// CatchUp reads the log to its end, unless another node does. Notifications,
// the deliveries that they need, what they announce and the place of the cursor
// are one transaction, so that two nodes would do no harm either.
func (s *Service) CatchUp(ctx context.Context) error {
	return s.store.Alone(ctx, "notifications", s.catchUp)
}

func (s *Service) catchUp(ctx context.Context) error {
	for {
		from, err := s.store.Cursor(ctx)
		if err != nil {
			return err
		}
		events, err := s.store.Log(ctx, from, logBatch)
		if err != nil || len(events) == 0 {
			return err
		}
		err = s.store.InTx(ctx, func(tx Tx) error {
			if err := tx.Advance(from, events[len(events)-1].Pos); err != nil {
				return err
			}
			for _, e := range events {
				err := (&telling{s: s, tx: tx, event: e.Event}).notify(rules[e.Name])
				if errors.Is(err, rooms.ErrDamaged) { // it stays so, and must not keep from people what follows
					s.store.PassOver(fmt.Sprintf("notifications of %s/%d", e.Room, e.Seq), err)
					continue
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if rooms.CodeOf(err) == rooms.CodeConflict {
			continue // another node was here first
		}
		if err != nil {
			return err
		}
	}
}

// telling is one event on its way to whom it concerns.
type telling struct {
	s     *Service
	tx    Tx
	event rooms.Event
}

// inboxEntry is a notification that an event causes.
type inboxEntry struct {
	to    rooms.UserID
	topic Topic
	facts Facts
	// own notifies people of what they did themselves: kept as read, and mailed
	// where it comes with an invitation.
	own bool
	// subject is notified once, even if several events contain it.
	subject string
}

// notify puts the notifications of a rule into inboxes; a nil rule has none.
func (t *telling) notify(by rule) error {
	if by == nil {
		return nil
	}
	list, err := by(t)
	if err != nil {
		return err
	}
	for _, n := range list {
		if err := t.tell(n); err != nil {
			return err
		}
	}
	return nil
}

// tell puts a notification into the inbox of a user. It does nothing for the
// actor of the event, unless a.own, and for a subject that the user has been
// notified of. For a user who is viewing the room the notification is stored
// as read.
func (t *telling) tell(a inboxEntry) error {
	user := a.to
	if user == "" || (user == t.event.ActorID && !a.own) {
		return nil
	}
	if a.subject != "" {
		if told, err := t.tx.Told(user, a.topic, a.subject); err != nil || told {
			return err
		}
	}
	now := t.s.now()
	recipient, err := t.tx.User(user)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return nil // erased meanwhile
	} else if err != nil {
		return err
	}
	n := Notification{ID: ID(rooms.NewID(now)), UserID: user, Kind: a.topic.kind(), Topic: a.topic, CreatedAt: now, Facts: a.facts,
		Cause: Cause{EventID: t.event.ID, Room: t.event.Room, Seq: t.event.Seq, Subject: a.subject}}
	n = n.worded(recipient)
	if user == t.event.ActorID || t.s.isViewing(t.event.Room, user) {
		n.SeenAt, n.ReadAt = &now, &now
	}
	_, err = NotificationCreated.Record(t.tx, rooms.UserRoom(user), rooms.Actor{UserID: t.event.ActorID}, now, nil, func(seq rooms.Seq) (Arrived, error) {
		n.Seq = seq
		if err := t.tx.InsertNotification(n); err != nil {
			return Arrived{}, err
		}
		unread, _, err := t.tx.Unread(user)
		return Arrived{Notification: n, Unread: unread}, err
	})
	if err != nil {
		return err
	}
	return t.deliver(n)
}

// pushGrace is how long a push waits for a device to say that it was seen.
const pushGrace = 2 * time.Second

// deliver plants the deliveries of a notification, by the recipient's wishes.
func (t *telling) deliver(n Notification) error {
	p, err := t.tx.Preferences(n.UserID)
	if err != nil {
		return err
	}
	wish, cfg := p.of(n.Kind), t.s.cfg
	plant := func(channel Channel, subscription SubscriptionID, due time.Time) error {
		return t.tx.InsertDelivery(Delivery{ID: DeliveryID(rooms.NewID(n.CreatedAt)), NotificationID: n.ID, UserID: n.UserID, Channel: channel, SubscriptionID: subscription, Due: due})
	}
	if cfg.Push != nil && wish.Push && n.SeenAt == nil {
		subscriptions, err := t.tx.Subscriptions(n.UserID, n.CreatedAt)
		if err != nil {
			return err
		}
		for _, sub := range subscriptions {
			if err := plant(Push, sub.ID, n.CreatedAt.Add(pushGrace)); err != nil {
				return err
			}
		}
	}
	if cfg.Mail == nil || !wish.Email {
		return nil
	}
	if n.Invites() {
		return plant(Mail, "", n.CreatedAt)
	}
	if n.SeenAt != nil {
		return nil
	}
	if n.Kind == Messages {
		if mailed, err := t.tx.Mailed(n.UserID, n.ConsultationID); err != nil || mailed {
			return err // one mail says that there are messages, until they are read
		}
	}
	return plant(Mail, "", n.CreatedAt.Add(cfg.MailDelay))
}
