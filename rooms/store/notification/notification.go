// Package notification keeps notifications, preferences, push subscriptions and
// deliveries.
package notification

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/notification"
	accountstore "wenzhen.example/rooms/store/account"
	consultationstore "wenzhen.example/rooms/store/consultation"
	"wenzhen.example/rooms/store/engine"
)

// Encrypted are the columns that are encrypted at rest.
var Encrypted = []engine.EncryptedTable{
	{Name: "notifications", Key: []string{"id"}, Columns: []string{"facts"}},
}

// Tx implements notification.Tx.
type Tx struct{ consultationstore.Tx }

// In is Tx in a transaction of the database.
func In(tx *engine.Tx) Tx { return Tx{consultationstore.In(tx)} }

// Store implements notification.Store.
type Store struct{ *engine.DB }

// InTx implements notification.Store.
func (s Store) InTx(ctx context.Context, f func(notification.Tx) error) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error { return f(In(tx)) })
}

// User implements notification.Store.
func (s Store) User(ctx context.Context, id rooms.UserID) (account.User, error) {
	return accountstore.UserByID(ctx, s.Reads(), id)
}

// stored is a notification as its columns have it.
type stored struct {
	notification.Notification
	facts string // as JSON
}

type column = engine.Column[stored]

var notificationRow = engine.RowOf(
	column{Name: "id", To: func(n *stored) any { return &n.ID }},
	column{Name: "user_id", To: func(n *stored) any { return &n.UserID }},
	column{Name: "seq", To: func(n *stored) any { return &n.Seq }},
	column{Name: "kind", To: func(n *stored) any { return &n.Kind }},
	column{Name: "topic", To: func(n *stored) any { return &n.Topic }},
	column{Name: "facts", To: func(n *stored) any { return engine.DecryptColumn("notifications.facts", &n.ID, &n.facts) }},
	column{Name: "event_id", To: func(n *stored) any { return &n.Cause.EventID }},
	column{Name: "room", To: func(n *stored) any { return &n.Cause.Room }},
	column{Name: "room_seq", To: func(n *stored) any { return &n.Cause.Seq }},
	column{Name: "subject", To: func(n *stored) any { return &n.Cause.Subject }},
	column{Name: "created_at", To: func(n *stored) any { return (*engine.At)(&n.CreatedAt) }},
	column{Name: "delivered_at", To: func(n *stored) any { return engine.AtOrNil(&n.DeliveredAt) }},
	column{Name: "seen_at", To: func(n *stored) any { return engine.AtOrNil(&n.SeenAt) }},
	column{Name: "read_at", To: func(n *stored) any { return engine.AtOrNil(&n.ReadAt) }},
)

var notificationsFrom = `SELECT ` + notificationRow.Columns("n") + ` FROM notifications n`

func scanNotification(s engine.Scanner) (notification.Notification, error) {
	var n stored
	if err := notificationRow.Scan(s, &n); err != nil {
		return n.Notification, engine.Found(err, "notification")
	}
	if err := json.Unmarshal([]byte(n.facts), &n.Facts); err != nil {
		return n.Notification, fmt.Errorf("notification %s: %w: %w", n.ID, rooms.ErrDamaged, err)
	}
	return n.Notification, nil
}

// Notifications implements notification.Store.
func (s Store) Notifications(ctx context.Context, q notification.Query) ([]notification.Notification, error) {
	w, order := engine.Where{}, "DESC"
	w.Add(`n.user_id = ?`, q.User)
	if q.Unread {
		w.Add(`n.read_at IS NULL`)
	}
	if q.Before != nil {
		w.Add(`n.seq < ?`, *q.Before)
	}
	if q.After != nil {
		w.Add(`n.seq > ?`, *q.After)
		order = ""
	}
	scan := engine.Intact(s.DB, func(n notification.Notification) string { return "notification " + string(n.ID) }, scanNotification)
	return engine.FullPage(q.Limit, func(limit int) ([]*notification.Notification, error) {
		w := w
		return engine.Collect(ctx, s.Reads(), scan, notificationsFrom+w.SQL()+` ORDER BY n.seq `+order+` LIMIT `+w.Param(limit), w.Args...)
	})
}

// Unread implements notification.Store.
func (s Store) Unread(ctx context.Context, user rooms.UserID) (int, rooms.Seq, error) {
	return unread(ctx, s.Reads(), user)
}

// Unread implements notification.Tx.
func (tx Tx) Unread(user rooms.UserID) (int, rooms.Seq, error) {
	return unread(context.Background(), tx, user)
}

