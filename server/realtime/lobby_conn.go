package realtime

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/server/realtime/edge"
)

// WebSocket close codes (RFC 6455, 7.4.1).
const (
	closePolicy = 1008
	closeTooBig = 1009
)

// lobbyConn is a bare WebSocket in the lobby. It is an edge.PlainHandler and a
// rooms.Subscriber.
type lobbyConn struct {
	lobby           *LobbyWebSocket
	token, nickname string // from the handshake

	conn    *edge.BareConn
	actor   rooms.Actor
	expires time.Time

	mu            sync.Mutex
	subscriptions map[rooms.RoomID]bool // nil when closed
	onClose       []func()
}

// Opened implements edge.PlainHandler: it enters the lobby.
func (l *lobbyConn) Opened(conn *edge.BareConn) {
	l.conn = conn
	l.actor.Address = conn.Address()
	ctx := context.Background()
	if l.token != "" {
		actor, expires, err := l.lobby.server.accounts.Authenticate(ctx, l.token)
		if err == nil {
			_ = l.Subscribe(rooms.SessionRoom(actor.SessionID), 0) // fails when closed
			_ = l.Subscribe(rooms.UserRoom(actor.UserID), 0)       // so that an admin can disconnect it
			err = l.lobby.server.accounts.Alive(ctx, actor, "")    // after Subscribe, as in namespace.connect
		}
		if err != nil {
			l.refused(ctx, lobby.Enter.Name, err)
			return
		}
		actor.Address = l.actor.Address
		l.actor, l.expires, l.token = actor, expires, ""
	}
	run(ctx, l, lobby.Enter, lobby.NicknameInput{Nickname: l.nickname})
}

// Text implements edge.PlainHandler: it says the text in the lobby, except for the
// commands /nick and /who.
func (l *lobbyConn) Text(ctx context.Context, text string) {
	if !l.actor.Guest() && !l.lobby.server.cfg.Now().Before(l.expires) {
		l.conn.Close(closePolicy, "the access token has expired")
		return
	}
	name, renames := strings.CutPrefix(text, "/nick ")
	switch {
	case renames:
		if now, ok := run(ctx, l, lobby.Rename, lobby.NicknameInput{Nickname: name}); ok {
			l.sendSystemLine("You are " + now.Nickname + ".")
		}
	case text == "/who":
		l.sendSystemLine(present(lobby.Headcount(l.lobby.server.presence)))
	default:
		run(ctx, l, lobby.Say, lobby.SayInput{Text: text})
	}
}

// run runs a command of the lobby. If it fails, run sends the error to the client,
// or closes the connection.
func run[In, Out any](ctx context.Context, l *lobbyConn, command rooms.Command[In, Out], in In) (Out, bool) {
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

// refused sends an error to the client. If the error means that the client cannot
// or must not continue, refused closes the connection with it.
func (l *lobbyConn) refused(ctx context.Context, command string, err error) {
	switch e := l.lobby.server.refuse(ctx, command, err); e.Code {
	case rooms.CodeRateLimited, rooms.CodeUnauthenticated, rooms.CodeForbidden, rooms.CodeNotFound:
		l.conn.Close(closePolicy, e.Message)
	case rooms.CodeTooLarge:
		l.conn.Close(closeTooBig, e.Message)
	default:
		if command == lobby.Enter.Name {
			l.conn.Close(closePolicy, e.Message) // outside the lobby the connection has no use
			return
		}
		l.sendSystemLine(e.Message)
	}
}

// sendSystemLine sends a text of the server, marked with an asterisk.
func (l *lobbyConn) sendSystemLine(text string) { _ = l.conn.Send(edge.NewText("* " + text)) } // fails when closed

func present(count int) string {
	if count == 1 {
		return "Nobody else is here."
	}
	return strconv.Itoa(count) + " are here."
}

// Closed implements edge.PlainHandler.
func (l *lobbyConn) Closed() {
	l.mu.Lock()
	subscriptions, onClose := l.subscriptions, l.onClose
	l.subscriptions, l.onClose = nil, nil
	l.mu.Unlock()
	for room := range subscriptions {
		l.lobby.leave(room, l)
	}
	for _, f := range onClose {
		f()
	}
}

// Subscribe implements rooms.Subscriber.
func (l *lobbyConn) Subscribe(room rooms.RoomID, _ rooms.Seq) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.subscriptions == nil {
		return rooms.Unavailable(nil, "the connection is closed")
	}
	l.subscriptions[room] = true
	l.lobby.join(room, l)
	return nil
}

// Unsubscribe implements rooms.Subscriber.
func (l *lobbyConn) Unsubscribe(room rooms.RoomID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.subscriptions[room] {
		delete(l.subscriptions, room)
		l.lobby.leave(room, l)
	}
}

// SetViewing implements rooms.Subscriber. The lobby has no views.
func (l *lobbyConn) SetViewing(rooms.RoomID, bool) {}

// OnClose implements rooms.Subscriber.
func (l *lobbyConn) OnClose(f func()) {
	l.mu.Lock()
	open := l.subscriptions != nil
	if open {
		l.onClose = append(l.onClose, f)
	}
	l.mu.Unlock()
	if !open {
		f()
	}
}
