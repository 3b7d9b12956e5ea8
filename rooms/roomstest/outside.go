package roomstest

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"sync"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/notification"
	notificationstore "wenzhen.example/rooms/store/notification"
)

// MailDelay is how long a notification waits to be read before it is mailed.
const MailDelay = 2 * time.Minute

// Outside stands for push services and mailboxes: it keeps what reaches them,
// and refuses deliveries to the addresses that a test names.
type Outside struct {
	mu     sync.Mutex
	pushes []Pushed
	mails  []notification.Order
	refuse map[string]error // by endpoint, or e-mail address
}

// Pushed is a push that reached an endpoint.
type Pushed struct {
	Endpoint string
	notification.Parcel
}

func newOutside() *Outside { return &Outside{refuse: map[string]error{}} }

// Refuse makes an endpoint, or an e-mail address, answer with err from now on;
// nil takes everything.
func (o *Outside) Refuse(where string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refuse[where] = err
}

// Pushes are those that reached an endpoint.
func (o *Outside) Pushes(endpoint string) []notification.Parcel {
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []notification.Parcel
	for _, p := range o.pushes {
		if p.Endpoint == endpoint {
			list = append(list, p.Parcel)
		}
	}
	return list
}

// Mails are those that reached someone, as they were ordered.
func (o *Outside) Mails(to *Person) []notification.Order {
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []notification.Order
	for _, m := range o.mails {
		if m.User.ID == to.User.ID {
			list = append(list, m)
		}
	}
	return list
}

// Accepts implements notification.Pusher.
func (o *Outside) Accepts(string) error { return nil }

// Send implements notification.Pusher.
func (o *Outside) Send(_ context.Context, sub notification.Subscription, p notification.Parcel) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.refuse[sub.Endpoint]; err != nil {
		return err
	}
	o.pushes = append(o.pushes, Pushed{sub.Endpoint, p})
	return nil
}

// mailbox is the Outside as a notification.Mailer.
type mailbox struct{ *Outside }

// Send implements notification.Mailer.
func (m mailbox) Send(_ context.Context, order notification.Order) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.refuse[order.User.Email]; err != nil {
		return err
	}
	m.mails = append(m.mails, order)
	return nil
}

// Browser is a subscription of a browser that does not exist.
func Browser(endpoint string) notification.SubscribeInput {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		panic(err) // the source of randomness never fails
	}
	return notification.SubscribeInput{Endpoint: endpoint, Keys: notification.SubscriptionKeys{
		P256dh: base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()), Auth: base64.RawURLEncoding.EncodeToString(make([]byte, 16))}}
}

// Notifies reads the log to its end, and sends what is due by then.
func (w *World) Notifies() {
	w.T.Helper()
	ctx := context.Background()
	w.settles(ctx)
	w.must(w.notifications.CatchUp(ctx))
	for _, channel := range []notification.Channel{notification.Push, notification.Mail} {
		for more := true; more; {
			var err error
			more, err = w.notifications.SendOne(ctx, channel)
			w.must(err)
		}
	}
}

// settles waits until the log can be read up to what has happened so far:
// PostgreSQL holds it back while an older transaction runs, even of another test.
func (w *World) settles(ctx context.Context) {
	w.T.Helper()
	w.must(w.DB.Announced(ctx))
	w.must(w.Hub.Flush(ctx))
	w.Received.mu.Lock()
	happened := len(w.Received.events)
	w.Received.mu.Unlock()
	for {
		log, err := notificationstore.Store{DB: w.DB}.Log(ctx, 0, happened)
		w.must(err)
		if len(log) >= happened {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Inbox is all that someone's inbox holds, the oldest first, once the log has
// been followed.
func (p *Person) Inbox() []notification.Notification {
	p.W.T.Helper()
	p.W.Notifies()
	var all []notification.Notification
	for after := rooms.Seq(0); ; {
		page := Must(p, notification.List, notification.InboxInput{After: &after, Limit: 100})
		all = append(all, page.Items...)
		if !page.HasMore {
			return all
		}
		after = page.Items[len(page.Items)-1].Seq
	}
}

// LosesADelivery leases the delivery of a channel that is due, as a worker does
// that dies before it sends.
func (w *World) LosesADelivery(channel notification.Channel) {
	w.T.Helper()
	d, err := notificationstore.Store{DB: w.DB}.LeaseDelivery(context.Background(), channel, w.Now(), sendTimeout*2)
	w.must(err)
	if d == nil {
		w.T.Fatal("nothing is due")
	}
}

const sendTimeout = time.Minute
