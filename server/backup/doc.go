// Package backup reads and writes the archive of a whole server: a tar file
// (POSIX pax), compressed with gzip, that holds
//
//	wenzhen.db            a snapshot of the SQLite database
//	token.key, …          the secrets that were made in the data folder
//	attachments/<sha256>  the content of every attachment
//	manifest.json         last: the size and the SHA-256 of each of the above
//
// An archive without its manifest is incomplete and is refused. The package
// does not depend on what the files mean.
package backup
