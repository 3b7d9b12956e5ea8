package store

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/roomstest/sidecar"
	chatstore "wenzhen.example/rooms/store/chat"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/rooms/vault"
)

// clearColumns are the columns of texts that are not encrypted, with the reason;
// a name that begins with a dot is that of a column in any table.
var clearColumns = map[string][]string{
	"an id, or a name from the program (kind, status, role …)": {
		".id", ".user_id", ".doctor_id", ".patient_id", ".consultation_id", ".attachment_id", ".document_id", ".sender_id",
		".uploader_id", ".author_id", ".invited_by",
		".actor_id", ".caller_id", ".by_id", ".signed_by", ".client_id", ".call_id", ".device_id", ".session_id", ".notification_id",
		".subscription_id",
		".order_id", ".payment_id", ".transaction_id", ".admin_id", ".event_id", ".reply_to", ".root", ".supersedes", ".room", ".holder",
		".key_id",
		".kind", ".status", ".role", ".by_role", ".service", ".medium", ".media", ".ended_by", ".currency", ".gateway", ".channel",
		".state", ".method",
		"log.name", "log.message", "audit.action", "audit.subject", "audit.outcome", "audit_head.name", "cursors.name", "tickets.kind", "timers.subject",
		"refunds.reason", "consultations.refund", "appointments.offer", "waits.offer", "notifications.topic", "notifications.subject",
		"server_keys.public",
		"unpublished.namespace", "unpublished.also", "unpublished.lost",
		"sealed_columns.name", "nodes.name", "nodes.shared", "reconciliations.day",
	},
	"who someone is: it is searched, sorted and logged in with": {
		".doctor_name", ".patient_name", ".by_name", "participants.name", "call_members.name", "users.name", "users.email", "demo_accounts.email",
		"identities.email", "patients.name",
		"former_participants.name", "doctors.checked_name", "patients.birth_date", "patients.sex", "patients.relation",
		"identities.issuer", "identities.provider", "identities.subject",
		"provider_sessions.issuer", "provider_sessions.provider", "provider_sessions.subject", "provider_sessions.sid",
	},
	"a number in a public register": {"doctors.licence", "doctors.checked_licence"},
	"what anybody may read": {
		"doctors.title", "doctors.checked_title", "doctors.checked_department", "doctors.department", "doctors.bio", "doctors.languages",
		"doctors.services", "schedules.rules", "lobby_lines.nickname", "lobby_lines.text",
		"icd10.code", "icd10.zh", "icd10.en", "drugs.line",
	},
	"a preference, a place or a device": {
		".time_zone", "users.locale", "notification_preferences.preferences", "sessions.user_agent", ".address", "passkeys.name",
		"push_subscriptions.endpoint", "push_subscriptions.p256dh", "push_subscriptions.auth",
	},
	"a hash, a seal or a link of a chain, which must be verifiable without the key": {
		".sha256", ".seal", ".thumbnail_sha256", "audit.detail", "audit.previous", "audit_head.signature", "document_states.state", "recovery_codes.hash", "refresh_tokens.hash",
	},
	"a secret that is hashed or sealed with a key that is not in the database": {
		"users.password_hash", "totp.secret", "provider_sessions.id_token", "tickets.data", "data_keys.wrapped", "passkeys.credential", "attempts.subject",
	},
	"half of the address of a calendar feed; the other half is made with the account key": {"users.calendar_token"},
	"what a payment gateway or a mail server said, in its codes": {
		"payments.reference", "payments.remote", "payments.redirect_url", "payments.qr_code", "payments.client_secret", "refunds.remote",
		"refunds.last_error",
		"reconciliations.differences", "sandbox_payments.reference", "deliveries.note",
	},
	"the type of a file": {"attachments.content_type"},
}

// Every column that holds texts is encrypted, or has a reason why it is not. A
// new one belongs into a list of sealed tables if it has what people say.
func TestTextsAreEncryptedOrHaveAReason(t *testing.T) {
	t.Parallel()
	db := opened(t, engine.Options{Path: t.TempDir() + "/test.db", Synchronous: "OFF"})
	columns, err := engine.Collect(t.Context(), db.Reads(), func(s engine.Scanner) (string, error) {
		var table, column string
		err := s.Scan(&table, &column)
		return table + "." + column, err
	}, `SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose_%' AND m.name NOT LIKE 'message_words%' AND p.type NOT IN ('INTEGER', 'REAL')`)
	if err != nil || len(columns) < 200 {
		t.Fatalf("%d columns, %v", len(columns), err)
	}
	clear := map[string]bool{}
	for _, names := range clearColumns {
		for _, name := range names {
			clear[name] = true
		}
	}
	for _, column := range columns {
		_, name, _ := strings.Cut(column, ".")
		encrypted, listed := columnsOf(encrypted)[column] || column == "log.data" || column == "log.recalled", clear[column] || clear["."+name]
		if encrypted == listed {
			t.Errorf("%s: sealed %v, listed as clear %v", column, encrypted, listed)
		}
	}
	for name := range clear {
		if !strings.HasPrefix(name, ".") && !slices.Contains(columns, name) {
			t.Errorf("%s is in the list and not in the database", name)
		}
	}
}

