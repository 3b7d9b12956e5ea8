package chat

import (
	"context"
	"math"
	"slices"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat/turns"
	"wenzhen.example/rooms/consultation"
)

// Options are what the service needs, and the rules of chat.
type Options struct {
	Store Store
	Blobs Blobs
	Hub   *rooms.Hub
	Now   func() time.Time

	AttachmentBytes int64 // the most that one file may have
	// UserBytes is the most that all files of one user may have together; 0 is
	// no limit.
	UserBytes int64
	// KeepMessages is how long after the end of a consultation its messages and
	// files are kept; 0 means without a limit.
	KeepMessages time.Duration
	// VoiceLength is the most that one voice message may last, and VoiceBytes
	// the most that its file may have.
	VoiceLength time.Duration
	VoiceBytes  int64
	// PictureFor is the most time that decoding one picture may take, which has no
	// thumbnail otherwise; 0 is no limit.
	PictureFor time.Duration
	// SearchFor is the most time that one search may take; 0 is no limit.
	SearchFor time.Duration
}

// recallWithin is how long a message can be taken back (domain: 2 minutes).
const recallWithin = 2 * time.Minute

// voiceGrace is what a recording may be longer than it should: recorders stop
// after their timer, not at it.
const voiceGrace = 5 * time.Second

// Service executes the commands of chat.
type Service struct {
	cfg   Options
	store Store
	blobs Blobs
	hub   *rooms.Hub
	now   func() time.Time

	// What users take turns in, each of them on this node: receiving files,
	// drawing thumbnails, measuring recordings, keeping files, and searching.
	receiving, drawing, measuring, keeping, searching *turns.Turns
	refused                                           *refused
}

// New makes the service.
func New(o Options) *Service {
	return &Service{cfg: o, store: o.Store, blobs: o.Blobs, hub: o.Hub, now: o.Now, refused: newRefused(o.AttachmentBytes, o.Now),
		receiving: turns.New(math.MaxInt, uploadsAtOnce), drawing: turns.New(2, 1), measuring: turns.New(2, 1),
		keeping: turns.New(math.MaxInt, 1), searching: turns.New(2, 1)}
}

// Commands returns the commands that the service executes.
func (s *Service) Commands() []rooms.Handler {
	return []rooms.Handler{
		Send.Bind(s.send), Recall.Bind(s.recall), MarkRead.Bind(s.markRead), MarkDelivered.Bind(s.markDelivered),
		StartTyping.Bind(s.typing(TypingStarted)), StopTyping.Bind(s.typing(TypingStopped)),
		History.Bind(s.history), Search.Bind(s.search),
		Upload.Bind(s.upload), Download.Bind(s.attachment),
		QuickReplies.Bind(s.quickReplies), SaveQuickReplies.Bind(s.saveQuickReplies),
	}
}

// send writes a new message. That it is one that was sent before is looked up
// only when it cannot be written: the index of clientIds refuses it, if nothing
// else does.
func (s *Service) send(ctx context.Context, actor rooms.Actor, in SendInput) (Message, error) {
	said, err := rooms.InTx(ctx, s.store, func(tx Tx) (Message, error) { return s.write(tx, actor, in) })
	if err == nil {
		return said, nil
	}
	first, again := rooms.InTx(ctx, s.store, func(tx Tx) (Message, error) {
		if _, err := tx.Participant(in.ConsultationID, actor.UserID); err != nil {
			return Message{}, err
		}
		return tx.MessageByClientID(in.ConsultationID, actor.UserID, in.ClientID)
	})
	switch rooms.CodeOf(again) {
	case "":
		return visible(first), sameContent(first, in)
	case rooms.CodeNotFound:
		return Message{}, err // it was not sent before
	}
	return Message{}, again // unknown, also when err says that the clientId exists
}

func (s *Service) write(tx Tx, actor rooms.Actor, in SendInput) (Message, error) {
	me, err := tx.Speaker(in.ConsultationID, actor.UserID)
	if err != nil {
		return Message{}, err
	}
	if err := me.May(); err != nil {
		return Message{}, err
	}
	now := s.now()
	m := Message{ID: MessageID(rooms.NewID(now)), ClientID: in.ClientID, ConsultationID: in.ConsultationID,
		SenderID: actor.UserID, Kind: in.Kind, Text: in.Text, Peaks: in.Peaks, ReplyTo: in.ReplyTo, CreatedAt: now}
	if err := s.attach(tx, &m, in.AttachmentID); err != nil {
		return Message{}, err
	}
	if err := repliesTo(tx, m, me.Since); err != nil {
		return Message{}, err
	}
	said, err := MessageCreated.Record(tx, in.ConsultationID.Room(), actor, now, nil, func(seq rooms.Seq) (Message, error) {
		m.Seq = seq
		return m, tx.InsertMessage(m)
	})
	if err != nil {
		return Message{}, err
	}
	return said, me.Spoke(tx, now)
}

