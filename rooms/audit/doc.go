// Package audit keeps the log of who did or saw what with medical records. The
// log only grows: each entry carries the SHA-256 of itself and of the entry
// before it, so that changing, removing or reordering any of them breaks the
// chain from there on.
//
// The end of the log is signed by a key that is not in the database, so that
// somebody who can only write the database cannot make a new chain. Append
// checks that signature first: it never signs a chain that something else has
// made, but marks the log as broken from then on.
//
// An entry about a change is appended within the change's transaction: both are
// there or neither is. Append is all that other features need. Who read what is
// entered by Reads. Check verifies a chain that was read from the database or
// from an export.
package audit
