package engine

import (
	"errors"
	"maps"
	"testing"
	"time"

	"wenzhen.example/rooms"
)

func aNode(id, seal string, more map[string]string) Node {
	shared := map[string]string{"--policy": "china", "--seal-key": "key " + seal}
	maps.Copy(shared, more)
	return Node{ID: id, Name: "node " + id, Shared: shared, Keys: []ServerKey{
		{Kind: SealKey, ID: seal, Public: "public " + seal}, {Kind: AccountKey, ID: "account"}}}
}

// Nodes have the same keys and settings, or do not join; one that has ended
// stands in nobody's way.
func TestNodesAreAlike(t *testing.T) {
	both(t, func(t *testing.T, opts Options) {
		db, _, _ := open(t, opts)
		ctx := t.Context()
		must(t, db.Join(ctx, aNode("a", "1", nil), false))
		must(t, db.Join(ctx, aNode("b", "1", map[string]string{"--new-in-this-version": "x"}), false))
		for name, n := range map[string]Node{
			"--policy":   aNode("c", "1", map[string]string{"--policy": "none"}),
			"--seal-key": aNode("c", "2", nil),
		} {
			var unlike *Unlike
			if err := db.Join(ctx, n, false); !errors.As(err, &unlike) || unlike.Setting != name || unlike.Here != n.Shared[name] {
				t.Fatalf("a node with another %s: %v", name, err)
			}
			if runs, err := db.Running(ctx, unlike); err != nil || runs {
				t.Errorf("a node that says nothing runs: %v, %v", runs, err)
			}
			must(t, db.Beat(ctx, aNode("a", "1", nil)))
			if runs, err := db.Running(ctx, unlike); err != nil || !runs {
				t.Errorf("a node that beats does not run: %v, %v", runs, err)
			}
			must(t, db.Gone(ctx, unlike)) // it is not
			if err := db.Join(ctx, n, false); !errors.As(err, &unlike) {
				t.Errorf("a node with another %s joins one that runs: %v", name, err)
			}
		}
		must(t, db.ForgetNode(ctx, "a"))
		must(t, db.ForgetNode(ctx, "b"))
		must(t, db.Join(ctx, aNode("c", "2", map[string]string{"--policy": "none"}), false))
		must(t, db.Join(ctx, aNode("d", "1", nil), true))
		keys, err := db.ServerKeys(ctx, SealKey)
		if err != nil || len(keys) != 2 || keys[1].ID != "1" || keys[0].RetiredAt == nil || keys[1].RetiredAt != nil || keys[0].Public != "public 2" {
			t.Errorf("the keys are %+v, %v", keys, err)
		}
	})
}

// A key with which something was made is not replaced by another unless that is
// asked for, and its public half is kept.
func TestMissingKeysAreReported(t *testing.T) {
	both(t, func(t *testing.T, opts Options) {
		db, _, _ := open(t, opts)
		ctx := t.Context()
		must(t, db.NeedsKey(ctx, SealKey))
		must(t, db.write.InTx(ctx, func(tx *Tx) error {
			return FirstOf(
				aUser(tx, "u"),
				tx.Exec(`INSERT INTO totp (user_id, secret, confirmed_at, last_step) VALUES ('u', $1, 1, 0)`, []byte{1}))
		}))
		var lost *KeyLost
		if err := db.NeedsKey(ctx, AccountKey); !errors.As(err, &lost) || lost.Want != "" {
			t.Fatalf("a new account key beside a second factor, before fingerprints: %v", err)
		}
		n := aNode("a", "1", nil)
		must(t, db.Join(ctx, n, true))
		n.Keys[1].ID = "another"
		if err := db.Join(ctx, n, true); !errors.As(err, &lost) || lost.Kind != AccountKey || lost.Want != "account" {
			t.Fatalf("another account key: %v", err)
		}
		n.Renew = []string{SealKey}
		if err := db.Join(ctx, n, true); !errors.As(err, &lost) {
			t.Fatalf("another account key where a seal key may be another: %v", err)
		}
		n.Renew = []string{AccountKey}
		must(t, db.Join(ctx, n, true))
		keys, err := db.ServerKeys(ctx, AccountKey)
		if err != nil || len(keys) != 2 || keys[1].ID != "another" || keys[1].Since.After(time.Now()) {
			t.Errorf("the keys are %+v, %v", keys, err)
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// aUser adds a user.
func aUser(tx *Tx, id rooms.UserID) error {
	return tx.Exec(`INSERT INTO users (id, role, name, email, password_hash, locale, time_zone, created_at) VALUES ($1, 'doctor', 'wang', $2, '', 'en', 'UTC', $3)`,
		id, string(id)+"@example.org", Micros(time.Now()))
}