// sameContent tells a resend from an id that is used for something else.
func sameContent(first Message, in SendInput) error {
	var attachment AttachmentID
	if first.Attachment != nil {
		attachment = first.Attachment.ID
	}
	if first.Kind == in.Kind && first.Text == in.Text && attachment == in.AttachmentID && first.ReplyTo == in.ReplyTo && slices.Equal(first.Peaks, in.Peaks) {
		return nil
	}
	e := rooms.Conflict("", "this clientId has been used for another message")
	e.Field = "clientId"
	return e
}

// attach checks that a file was uploaded for this consultation by this sender,
// and is what the message says it is.
func (s *Service) attach(tx Tx, m *Message, id AttachmentID) error {
	if id == "" {
		return nil
	}
	a, err := tx.Attachment(id)
	if err == nil && (a.ConsultationID != m.ConsultationID || a.UploaderID != m.SenderID) {
		err = rooms.NotFound("attachment")
	}
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return rooms.Invalid("attachmentId", "no such attachment of yours in this consultation")
	} else if err != nil {
		return err
	}
	if m.Kind != File && a.Kind != m.Kind {
		return rooms.Invalid("kind", "the attachment is of kind %s", a.Kind)
	}
	m.Attachment = &a
	if len(m.Peaks) > 0 {
		return s.mayBeVoice(a)
	}
	return nil
}

// mayBeVoice returns an error unless a file can be a voice message: a recording
// that is neither too long nor too large.
func (s *Service) mayBeVoice(a Attachment) error {
	switch length := time.Duration(a.DurationMs) * time.Millisecond; {
	case length <= 0:
		return rooms.Invalid("attachmentId", "a voice message is a recording in WebM, Ogg or MP4, and this file is none")
	case length > s.cfg.VoiceLength+voiceGrace:
		return rooms.TooLarge("attachmentId", "a voice message may last %s", s.cfg.VoiceLength)
	case a.Size > s.cfg.VoiceBytes:
		return rooms.TooLarge("attachmentId", "a voice message may have at most %d bytes", s.cfg.VoiceBytes)
	}
	return nil
}

// repliesTo checks that a message answers one that its sender may see.
func repliesTo(tx Tx, m Message, since rooms.Seq) error {
	if m.ReplyTo == "" {
		return nil
	}
	to, err := tx.Message(m.ReplyTo)
	if err == nil && to.ConsultationID == m.ConsultationID && to.Seq > since {
		return nil
	}
	if err == nil || rooms.CodeOf(err) == rooms.CodeNotFound {
		return rooms.Invalid("replyTo", "no such message in this consultation")
	}
	return err
}

func (s *Service) recall(ctx context.Context, actor rooms.Actor, in MessageInput) (Message, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Message, error) {
		if _, err := tx.Participant(in.ConsultationID, actor.UserID); err != nil {
			return Message{}, err
		}
		m, err := tx.Message(in.MessageID)
		if err == nil && m.ConsultationID != in.ConsultationID {
			err = rooms.NotFound("message")
		}
		if err != nil {
			return Message{}, err
		}
		now := s.now()
		switch {
		case m.RecalledAt != nil && m.SenderID == actor.UserID:
			return visible(m), nil
		case m.SenderID != actor.UserID:
			return Message{}, rooms.Forbidden("only its sender can recall a message")
		case !m.Kind.personal():
			return Message{}, rooms.Forbidden("a message of kind %s stays", m.Kind)
		case now.Sub(m.CreatedAt) > recallWithin:
			return Message{}, rooms.Conflict("", "a message can be recalled for 2 minutes")
		}
		left := m.Recalled(now)
		if err := tx.RecallMessage(left); err != nil {
			return Message{}, err
		}
		return MessageRecalled.Record(tx, in.ConsultationID.Room(), actor, now, nil, func(rooms.Seq) (Message, error) { return left, nil })
	})
}

// visible is a message as participants may see it.
func visible(m Message) Message {
	if m.RecalledAt != nil {
		return m.Recalled(*m.RecalledAt)
	}
	return m
}

func (s *Service) markRead(ctx context.Context, actor rooms.Actor, in ReceiptInput) (Receipt, error) {
	return s.receipt(ctx, actor, in, MessageRead, func(p *consultation.Participant) *rooms.Seq {
		p.DeliveredUpTo = max(p.DeliveredUpTo, in.UpToSeq) // read implies delivered
		return &p.ReadUpTo
	})
}

func (s *Service) markDelivered(ctx context.Context, actor rooms.Actor, in ReceiptInput) (Receipt, error) {
	return s.receipt(ctx, actor, in, MessageDelivered, func(p *consultation.Participant) *rooms.Seq { return &p.DeliveredUpTo })
}

