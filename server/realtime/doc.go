// Package realtime is Wenzhen on Socket.IO: it offers the commands of the
// catalogue on their namespaces and carries the rooms' events and signals to
// whoever listens.
//
// A command is one object and an acknowledgement, which carries
// {ok: true, data} or {ok: false, error}. The commands of one socket run one
// after the other, in the order in which they were sent; while one runs,
// nothing more is read from that connection.
//
// How packets travel is the business of package edge.
package realtime