func unread(ctx context.Context, q engine.Querier, user rooms.UserID) (n int, last rooms.Seq, err error) {
	err = q.Row(ctx, `SELECT (SELECT count(*) FROM notifications WHERE user_id = $1 AND read_at IS NULL), `+q.LastSeqOf("$2"),
		user, rooms.UserRoom(user)).Scan(&n, &last)
	return n, last, err
}

// Preferences implements notification.Store.
func (s Store) Preferences(ctx context.Context, user rooms.UserID) (notification.Preferences, error) {
	return preferences(ctx, s.Reads(), user)
}

// Preferences implements notification.Tx.
func (tx Tx) Preferences(user rooms.UserID) (notification.Preferences, error) {
	return preferences(context.Background(), tx, user)
}

func preferences(ctx context.Context, q engine.Querier, user rooms.UserID) (notification.Preferences, error) {
	var p notification.Preferences
	var stored string
	err := q.Row(ctx, `SELECT preferences FROM notification_preferences WHERE user_id = $1`, user).Scan(&stored)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	} else if err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(stored), &p)
}

// SavePreferences implements notification.Tx.
func (tx Tx) SavePreferences(user rooms.UserID, p notification.Preferences) error {
	stored, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO notification_preferences (user_id, preferences) VALUES ($1, $2)
		ON CONFLICT (user_id) DO UPDATE SET preferences = excluded.preferences`, user, string(stored))
}

// Cursor implements notification.Store.
func (s Store) Cursor(ctx context.Context) (int64, error) {
	var pos int64
	err := s.Reads().Row(ctx, `SELECT pos FROM cursors WHERE name = $1`, engine.NotificationCursor).Scan(&pos)
	return pos, err
}

// Log implements notification.Store.
func (s Store) Log(ctx context.Context, after int64, limit int) ([]notification.Logged, error) {
	list, err := s.LogAfter(ctx, after, limit)
	events := make([]notification.Logged, len(list))
	for i, e := range list {
		events[i] = notification.Logged{Pos: e.Pos, Event: e.Event}
	}
	return events, err
}

// Admins implements notification.Tx.
func (tx Tx) Admins() ([]rooms.UserID, error) {
	return engine.Collect(context.Background(), tx, func(s engine.Scanner) (rooms.UserID, error) {
		var id rooms.UserID
		return id, s.Scan(&id)
	}, `SELECT id FROM users WHERE role = 'admin' AND suspended = 0 ORDER BY id`)
}

// Advance implements notification.Tx.
func (tx Tx) Advance(from, to int64) error {
	var pos int64
	err := tx.Row(context.Background(), `UPDATE cursors SET pos = $3 WHERE name = $1 AND pos = $2 RETURNING pos`, engine.NotificationCursor, from, to).Scan(&pos)
	if errors.Is(err, sql.ErrNoRows) {
		return rooms.Conflict("", "the log has been read further meanwhile")
	}
	return err
}

// Previous implements notification.Tx.
func (tx Tx) Previous(room rooms.RoomID, name string, before rooms.Seq) (json.RawMessage, error) {
	e := rooms.Event{Room: room}
	err := tx.Row(context.Background(), `SELECT seq, data FROM log WHERE room = `+engine.RoomNum("$1")+` AND seq < $2 AND name = $3 ORDER BY seq DESC LIMIT 1`, room, before, name).Scan(&e.Seq, engine.EventData(&e))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return e.Data, err
}

// InsertNotification implements notification.Tx.
func (tx Tx) InsertNotification(n notification.Notification) error {
	facts, err := json.Marshal(n.Facts)
	if err != nil {
		return err
	}
	return tx.Insert("notifications",
		engine.Set("id", n.ID),
		engine.Set("user_id", n.UserID),
		engine.Set("seq", n.Seq),
		engine.Set("kind", n.Kind),
		engine.Set("topic", n.Topic),
		engine.Set("facts", engine.EncryptColumn(tx, "notifications.facts", n.ID, string(facts))),
		engine.Set("event_id", n.Cause.EventID),
		engine.Set("room", n.Cause.Room),
		engine.Set("room_seq", n.Cause.Seq),
		engine.Set("subject", n.Cause.Subject),
		engine.Set("created_at", engine.Micros(n.CreatedAt)),
		engine.Set("delivered_at", engine.MicrosOrNull(n.DeliveredAt)),
		engine.Set("seen_at", engine.MicrosOrNull(n.SeenAt)),
		engine.Set("read_at", engine.MicrosOrNull(n.ReadAt)),
	)
}

// Told implements notification.Tx.
func (tx Tx) Told(user rooms.UserID, topic notification.Topic, subject string) (told bool, err error) {
	err = tx.Row(context.Background(), `SELECT EXISTS (SELECT 1 FROM notifications WHERE user_id = $1 AND topic = $2 AND subject = $3 AND subject <> '')`, user, topic, subject).Scan(&told)
	return told, err
}

// MarkRead implements notification.Tx.
func (tx Tx) MarkRead(user rooms.UserID, which notification.Which, now time.Time) ([]notification.ID, error) {
	mark := func(condition string, args ...any) ([]notification.ID, error) {
		return engine.Collect(context.Background(), tx, func(s engine.Scanner) (notification.ID, error) {
			var id notification.ID
			return id, s.Scan(&id)
		}, `UPDATE notifications SET read_at = $2, seen_at = COALESCE(seen_at, $2), delivered_at = COALESCE(delivered_at, $2)
			WHERE user_id = $1 AND read_at IS NULL AND `+condition+` RETURNING id`, append([]any{user, engine.Micros(now)}, args...)...)
	}
	switch {
	case which.Room != "":
		return mark(`room = $3 AND room_seq <= $4`, which.Room, which.UpTo)
	case which.UpToID != "":
		n, err := scanNotification(tx.Row(context.Background(), notificationsFrom+` WHERE n.id = $1 AND n.user_id = $2`, which.UpToID, user))
		if err != nil {
			return nil, err
		}
		return mark(`seq <= $3`, n.Seq)
	}
	var all []notification.ID
	for _, id := range which.IDs {
		marked, err := mark(`id = $3`, id)
		if err != nil {
			return nil, err
		}
		all = append(all, marked...)
	}
	return all, nil
}

// MarkDelivered implements notification.Tx.
func (tx Tx) MarkDelivered(user rooms.UserID, ids []notification.ID, now time.Time) error {
	return tx.mark(`delivered_at = COALESCE(delivered_at, $3)`, user, ids, now)
}

// MarkSeen implements notification.Tx.
func (tx Tx) MarkSeen(user rooms.UserID, ids []notification.ID, now time.Time) error {
	return tx.mark(`seen_at = COALESCE(seen_at, $3), delivered_at = COALESCE(delivered_at, $3)`, user, ids, now)
}

func (tx Tx) mark(set string, user rooms.UserID, ids []notification.ID, now time.Time) error {
	for _, id := range ids {
		if err := tx.Exec(`UPDATE notifications SET `+set+` WHERE user_id = $1 AND id = $2`, user, id, engine.Micros(now)); err != nil {
			return err
		}
	}
	return nil
}

const subscriptionFrom = ` p.id, p.user_id, p.session_id, p.endpoint, p.p256dh, p.auth, p.created_at FROM push_subscriptions p
	JOIN sessions s ON s.id = p.session_id WHERE s.revoked_at = 0 AND s.expires_at > $1`

func scanSubscription(r engine.Scanner) (notification.Subscription, error) {
	var v notification.Subscription
	return v, r.Scan(&v.ID, &v.UserID, &v.SessionID, &v.Endpoint, &v.Keys.P256dh, &v.Keys.Auth, (*engine.At)(&v.CreatedAt))
}

// Subscriptions implements notification.Tx.
func (tx Tx) Subscriptions(user rooms.UserID, now time.Time) ([]notification.Subscription, error) {
	return engine.Collect(context.Background(), tx, scanSubscription, `SELECT`+subscriptionFrom+` AND p.user_id = $2 ORDER BY p.id`, engine.Micros(now), user)
}

// SaveSubscription implements notification.Tx.
func (tx Tx) SaveSubscription(v notification.Subscription) (notification.Subscription, error) {
	err := tx.Row(context.Background(), `INSERT INTO push_subscriptions (id, user_id, session_id, endpoint, p256dh, auth, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (endpoint) DO UPDATE SET user_id = excluded.user_id, session_id = excluded.session_id, p256dh = excluded.p256dh, auth = excluded.auth
		RETURNING id, created_at`, v.ID, v.UserID, v.SessionID, v.Endpoint, v.Keys.P256dh, v.Keys.Auth, engine.Micros(v.CreatedAt)).Scan(&v.ID, (*engine.At)(&v.CreatedAt))
	return v, err
}

// DeleteSubscription implements notification.Tx.
func (tx Tx) DeleteSubscription(user rooms.UserID, id notification.SubscriptionID) error {
	err := tx.Row(context.Background(), `DELETE FROM push_subscriptions WHERE user_id = $1 AND id = $2 RETURNING id`, user, id).Scan(&id)
	return engine.Found(err, "subscription")
}

// Mailed implements notification.Tx.
func (tx Tx) Mailed(user rooms.UserID, id consultation.ID) (bool, error) {
	var n int
	err := tx.Row(context.Background(), `SELECT count(*) FROM notifications n JOIN deliveries d ON d.notification_id = n.id
		WHERE n.user_id = $1 AND n.room = $2 AND n.read_at IS NULL AND n.kind = $3 AND d.channel = $4 AND d.status IN ('pending', 'sent')`,
		user, id.Room(), notification.Messages, notification.Mail).Scan(&n)
	return n > 0, err
}

// InsertDelivery implements notification.Tx.
func (tx Tx) InsertDelivery(d notification.Delivery) error {
	return tx.Exec(`INSERT INTO deliveries (id, notification_id, user_id, channel, subscription_id, status, attempts, due_at, leased_until, note)
		VALUES ($1, $2, $3, $4, $5, 'pending', 0, $6, 0, '')`, d.ID, d.NotificationID, d.UserID, d.Channel, d.SubscriptionID, engine.Micros(d.Due))
}

// LeaseDelivery implements notification.Deliveries.
func (s Store) LeaseDelivery(ctx context.Context, channel notification.Channel, now time.Time, lease time.Duration) (*notification.Delivery, error) {
	const due = ` status = 'pending' AND channel = $1 AND due_at <= $2 AND leased_until <= $2`
	var n int
	if err := s.Reads().Row(ctx, `SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE`+due+` LIMIT 1) AS one`, channel, engine.Micros(now)).Scan(&n); err != nil || n == 0 {
		return nil, err
	}
	d, err := rooms.InTx(ctx, s.DB, func(tx *engine.Tx) (d notification.Delivery, err error) {
		// The outer condition is for who waited for another to lease the same row.
		err = tx.Row(context.Background(), `UPDATE deliveries SET leased_until = $3, attempts = attempts + 1
			WHERE id = (SELECT id FROM deliveries WHERE`+due+` ORDER BY due_at LIMIT 1) AND leased_until <= $2
			RETURNING id, notification_id, user_id, channel, subscription_id, due_at, attempts`, channel, engine.Micros(now), engine.Micros(now.Add(lease))).
			Scan(&d.ID, &d.NotificationID, &d.UserID, &d.Channel, &d.SubscriptionID, (*engine.At)(&d.Due), &d.Attempts)
		return d, err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &d, err
}

// Order implements notification.Deliveries.
func (s Store) Order(ctx context.Context, d notification.Delivery) (notification.Order, error) {
	var o notification.Order
	var err error
	if o.Notification, err = scanNotification(s.Reads().Row(ctx, notificationsFrom+` WHERE n.id = $1`, d.NotificationID)); err != nil {
		return o, err
	}
	if o.User, err = accountstore.UserByID(ctx, s.Reads(), d.UserID); err != nil {
		return o, err
	}
	if o.Preferences, err = preferences(ctx, s.Reads(), d.UserID); err != nil {
		return o, err
	}
	if d.SubscriptionID != "" {
		sub, err := scanSubscription(s.Reads().Row(ctx, `SELECT`+subscriptionFrom+` AND p.id = $2`, engine.Micros(s.Now()), d.SubscriptionID))
		switch {
		case err == nil:
			o.Subscription = &sub
		case !errors.Is(err, sql.ErrNoRows):
			return o, err
		}
	}
	cause := o.Notification.Cause
	if cause.Room.Kind() == "consultation" {
		err := s.Reads().Row(ctx, `SELECT NOT EXISTS (SELECT 1 FROM participants WHERE consultation_id = $1 AND user_id = $2)`, cause.Room.Subject(), d.UserID).Scan(&o.Outside)
		if err != nil {
			return o, err
		}
	}
	err = engine.ScanEvent(s.Reads().Row(ctx, `SELECT `+engine.EventColumns+engine.EventsFrom+`WHERE r.id = $1 AND l.seq = $2`, cause.Room, cause.Seq), &o.Event)
	return o, engine.Found(err, "event")
}

// Finish implements notification.Tx.
func (tx Tx) Finish(d notification.Delivery, o notification.Outcome) error {
	if o.Status == notification.Pending {
		return tx.Exec(`UPDATE deliveries SET due_at = $2, leased_until = 0, note = $3 WHERE id = $1`, d.ID, engine.Micros(o.Due), o.Note)
	}
	if o.Status == notification.Sent {
		if err := tx.MarkDelivered(d.UserID, []notification.ID{d.NotificationID}, o.At); err != nil {
			return err
		}
	}
	return tx.Exec(`UPDATE deliveries SET status = $2, finished_at = $3, leased_until = 0, note = $4 WHERE id = $1`, d.ID, o.Status, engine.Micros(o.At), o.Note)
}