// receipt moves a watermark forward. It is announced only when it passes
// something that another has said: receipts of receipts would never end.
func (s *Service) receipt(ctx context.Context, actor rooms.Actor, in ReceiptInput, event rooms.EventType[Receipt], mark func(*consultation.Participant) *rooms.Seq) (Receipt, error) {
	room := in.ConsultationID.Room()
	return rooms.InTx(ctx, s.store, func(tx Tx) (Receipt, error) {
		r := Receipt{ConsultationID: in.ConsultationID, UserID: actor.UserID, UpToSeq: in.UpToSeq}
		me, err := tx.Participant(in.ConsultationID, actor.UserID)
		if err != nil {
			return r, err
		}
		last, err := tx.LastSeq(room)
		if err != nil {
			return r, err
		}
		if in.UpToSeq > last {
			return r, rooms.Invalid("upToSeq", "the room is at %d", last)
		}
		moved := me
		at := mark(&moved)
		before := *at
		if in.UpToSeq <= before {
			r.UpToSeq = before
			return r, nil
		}
		*at = in.UpToSeq
		if err := tx.SaveWatermarks(in.ConsultationID, moved); err != nil {
			return r, err
		}
		passed, err := tx.ForeignMessage(in.ConsultationID, actor.UserID, before, in.UpToSeq)
		if err != nil || !passed {
			return r, err
		}
		return event.Record(tx, room, actor, s.now(), nil, func(rooms.Seq) (Receipt, error) { return r, nil })
	})
}

func (s *Service) typing(signal rooms.SignalType[Typing]) func(context.Context, rooms.Actor, TypingInput) (rooms.Nothing, error) {
	return func(ctx context.Context, actor rooms.Actor, in TypingInput) (rooms.Nothing, error) {
		me, err := s.store.Speaker(ctx, in.ConsultationID, actor.UserID)
		if err != nil {
			return rooms.Nothing{}, err
		}
		if err := me.May(); err != nil {
			return rooms.Nothing{}, err
		}
		signal.Send(s.hub, in.ConsultationID.Room(), Typing{ConsultationID: in.ConsultationID, UserID: actor.UserID})
		return rooms.Nothing{}, nil
	}
}

func (s *Service) history(ctx context.Context, actor rooms.Actor, in HistoryInput) (MessagePage, error) {
	limit, err := rooms.PageSize(in.Limit, 50, 200)
	if err != nil {
		return MessagePage{}, err
	}
	if in.Before < 0 {
		return MessagePage{}, rooms.Invalid("before", "before must not be negative")
	}
	me, err := s.store.Participant(ctx, in.ConsultationID, actor.UserID)
	if err != nil {
		return MessagePage{}, err
	}
	list, err := s.store.Messages(ctx, in.ConsultationID, me.Since, in.Before, limit+1)
	if err != nil {
		return MessagePage{}, err
	}
	page := MessagePage{Items: make([]Message, 0, len(list)), HasMore: len(list) > limit}
	if page.HasMore {
		list = list[1:]
	}
	for _, m := range list {
		page.Items = append(page.Items, visible(m))
	}
	return page, nil
}

func (s *Service) search(ctx context.Context, actor rooms.Actor, in SearchInput) (Found, error) {
	limit, err := rooms.PageSize(in.Limit, 20, 100)
	if err != nil {
		return Found{}, err
	}
	after, err := rooms.ParseCursor(in.Cursor)
	if err != nil {
		return Found{}, err
	}
	if in.ConsultationID != "" {
		if _, err := s.store.Participant(ctx, in.ConsultationID, actor.UserID); err != nil {
			return Found{}, err
		}
	}
	list, err := s.find(ctx, Query{User: actor.UserID, Words: in.Q, Consultation: in.ConsultationID, After: after, Limit: limit + 1})
	if err != nil {
		return Found{}, err
	}
	items, next := rooms.CutPage(list, limit, func(m Message) rooms.Cursor {
		return rooms.Cursor{Num: m.CreatedAt.UnixMicro(), ID: string(m.ID)}
	})
	return Found{Items: items, NextCursor: next}, nil
}

// find searches when it is the user's turn, and not for longer than a search may
// take: what others have written can make it take any time.
func (s *Service) find(ctx context.Context, q Query) ([]Message, error) {
	done, err := s.searching.Take(ctx, string(q.User))
	if err != nil {
		return nil, err
	}
	defer done()
	if s.cfg.SearchFor == 0 {
		return s.store.Search(ctx, q)
	}
	bounded, cancel := context.WithTimeout(ctx, s.cfg.SearchFor)
	defer cancel()
	list, err := s.store.Search(bounded, q)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = rooms.Unavailable(err, "this search took longer than %s; search for rarer words, or in one consultation", s.cfg.SearchFor)
	}
	return list, err
}

func (s *Service) quickReplies(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (QuickReplyList, error) {
	list, err := s.store.QuickReplies(ctx, actor.UserID)
	if list == nil {
		list = []QuickReply{}
	}
	return QuickReplyList{Items: list}, err
}

func (s *Service) saveQuickReplies(ctx context.Context, actor rooms.Actor, in QuickReplyList) (QuickReplyList, error) {
	list := make([]QuickReply, len(in.Items))
	for i, r := range in.Items {
		if !rooms.ValidID(r.ID) {
			r.ID = rooms.NewID(s.now())
		}
		list[i] = r
	}
	return rooms.InTx(ctx, s.store, func(tx Tx) (QuickReplyList, error) {
		return QuickReplyList{Items: list}, tx.SaveQuickReplies(actor.UserID, list)
	})
}
