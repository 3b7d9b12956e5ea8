// Package realtime serves Wenzhen over Socket.IO: the commands of the catalogue
// on their namespaces, and the events and signals of the rooms to the sockets
// that have joined them.
//
// A command is an event with one object and an acknowledgement, which is
// {ok: true, data} or {ok: false, error}. The commands of one socket run one
// after the other, in the order in which they were sent; while one runs,
// nothing more is read from that connection.
//
// Package edge implements the transport.
package realtime