// Once everything is encrypted, a text that is not is refused and never shown,
// nor encrypted with the rest as if it were ours. Until then it is what was there
// before.
func TestUnencryptedTextIsRefused(t *testing.T) {
	both(t, func(t *testing.T, opts engine.Options) {
		var err error
		opts.Master, err = vault.FromSecret("a master key of 32 characters for tests")
		must(t, err)
		opts.Now, opts.Log = time.Now, slog.New(slog.DiscardHandler)
		db, err := Open(context.Background(), opts, nil)
		must(t, err)
		ctx := t.Context()
		chats := chatstore.Store{DB: db}
		plain := func(text string) {
			t.Helper()
			must(t, db.InTx(ctx, func(tx *engine.Tx) error {
				return tx.Exec(`UPDATE quick_replies SET replies = $1`, `[{"id":"a","text":"`+text+`"}]`)
			}))
		}
		must(t, db.InTx(ctx, func(tx *engine.Tx) error {
			return engine.FirstOf(aUser(tx, "u"), chatstore.In(tx).SaveQuickReplies("u", []chat.QuickReply{{ID: "a", Text: "rest and drink"}}))
		}))
		plain("from before")
		if list, err := chats.QuickReplies(ctx, "u"); err != nil || len(list) != 1 || list[0].Text != "from before" {
			t.Errorf("before everything is encrypted: %+v, %v", list, err)
		}
		cover := func() {
			t.Helper()
			for n := 1; n > 0; {
				n, err = db.Reencrypt(ctx)
				must(t, err)
			}
			id, err := db.Wanting(ctx)
			must(t, err)
			must(t, db.Covered(ctx, id))
			if id, err := db.Wanting(ctx); err != nil || id != "" {
				t.Errorf("everything is encrypted, and %q wants more, %v", id, err)
			}
		}
		cover()
		if list, err := chats.QuickReplies(ctx, "u"); err != nil || len(list) != 1 || list[0].Text != "from before" {
			t.Errorf("once everything is encrypted: %+v, %v", list, err)
		}
		refused := func(when string) {
			t.Helper()
			if list, err := chats.QuickReplies(ctx, "u"); err == nil || len(list) > 0 || !strings.Contains(err.Error(), "quick_replies.replies/u: what is stored is not encrypted") {
				t.Errorf("%s: %+v, %v", when, list, err)
			}
		}
		plain("put there by someone")
		refused("at once")
		_, err = db.RotateKey(ctx)
		must(t, err)
		cover()
		refused("after everything was encrypted anew")
		must(t, db.Close())
		again, err := Open(context.Background(), opts, nil)
		must(t, err)
		t.Cleanup(func() { _ = again.Close() })
		chats = chatstore.Store{DB: again}
		refused("after a restart")
		must(t, again.InTx(ctx, func(tx *engine.Tx) error { return tx.Exec(`UPDATE quick_replies SET replies = ''`) }))
	})
}

// A column that a newer version seals is sealed although the data key had
// covered everything, and only then is plain text in it refused.
func TestNewEncryptedColumnIsCovered(t *testing.T) {
	both(t, func(t *testing.T, opts engine.Options) {
		var err error
		opts.Master, err = vault.FromSecret("a master key of 32 characters for tests")
		must(t, err)
		db := opened(t, opts)
		id, err := db.Wanting(t.Context())
		must(t, err)
		must(t, db.Covered(t.Context(), id))
		must(t, db.InTx(t.Context(), func(tx *engine.Tx) error { return tx.Exec(`DELETE FROM sealed_columns WHERE name = 'audit.reason'`) }))
		if again, err := db.Wanting(t.Context()); err != nil || again != id {
			t.Errorf("%q wants to be covered, %v; it is %q", again, err, id)
		}
	})
}

// columnsOf are the columns of tables, as table.column.
func columnsOf(tables []engine.EncryptedTable) map[string]bool {
	all := map[string]bool{}
	for _, t := range tables {
		for _, c := range t.Columns {
			all[t.Name+"."+c] = true
		}
	}
	return all
}

// both runs a test on either database.
func both(t *testing.T, test func(t *testing.T, opts engine.Options)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, engine.Options{Path: filepath.Join(t.TempDir(), "test.db"), Synchronous: "OFF"})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, engine.Options{URL: postgresURL(t)})
	})
}

// postgresURL is a database of the test's own.
func postgresURL(t *testing.T) string {
	return sidecar.Postgres(t).Database(t, func(ctx context.Context, url string) error { return engine.Migrate(ctx, engine.Options{URL: url}) })
}

func opened(t *testing.T, opts engine.Options) *engine.DB {
	t.Helper()
	opts.Now, opts.Log = time.Now, slog.New(slog.DiscardHandler)
	db, err := Open(t.Context(), opts, nil)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// aUser adds a user.
func aUser(tx *engine.Tx, id rooms.UserID) error {
	return tx.Exec(`INSERT INTO users (id, role, name, email, password_hash, locale, time_zone, created_at) VALUES ($1, 'doctor', 'wang', $2, '', 'en', 'UTC', $3)`,
		id, string(id)+"@example.org", engine.Micros(time.Now()))
}
