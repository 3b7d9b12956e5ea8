// Package store remembers what the features of Wenzhen write, in SQLite.
//
// All writes go through one writer, which runs the functions that wait for it
// one after the other in a single transaction, each behind a savepoint of its
// own, and commits them together (group commit): one sync to disk for as many
// commands as came in meanwhile. A function that fails is rolled back alone.
// After the commit the events are handed to the hub, in order, and then the
// callers learn that they are done.
//
// Reads use connections of their own and never wait for the writer (WAL).
//
// SQL is written once, with $1 parameters, for SQLite and for what comes
// beside it; what only one database understands is in sqlite.go, search.go
// and migrations/sqlite.
package store
