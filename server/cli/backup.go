package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/rooms/vault"
	"wenzhen.example/server"
	"wenzhen.example/server/backup"
	"wenzhen.example/server/blob"
	"wenzhen.example/server/database"
	"wenzhen.example/server/datafolder"
	"wenzhen.example/server/process"
)

// Backup writes an archive of a data folder – database, attachments, secrets –
// to w, whether or not a server runs on it. The archive is consistent: it has
// all that was answered before the call, no half of anything, and every
// attachment that its database names, for an attachment is on disk before its
// row is committed and is never changed. What is missing or damaged on disk is
// left out and listed in the manifest's Problems. What is encrypted is so in the
// archive too, and the master key is not in it; without the key attachments are
// saved unexamined.
//
// PostgreSQL has tools of its own (docs/operations.md) and is refused.
func Backup(ctx context.Context, at Place, w io.Writer) (m backup.Manifest, err error) {
	if at.Database != database.SQLite {
		return m, errors.New("backup is for SQLite; a PostgreSQL database is saved by pg_dump, and then the folder of the attachments (docs/operations.md)")
	}
	file, folder := filepath.Join(at.Data, datafolder.DatabaseFile), filepath.Join(at.Data, datafolder.AttachmentsFolder)
	if _, err := os.Stat(file); err != nil {
		return m, fmt.Errorf("backup: no database: %w", err)
	}
	scratch, err := os.MkdirTemp(at.Data, ".backup-*") // mode 0700, on a disk that has room for the database
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	m = backup.Manifest{Version: server.Version, At: database.Now()}
	if err := database.EnterLater(at.Data, audit.BackupMade, m.At); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	snapshot := filepath.Join(scratch, backup.Database)
	if err := engine.Snapshot(ctx, file, snapshot); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	contents, err := engine.Inspect(ctx, snapshot)
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	master, err := database.MasterKey(at.EncryptionKey, at.EncryptionCommand)
	if err != nil {
		return m, err
	}
	unlocked, err := engine.Unlock(ctx, snapshot, master)
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	files, err := blob.Open(folder, unlocked)
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	archive := backup.NewWriter(w)
	if err := addFile(ctx, archive, backup.Database, snapshot); err != nil {
		return m, err
	}
	if m.Problems, err = addSecrets(archive, datafolder.Secrets{Dir: at.Data, Vault: unlocked}, contents.Encrypted); err != nil {
		return m, err
	}
	for _, sum := range contents.Attachments {
		if err := files.Check(ctx, sum); ctx.Err() != nil {
			return m, fmt.Errorf("backup: %w", ctx.Err())
		} else if err != nil {
			m.Problems = append(m.Problems, fmt.Sprintf("attachment %s: %v", sum, err))
			continue
		}
		if err := addFile(ctx, archive, backup.Attachment(sum), filepath.Join(folder, blob.Path(sum))); err != nil {
			return m, err
		}
	}
	return archive.Close(m)
}

// addSecrets adds the keys that Wenzhen made, and no other: neither the master
// key nor the key of a certificate must lie with the data. Where the database is
// encrypted they are, too, or are left out, which the problems tell.
func addSecrets(to *backup.Writer, from datafolder.Secrets, encrypted bool) (problems []string, err error) {
	for _, name := range datafolder.SecretFiles {
		stored, err := from.Read(name)
		if err != nil {
			return nil, fmt.Errorf("backup: %w", err)
		}
		switch {
		case stored == "":
			continue
		case encrypted && !vault.IsEncrypted(stored) && !from.Vault.On():
			problems = append(problems, name+": it is not encrypted yet, as the database is; start the server once, or give the encryption key")
			continue
		case encrypted && !vault.IsEncrypted(stored):
			stored = from.Encrypted(name, stored)
		}
		content := stored + "\n"
		if err := to.Add(name, int64(len(content)), strings.NewReader(content)); err != nil {
			return nil, err
		}
	}
	return problems, nil
}

// addFile adds a file to an archive.
func addFile(ctx context.Context, to *backup.Writer, name, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return to.Add(name, info.Size(), blob.Reader(ctx, file))
}

