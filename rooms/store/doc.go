// Package store opens the database with what all features keep in it. Each
// feature has a package of its own beside it, around the transactions, queries
// and encrypted columns of rooms/store/engine.
//
// # Writing a feature's store
//
//   - A function given to InTx may run several times, of which only the last
//     counts, and it may run after its caller has left because the deadline was
//     over. It shares nothing with its caller: its results are what it returns,
//     by rooms.InTx, and they are the caller's once the transaction has ended.
//     It assigns no variable of the function around it, takes no address of one,
//     sends on no channel, and uses no context: statements run under the
//     transaction's own. What it reads from around it stays as it is. A caller
//     whose deadline passes first gets rooms.Unknown. A test looks for functions
//     that break this (transactions_test.go). Signals go by SignalType.After.
//   - A statement after whose failure the function goes on, because a
//     constraint refused it, runs by TryExec.
//   - What patients and doctors say or show is written by engine.Encrypt and read
//     by engine.DecryptColumn, and its column is in the feature's Encrypted: it is
//     encrypted at rest. No condition looks into such a column, but for
//     whether it is empty.
//   - No functions that only one database has; sums need CAST (… AS BIGINT);
//     times and booleans are BIGINT or INTEGER columns; what follows the log of
//     all rooms reads it with LogAfter, never by events.pos, and runs under Alone.
//
// A migration is described in rooms/store/engine. Run the feature's tests on
// both databases:
//
//	go test ./rooms/chat && WENZHEN_TEST_DATABASE=postgres go test ./rooms/chat
package store
