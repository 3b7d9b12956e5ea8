package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/rooms/operations"
	"wenzhen.example/server/realtime/edge"
)

// namespace handles the sockets of one Socket.IO namespace.
type namespace struct {
	server *Server
	name   string
	guests bool // a client may connect without a token
}

// Connect admits a client with a valid access token in auth.token, and joins the
// socket to the rooms of its user and its session. Where guests are allowed, a
// client without a token is a guest; one with an invalid token is refused.
func (n *namespace) Connect(ctx context.Context, socket *edge.Socket) error {
	ctx, end := n.begin(ctx, "connect")
	err := n.connect(ctx, socket)
	end.With(err)
	return err
}

// begin begins the span of a command.
func (n *namespace) begin(ctx context.Context, name string) (context.Context, rooms.EndSpan) {
	return n.server.cfg.Trace.Begin(ctx, rooms.Span{Kind: rooms.SpanRequest, System: "socket.io", Of: n.name, Name: name})
}

func (n *namespace) connect(ctx context.Context, socket *edge.Socket) error {
	s := n.server
	token := tokenIn(socket.Auth())
	if token == "" && n.guests {
		return n.admit(ctx, newConnection(s, socket, rooms.Actor{}, time.Time{}))
	} else if token == "" {
		return refusal{s.refuse(ctx, "connect", rooms.Unauthenticated("give the access token in auth.token"))}
	}
	actor, expires, err := s.accounts.Authenticate(ctx, token)
	if err != nil {
		return refusal{s.refuse(ctx, "connect", err)}
	}
	if autoCommands[n.name] == "" { // commands are limited by the catalogue
		if err := s.cfg.Limit(ctx, actor, "connect"); err != nil {
			return refusal{s.refuse(ctx, "connect", err)}
		}
	}
	user := string(rooms.UserRoom(actor.UserID))
	if s.presence.Devices(rooms.RoomID(user), actor.UserID) >= s.cfg.SocketsPerUser {
		err := rooms.RateLimited(5*time.Second, "at most %d connections per user", s.cfg.SocketsPerUser)
		return refusal{s.refuse(ctx, "connect", err)}
	}
	socket.Join(user, string(rooms.SessionRoom(actor.SessionID)))
	// After Join: if the session ends now, either Alive fails or the signal closes the socket.
	if err := s.accounts.Alive(ctx, actor, ""); err != nil {
		return refusal{s.refuse(ctx, "connect", err)}
	}
	if err := n.admit(ctx, newConnection(s, socket, actor, expires)); err != nil {
		return err
	}
	s.presence.Enter(rooms.RoomID(user), actor.UserID)
	return nil
}

// autoCommands are the commands that run when a client connects to a namespace,
// with its auth as their input.
var autoCommands = map[string]string{rooms.Lobby: lobby.Enter.Name, rooms.Admin: operations.Watch.Name}

// admit runs the command of autoCommands, if there is one.
func (n *namespace) admit(ctx context.Context, conn *connection) error {
	conn.socket.SetData(conn)
	command, ok := autoCommands[n.name]
	if !ok {
		return nil
	}
	actor, _ := conn.login()
	if _, err := n.server.catalogue.Answer(rooms.WithSubscriber(ctx, conn), actor, command, conn.socket.Auth()); err != nil {
		conn.leaveAll()
		return refusal{n.server.refuse(ctx, command, err)}
	}
	return nil
}

// refusal is an error of Connect; its data is the error object.
type refusal struct{ err *rooms.Error }

// Error implements error; it is the message of the connect_error.
func (r refusal) Error() string { return r.err.Message }

// Unwrap returns the error that the client receives.
func (r refusal) Unwrap() error { return r.err }

// ConnectErrorData is the data of the connect_error.
func (r refusal) ConnectErrorData() any { return r.err }

// errPanicked is the error of a command that panics. The edge counts and logs the
// panic, with its stack.
var errPanicked = errors.New("the command panicked")

// Event runs a command and answers it exactly once.
func (n *namespace) Event(ctx context.Context, socket *edge.Socket, name string, args []edge.Arg, ack *edge.Ack) {
	conn := socket.Data().(*connection)
	ctx, cancel := context.WithTimeout(ctx, n.server.cfg.CommandTimeout)
	defer cancel()
	began, known := n.server.cfg.Now(), n.known(name)
	ctx, end := n.begin(ctx, known)
	var data json.RawMessage
	err := errPanicked
	defer func() {
		code := n.reply(ctx, socket, name, ack, data, err)
		n.server.cfg.Observe(known, code, n.server.cfg.Now().Sub(began))
		end.With(err)
	}()
	data, err = n.answer(ctx, conn, name, args)
}

// reply sends the result of a command and returns the code of its error.
func (n *namespace) reply(
	ctx context.Context, socket *edge.Socket, name string, ack *edge.Ack, data json.RawMessage, err error,
) (code rooms.Code) {
	if err != nil {
		e := n.server.refuse(ctx, name, err)
		code = e.Code
		if ack == nil {
			err = socket.Emit("error", e)
		} else {
			err = ack.Reply(failed{Error: e})
		}
	} else if ack != nil {
		err = ack.Reply(success(data))
	}
	if err != nil {
		n.server.cfg.Log.Error("answer", "command", name, "error", err)
	}
	return code
}

// known returns the name of a command, or "unknown" if there is none: clients may
// send any name.
func (n *namespace) known(name string) string {
	if command, ok := n.server.catalogue.Command(name); name == refreshCommand || ok && command.Namespace == n.name {
		return name
	}
	return "unknown"
}

func (n *namespace) answer(ctx context.Context, conn *connection, name string, args []edge.Arg) (json.RawMessage, error) {
	var in json.RawMessage
	switch {
	case len(args) > 1:
		return nil, rooms.Invalid("", "a command takes one object")
	case len(args) == 1 && len(args[0].Attachments) > 0:
		return nil, rooms.Invalid("", "a command takes no binary data; upload files over REST")
	case len(args) == 1:
		in = args[0].JSON
	}
	actor, expires := conn.login()
	if name == refreshCommand {
		return n.server.refresh(ctx, conn, in)
	}
	if !actor.Guest() && !n.server.cfg.Now().Before(expires) {
		return nil, rooms.Unauthenticated("the access token has expired; send auth:refresh with a new one")
	}
	command, ok := n.server.catalogue.Command(name)
	if !ok || command.Namespace != n.name {
		return nil, rooms.Invalid("", "there is no command %q here", name)
	}
	return n.server.catalogue.Answer(rooms.WithSubscriber(ctx, conn), actor, name, in)
}

// Disconnect removes the socket from the presence of its rooms.
func (n *namespace) Disconnect(socket *edge.Socket, _ string) {
	if conn, ok := socket.Data().(*connection); ok {
		conn.leaveAll()
		if actor, _ := conn.login(); !actor.Guest() {
			n.server.presence.Leave(rooms.UserRoom(actor.UserID), actor.UserID)
		}
	}
}