// Restore unpacks an archive into the data folder, which must be empty or not
// be there. Everything is checked first – each file against the manifest, the
// database's pages, references and logs, that each attachment is there – in a
// folder beside it, which takes the place of data at the end: there is a whole
// data folder or none.
//
// All logins end, unless keepLogins: the token key is left out, so that the
// server makes another, for a stolen archive may have had it; and sessions that
// were ended after the archive was made would live again.
func Restore(ctx context.Context, from io.Reader, data string, keepLogins bool) (m backup.Manifest, err error) {
	if list, err := os.ReadDir(data); err == nil && len(list) > 0 {
		return m, fmt.Errorf("restore: %s is not empty; restore into a new folder", data)
	}
	data = filepath.Clean(data)
	if err := os.MkdirAll(filepath.Dir(data), 0o700); err != nil {
		return m, fmt.Errorf("restore: %w", err)
	}
	work, err := os.MkdirTemp(filepath.Dir(data), "."+filepath.Base(data)+".restoring-*")
	if err != nil {
		return m, fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }() // gone already when all went well
	if m, err = unpack(ctx, from, work, keepLogins); err != nil {
		return m, fmt.Errorf("restore: %w", err)
	}
	if err := database.EnterLater(work, audit.BackupRestored, database.Now()); err != nil {
		return m, fmt.Errorf("restore: %w", err)
	}
	if err := os.Remove(data); err != nil && !errors.Is(err, os.ErrNotExist) {
		return m, fmt.Errorf("restore: %w", err)
	}
	if err := os.Rename(work, data); err != nil {
		return m, fmt.Errorf("restore: %w", err)
	}
	return m, datafolder.Sync(filepath.Dir(data))
}

// unpack makes a data folder of an archive and checks it.
func unpack(ctx context.Context, from io.Reader, dir string, keepLogins bool) (m backup.Manifest, err error) {
	blobs, err := database.Attachments(dir, vault.New(nil))
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, blobs.Close()) }()
	have := map[string]bool{}
	m, err = backup.Read(blob.Reader(ctx, from), func(name string, size int64, content io.Reader) error {
		if err := fits(dir, name, size); err != nil {
			return err
		}
		sum, isAttachment := strings.CutPrefix(name, backup.Attachment(""))
		if name == datafolder.TokenKeyFile && !keepLogins {
			_, err := io.Copy(io.Discard, content)
			return err
		}
		if !isAttachment {
			return writeFile(filepath.Join(dir, name), content)
		}
		have[sum] = true
		return blobs.Import(ctx, sum, content)
	})
	if err != nil {
		return m, err
	}
	file := filepath.Join(dir, backup.Database)
	contents, err := engine.Inspect(ctx, file)
	if err != nil {
		return m, err
	}
	if !keepLogins {
		if err := engine.EndSessions(ctx, file, database.Now()); err != nil {
			return m, err
		}
	}
	for _, problem := range m.Problems {
		for _, sum := range sums.FindAllString(problem, -1) {
			have[sum] = true // as far as could be
		}
	}
	for _, sum := range contents.Attachments {
		if !have[sum] {
			return m, fmt.Errorf("the archive is damaged: attachment %s is missing", sum)
		}
	}
	return m, datafolder.Sync(dir)
}

var sums = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// spare is the room that a restore leaves on its disk, for what else is on it.
const spare = 64 << 20

// fits returns an error if a file would fill the disk of the folder.
func fits(dir, name string, size int64) error {
	free, err := process.FreeBytes(dir)
	if err != nil { // not known on this system: the disk's own error comes later
		return nil
	}
	if uint64(size) > free || free-uint64(size) < spare {
		return fmt.Errorf("%s has %d bytes, for which the disk of %s has no room: %d are free, and %d stay so", name, size, filepath.Dir(dir), free, spare)
	}
	return nil
}

// writeFile makes a file, for the owner's eyes, that is on disk when it returns.
func writeFile(path string, content io.Reader) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
