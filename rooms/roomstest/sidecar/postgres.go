package sidecar

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// Cluster is a PostgreSQL server.
type Cluster struct {
	*Program
	Port int

	made     atomic.Int64
	template sync.Once
	failed   error
}

// FromEnvironment reports whether the tests that can run on either database
// should run on PostgreSQL: WENZHEN_TEST_DATABASE is "postgres".
func FromEnvironment() bool { return os.Getenv("WENZHEN_TEST_DATABASE") == "postgres" }

var shared = sync.OnceValues(func() (*Cluster, error) {
	c, _, err := startPostgres("", "")
	return c, err
})

// Postgres is the PostgreSQL server of this test process, started when it is
// first asked for.
func Postgres(t testing.TB) *Cluster {
	t.Helper()
	c, err := shared()
	must(t, err)
	return c
}

// PostgresWith starts a PostgreSQL server for a test alone, with the certificate
// that a script of a shell makes in a folder, and with more arguments. What the
// script and the arguments call folder is a temporary one, which is returned.
func PostgresWith(t testing.TB, folder, script string, args ...string) (*Cluster, string) {
	t.Helper()
	c, made, err := startPostgres(folder, script, args...)
	must(t, err)
	t.Cleanup(c.Stop)
	return c, made
}

// Database makes a database that was migrated by migrate and is empty
// otherwise, and returns its URL. All databases of a cluster are copies of one
// that was migrated once. With the cluster it goes.
func (c *Cluster) Database(t testing.TB, migrate func(ctx context.Context, url string) error) string {
	t.Helper()
	c.template.Do(func() {
		if c.failed = c.create("template_wenzhen", "template0"); c.failed == nil {
			c.failed = migrate(t.Context(), c.URL("template_wenzhen"))
		}
	})
	must(t, c.failed)
	name := "test_" + strconv.FormatInt(c.made.Add(1), 10)
	must(t, c.create(name, "template_wenzhen"))
	return c.URL(name)
}

// Empty makes a database without tables, and returns its URL.
func (c *Cluster) Empty(t testing.TB) string {
	t.Helper()
	name := "empty_" + strconv.FormatInt(c.made.Add(1), 10)
	must(t, c.create(name, "template0"))
	return c.URL(name)
}

// URL is that of one of the cluster's databases.
func (c *Cluster) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", c.Port, database)
}

func (c *Cluster) create(name, template string) error {
	createdb, err := binary("createdb", postgresFolders)
	if err != nil {
		return err
	}
	// Copied as files it is there sooner than through the log (PostgreSQL 15).
	out, err := exec.Command(createdb, "-h", "127.0.0.1", "-p", strconv.Itoa(c.Port), "-U", "postgres", "-T", template, "-S", "file_copy", name).CombinedOutput()
	if err != nil {
		return fmt.Errorf("createdb %s: %w: %s", name, err, out)
	}
	return nil
}

// postgresFolders are where Debian keeps the versions of PostgreSQL.
const postgresFolders = "/usr/lib/postgresql/*/bin"

// inMemory is a folder whose files are in memory, where it has room for the
// databases of a package; otherwise "", the folder for temporary files. Each
// database is hundreds of files, and making them takes a disk's file system
// longer than the tests take.
func inMemory() string {
	const folder, room = "/dev/shm", 4 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(folder, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < room {
		return ""
	}
	return folder
}

// startPostgres makes a cluster that forgets everything in a crash of the
// machine, and is the quicker for it. A script, if there is one, is run first,
// in a folder beside the data that replaces the one it names, as in args.
func startPostgres(folder, script string, args ...string) (*Cluster, string, error) {
	as, err := unprivileged()
	if err != nil {
		return nil, "", err
	}
	dir, err := folderIn(inMemory(), "postgres", as)
	if err != nil {
		return nil, "", err
	}
	if script != "" {
		if out, err := run(as, dir, "/bin/sh", "-ec", strings.ReplaceAll(script, folder, dir)); err != nil {
			return nil, dir, fmt.Errorf("%s: %w: %s", script, err, out)
		}
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], folder, dir)
		}
	}
	c, err := startIn(dir, as, args)
	return c, dir, err
}

func startIn(dir string, as *syscall.Credential, args []string) (*Cluster, error) {
	initdb, err := binary("initdb", postgresFolders)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	made, err := run(as, dir, initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, made)
	}
	c := &Cluster{}
	if c.Port, err = FreePort(); err != nil {
		return nil, err
	}
	server, err := binary("postgres", postgresFolders)
	if err != nil {
		return nil, err
	}
	args = append([]string{server, "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(c.Port), "-k", dir,
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=600", "-c", "shared_buffers=64MB", "-c", "autovacuum=off"}, args...)
	c.Program, err = start(dir, "QUIT", filepath.Join(dir, "log"), as, args...)
	if err != nil {
		return nil, err
	}
	ready, err := binary("pg_isready", postgresFolders)
	if err != nil {
		return nil, err
	}
	return c, await("PostgreSQL", c.Program, func() error {
		return exec.Command(ready, "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(c.Port), "-U", "postgres").Run()
	})
}
