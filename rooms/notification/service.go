package notification

import (
	"context"
	"log/slog"
	"time"

	"wenzhen.example/rooms"
)

// Options are what the service needs, and what notifications go out through.
type Options struct {
	Store    Store
	Presence Presence
	Now      func() time.Time

	// Push sends to browsers, and Mail by e-mail; nil where that is not set up.
	Push Pusher
	Mail Mailer
	// MailDelay is how long a notification waits to be read before it is mailed.
	MailDelay time.Duration
	// SendTimeout bounds the sending of one push or mail.
	SendTimeout time.Duration
	Log         *slog.Logger
	// Trace starts a span for every delivery; nil traces nothing.
	Trace rooms.Tracer
}

// Presence tells who is in a room right now, on whichever node.
type Presence interface {
	Has(room rooms.RoomID, user rooms.UserID) bool
}

// Service keeps the inboxes.
type Service struct {
	cfg      Options
	store    Store
	presence Presence
	now      func() time.Time
	// happened wakes readLog.
	happened chan struct{}
}

// New makes the service; nothing is read and sent before Run.
func New(o Options) *Service {
	return &Service{cfg: o, store: o.Store, presence: o.Presence, now: o.Now, happened: make(chan struct{}, 1)}
}

// isViewing reports whether a page of user shows a room now.
func (s *Service) isViewing(room rooms.RoomID, user rooms.UserID) bool {
	return s.presence.Has(rooms.View(room), user)
}

// Commands returns the commands that the service executes.
func (s *Service) Commands() []rooms.Handler {
	return []rooms.Handler{
		List.Bind(s.list), Read.Bind(s.read), See.Bind(s.see),
		ReadPreferences.Bind(s.preferences), SavePreferences.Bind(s.savePreferences),
		Subscribe.Bind(s.subscribe), Unsubscribe.Bind(s.unsubscribe),
	}
}

func (s *Service) list(ctx context.Context, actor rooms.Actor, in InboxInput) (Inbox, error) {
	limit, err := rooms.PageSize(in.Limit, 30, 100)
	if err != nil {
		return Inbox{}, err
	}
	before, err := rooms.ParseCursor(in.Cursor)
	switch {
	case err != nil:
		return Inbox{}, err
	case in.After != nil && *in.After < 0:
		return Inbox{}, rooms.Invalid("after", "after must not be negative")
	case in.After != nil && before != nil:
		return Inbox{}, rooms.Invalid("after", "after and cursor do not go together")
	}
	user, err := s.store.User(ctx, actor.UserID)
	if err != nil {
		return Inbox{}, err
	}
	// The count first: what comes meanwhile is in the list and has a higher seq.
	var page Inbox
	if page.Unread, page.LastSeq, err = s.store.Unread(ctx, actor.UserID); err != nil {
		return Inbox{}, err
	}
	q := Query{User: actor.UserID, Unread: in.Unread, After: in.After, Limit: limit + 1}
	if before != nil {
		seq := rooms.Seq(before.Num)
		q.Before = &seq
	}
	list, err := s.store.Notifications(ctx, q)
	if err != nil {
		return Inbox{}, err
	}
	items, next := rooms.CutPage(list, limit, func(n Notification) rooms.Cursor { return rooms.Cursor{Num: int64(n.Seq)} })
	for i := range items {
		items[i] = items[i].worded(user)
	}
	page.Items, page.NextCursor = items, next
	if in.After != nil {
		page.NextCursor, page.HasMore = "", next != ""
	}
	return page, s.delivered(ctx, actor.UserID, items)
}

// delivered notes that a device has fetched notifications.
func (s *Service) delivered(ctx context.Context, user rooms.UserID, items []Notification) error {
	var fresh []ID
	for _, n := range items {
		if n.DeliveredAt == nil {
			fresh = append(fresh, n.ID)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return s.store.InTx(ctx, func(tx Tx) error { return tx.MarkDelivered(user, fresh, s.now()) })
}

func (s *Service) read(ctx context.Context, actor rooms.Actor, in MarkReadInput) (Marked, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Marked, error) {
		return s.markRead(tx, actor, actor.UserID, Which{IDs: in.IDs, UpToID: in.UpToID})
	})
}

// markRead marks notifications of user and tells the user's devices, if there
// was anything to mark.
func (s *Service) markRead(tx Tx, actor rooms.Actor, user rooms.UserID, which Which) (Marked, error) {
	ids, err := tx.MarkRead(user, which, s.now())
	if err != nil {
		return Marked{}, err
	}
	if len(ids) == 0 {
		r := Marked{IDs: []ID{}}
		r.Unread, r.Seq, err = tx.Unread(user)
		return r, err
	}
	return NotificationRead.Record(tx, rooms.UserRoom(user), actor, s.now(), nil, func(seq rooms.Seq) (Marked, error) {
		unread, _, err := tx.Unread(user)
		return Marked{Seq: seq, Unread: unread, IDs: ids}, err
	})
}

func (s *Service) see(ctx context.Context, actor rooms.Actor, in MarkSeenInput) (rooms.Nothing, error) {
	return rooms.Nothing{}, s.store.InTx(ctx, func(tx Tx) error { return tx.MarkSeen(actor.UserID, in.IDs, s.now()) })
}

func (s *Service) preferences(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (Preferences, error) {
	p, err := s.store.Preferences(ctx, actor.UserID)
	return p.complete(), err
}

func (s *Service) savePreferences(ctx context.Context, actor rooms.Actor, in Preferences) (Preferences, error) {
	complete := in.complete()
	return rooms.InTx(ctx, s.store, func(tx Tx) (Preferences, error) { return complete, tx.SavePreferences(actor.UserID, complete) })
}
