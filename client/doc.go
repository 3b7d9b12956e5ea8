// Package client is a client of Wenzhen: it has the commands, events and errors of
// the server, over Socket.IO and REST.
//
// A Client is one login of one user.
//
//	c, err := client.Login(ctx, "http://localhost:8080", "bo@wenzhen.example", "wenzhen-demo")
//	err = c.Connect(ctx)
//	defer c.Close(ctx)
//
// Call sends a command over the socket, Do over REST. The command determines the
// types of input and output, and every error is an *rooms.Error:
//
//	msg, err := client.Call(ctx, c, chat.Send, chat.SendInput{…})
//	doctors, err := client.Do(ctx, c, account.Doctors, account.DoctorFilter{Q: "内科"})
//
// Join subscribes to a consultation's room, a durable log. Every event is delivered
// exactly once and in order, also when the connection breaks:
//
//	room, err := c.Join(ctx, id, 0)
//	for entry, err := range room.Events(ctx) { … }
//	msg, err := room.Send(ctx, chat.SendInput{Kind: chat.Text, Text: "hello"}) // sent again until it is answered
//
// Signals (typing, presence, the queue), which are not stored, are received with
// On.
//
// # Goroutines
//
// A connected Client has one goroutine, which reads and, when the connection
// breaks, opens a new one after a growing, jittered pause. Others run only when
// needed: one calls the handlers of On, one joins the rooms again after a
// reconnect, one refreshes the tokens. Close ends them all.
//
// # Limits
//
// A Room buffers up to 512 unread events; further ones are fetched from the
// server's log once there is space. Handlers of On have a queue of 256; signals are
// dropped while it is full, because they are useless when late. Commands have no
// queue: a Call waits in its caller's goroutine until its context ends.
package client
