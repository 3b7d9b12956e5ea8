// Package audit keeps the log of who did or saw what with medical records. The
// log only grows: each entry carries the SHA-256 of itself and of the entry
// before it, so that changing, removing or reordering any of them breaks the
// chain from there on.
//
// An entry is appended within the transaction of what it tells of: both are
// there or neither is. Append is all that other features need; Check follows a
// chain that someone has read, from the database or from an export.
package audit
