package realtime

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/lobby"
	"wenzhen/server/realtime/edge"
)

// WebSocket close codes (RFC 6455, 7.4.1).
const (
	closePolicy = 1008
	closeTooBig = 1009
)

// lobbyConn is a bare WebSocket in the lobby. It is an edge.Line and a
// rooms.Subscriber.
type lobbyConn struct {
	lobby           *LobbyWebSocket
	token, nickname string // as the handshake has them

	conn    *edge.PlainConn
	actor   rooms.Actor
	expires time.Time

	mu    sync.Mutex
	heard map[rooms.RoomID]bool // nil when closed
	gone  []func()
}

// Opened implements edge.Line: it enters the lobby.
func (l *lobbyConn) Opened(conn *edge.PlainConn) {
	l.conn = conn
	l.actor.Address = conn.Address()
	ctx := context.Background()
	if l.token != "" {
		actor, expires, err := l.lobby.server.accounts.Authenticate(ctx, l.token)
		if err == nil {
			_ = l.Subscribe(rooms.SessionRoom(actor.SessionID), 0) // fails when closed
			_ = l.Subscribe(rooms.UserRoom(actor.UserID), 0)       // by which an admin can end it
			err = l.lobby.server.accounts.Alive(ctx, actor, "")    // after Subscribe, as in namespace.connect
		}
		if err != nil {
			l.refused(ctx, lobby.Enter.Name, err)
			return
		}
		actor.Address = l.actor.Address
		l.actor, l.expires, l.token = actor, expires, ""
	}
	ask(ctx, l, lobby.Enter, lobby.NicknameInput{Nickname: l.nickname})
}

// Text implements edge.Line: everything is said, but two commands.
func (l *lobbyConn) Text(ctx context.Context, text string) {
	if !l.actor.Guest() && !l.lobby.server.cfg.Now().Before(l.expires) {
		l.conn.Close(closePolicy, "the access token has expired")
		return
	}
	name, renames := strings.CutPrefix(text, "/nick ")
	switch {
	case renames:
		if now, ok := ask(ctx, l, lobby.Rename, lobby.NicknameInput{Nickname: name}); ok {
			l.tell("You are " + now.Nickname + ".")
		}
	case text == "/who":
		l.tell(present(lobby.Headcount(l.lobby.server.presence)))
	default:
		ask(ctx, l, lobby.Say, lobby.SayInput{Text: text})
	}
}

// ask executes a command of the lobby. If it fails, ask sends the error to the
// client, or closes the line.
func ask[In, Out any](ctx context.Context, l *lobbyConn, command rooms.Command[In, Out], in In) (Out, bool) {
	s := l.lobby.server
	ctx, cancel := context.WithTimeout(ctx, s.cfg.CommandTimeout)
	defer cancel()
	ctx, end := s.cfg.Trace.Begin(ctx, rooms.Span{Kind: rooms.SpanRequest, System: "websocket", Of: "/chat", Name: command.Name})
	var out Out
	raw, err := json.Marshal(in)
	if err == nil {
		raw, err = s.catalogue.Answer(rooms.WithSubscriber(ctx, l), l.actor, command.Name, raw)
	}
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	end.With(err)
	if err != nil {
		l.refused(ctx, command.Name, err)
		return out, false
	}
	return out, true
}

// refused says what went wrong. What shows that the other side cannot or may
// not go on ends the line.
func (l *lobbyConn) refused(ctx context.Context, command string, err error) {
	switch e := l.lobby.server.refuse(ctx, command, err); e.Code {
	case rooms.CodeRateLimited, rooms.CodeUnauthenticated, rooms.CodeForbidden, rooms.CodeNotFound:
		l.conn.Close(closePolicy, e.Message)
	case rooms.CodeTooLarge:
		l.conn.Close(closeTooBig, e.Message)
	default:
		if command == lobby.Enter.Name {
			l.conn.Close(closePolicy, e.Message) // there is nothing else to do here
			return
		}
		l.tell(e.Message)
	}
}

// tell says something that nobody has said.
func (l *lobbyConn) tell(text string) { _ = l.conn.Send(edge.NewText("* " + text)) } // fails when closed

func present(count int) string {
	if count == 1 {
		return "Nobody else is here."
	}
	return strconv.Itoa(count) + " are here."
}

// Closed implements edge.Line.
func (l *lobbyConn) Closed() {
	l.mu.Lock()
	heard, gone := l.heard, l.gone
	l.heard, l.gone = nil, nil
	l.mu.Unlock()
	for room := range heard {
		l.lobby.leave(room, l)
	}
	for _, f := range gone {
		f()
	}
}

// Subscribe implements rooms.Subscriber.
func (l *lobbyConn) Subscribe(room rooms.RoomID, _ rooms.Seq) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.heard == nil {
		return rooms.Unavailable(nil, "the connection is closed")
	}
	l.heard[room] = true
	l.lobby.join(room, l)
	return nil
}

// Unsubscribe implements rooms.Subscriber.
func (l *lobbyConn) Unsubscribe(room rooms.RoomID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.heard[room] {
		delete(l.heard, room)
		l.lobby.leave(room, l)
	}
}

// Look implements rooms.Subscriber; in the lobby nobody is looked for.
func (l *lobbyConn) Look(rooms.RoomID, bool) {}

// OnClose implements rooms.Subscriber.
func (l *lobbyConn) OnClose(gone func()) {
	l.mu.Lock()
	open := l.heard != nil
	if open {
		l.gone = append(l.gone, gone)
	}
	l.mu.Unlock()
	if !open {
		gone()
	}
}
