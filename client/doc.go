// Package client is Wenzhen for Go programs: the same commands, events and
// errors as on the server, over Socket.IO and REST.
//
// A Client is one login of one person.
//
//	c, err := client.Login(ctx, "http://localhost:8080", "bo@wenzhen.example", "wenzhen-demo")
//	err = c.Connect(ctx)
//	defer c.Close(ctx)
//
// A command is asked over the socket with Call and over REST with Do. Both are
// typed by the command itself, and every error is an *rooms.Error:
//
//	msg, err := client.Call(ctx, c, chat.Send, chat.SendInput{…})
//	doctors, err := client.Do(ctx, c, account.Doctors, account.DoctorFilter{Q: "内科"})
//
// A consultation is heard by joining its room, a durable log. However often
// the connection breaks, every event comes exactly once and in order:
//
//	room, err := c.Join(ctx, id, 0)
//	for entry, err := range room.Events(ctx) { … }
//	msg, err := room.Send(ctx, chat.SendInput{Kind: chat.Text, Text: "hello"}) // resent until it is answered
//
// Signals (typing, presence, the queue), which are not stored, are received with
// On.
//
// # What runs
//
// A connected Client has one goroutine, which reads and, when the connection
// breaks, makes a new one after a growing, jittered pause. Others run only
// while there is something to do: one calls the handlers of On, one joins
// rooms anew after a reconnect, one refreshes the tokens. Close ends them all.
//
// # What is bounded
//
// A Room keeps up to 512 events that nobody has read; what comes then is left
// in the server's log and fetched once there is space. Handlers of On have a
// queue of 256; what comes while it is full is dropped, for a signal is worth
// nothing late. Commands have no queue: a Call waits in its caller's goroutine
// until its context ends.
package client
