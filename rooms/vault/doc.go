// Package vault encrypts what rests on disk: texts in the database and the
// files of attachments.
//
// It is envelope encryption. Values are encrypted with a data key (AES-256-GCM,
// NIST SP 800-38D). Data keys are kept in the database, each wrapped by a master
// key that is not: it comes with the configuration, or it never leaves a key
// management service and a command wraps and unwraps for us (Command). New
// values are encrypted with the newest data key; every encrypted value names the key
// that it was encrypted with, so that values of several keys, and values that were
// written before anything was encrypted, lie side by side.
//
// A value is bound to its place: the column and the row, or the hash of a
// file's content. Moved to another place it is refused, as it is when a bit of
// it was changed.
//
// A Vault that is off, because there is no master key and never was, stores
// everything as it is.
package vault
