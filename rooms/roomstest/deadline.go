package roomstest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/board"
	"wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
	sandboxstore "wenzhen.example/rooms/store/sandbox"
)

// Stage is when a command's deadline passes in its transaction.
type Stage string

// The stages.
const (
	BeforeItRuns   Stage = "before"
	WhileItRuns    Stage = "while"
	WhileItCommits Stage = "commit"
)

// Late has the deadline of every command pass in a transaction of it. The
// command must then fail as one whose outcome is unknown; it is asked again, in
// time, and that is its answer. What commits late although nobody waits for it
// are commands with an id of the client's, which may be sent again; other
// transactions are undone, so that a test's story goes on as without all this.
//
// The variable WENZHEN_TEST_DEADLINES does the same to all tests of a feature.
func Late(stage Stage) func(*World) { return func(w *World) { w.late = stage } }

// errUndone ends a transaction that nobody waits for.
var errUndone = errors.New("undone: its caller has left")

// sentAgain are the fields by which a command is recognised that is sent again.
var sentAgain = map[string]string{
	consultation.Open.Name: "id", schedule.Book.Name: "id", billing.Checkout.Name: "id", billing.RefundOrder.Name: "id",
	chat.Send.Name: "clientId", board.Commit.Name: "id", call.Invite.Name: "callId", account.Refresh.Name: "refreshToken",
	record.DraftDiagnosis.Name: "id", record.AmendDiagnosis.Name: "id", record.DraftPrescription.Name: "id", record.AmendPrescription.Name: "id",
}

// inSteps are commands of several transactions that may be sent again after any
// of them. Their deadline passes in each, one after the other; that of other
// commands passes in the first, before which nothing was done.
var inSteps = []string{chat.Send.Name, billing.Checkout.Name, account.LogIn.Name, account.Confirm.Name, account.ChangePassword.Name}

// Interrupted are the commands whose deadline passed in a transaction, with how
// many of a command's transactions that were.
func (w *World) Interrupted() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.interrupted)
}

// answer asks for a command as the world's settings want it.
func (w *World) answer(ctx context.Context, actor rooms.Actor, name string, raw json.RawMessage) (json.RawMessage, error) {
	w.T.Helper()
	if w.late == "" || rooms.UploadOf(ctx) != nil { // an upload is read once
		return w.Catalogue.Answer(ctx, actor, name, raw)
	}
	for step := range 9 {
		answer, interrupted, err := w.answerLate(ctx, actor, name, raw, step)
		if !interrupted {
			return answer, err
		}
		if !slices.Contains(inSteps, name) {
			break
		}
	}
	return w.Catalogue.Answer(ctx, actor, name, raw)
}

// answerLate has a command's deadline pass in its transaction number step, and
// reports whether it has so many.
func (w *World) answerLate(ctx context.Context, actor rooms.Actor, name string, raw json.RawMessage, step int) (json.RawMessage, bool, error) {
	w.T.Helper()
	d := &deadline{Context: ctx, stage: w.late, oneWriter: w.options.URL == "", commits: w.late == WhileItCommits && mayBeSentAgain(name, raw),
		passed: make(chan struct{}), left: make(chan struct{})}
	d.before.Store(int64(step))
	answer, err := w.Catalogue.Answer(d, actor, name, raw)
	close(d.left)
	if !d.begun.Load() {
		return answer, false, err
	}
	if err == nil || !unknown(ctx, name, err) {
		w.T.Errorf("%s: the deadline passed in its transaction (%s): answered %s and %v, want unavailable and retryable", name, w.late, answer, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.interrupted == nil {
		w.interrupted = map[string]int{}
	}
	w.interrupted[name] = max(w.interrupted[name], step+1)
	return nil, true, err
}

// unknown reports whether a client learns of an error that it may send the
// command again.
func unknown(ctx context.Context, name string, err error) bool {
	refused := rooms.Refusal(ctx, slog.New(slog.DiscardHandler), name, "", err)
	return refused.Code == rooms.CodeUnavailable && refused.Retryable
}

func mayBeSentAgain(name string, raw json.RawMessage) bool {
	var fields map[string]any
	_ = json.Unmarshal(raw, &fields) // what is no object has no fields
	id, _ := fields[sentAgain[name]].(string)
	return id != ""
}

// deadline is the context of a command whose deadline passes when a test wants it.
type deadline struct {
	context.Context
	stage     Stage
	oneWriter bool         // SQLite: functions run in the writer's goroutine
	commits   bool         // the transaction, although its caller has left
	before    atomic.Int64 // how many transactions end in time before the one that does not
	begun     atomic.Bool
	once      sync.Once
	passed    chan struct{}
	left      chan struct{} // closed once the caller has left
}

type deadlineKey struct{}

func (d *deadline) pass() { d.once.Do(func() { close(d.passed) }) }

// Done implements context.Context.
func (d *deadline) Done() <-chan struct{} { return d.passed }

// Err implements context.Context.
func (d *deadline) Err() error {
	select {
	case <-d.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// Value implements context.Context.
func (d *deadline) Value(key any) any {
	if key == (deadlineKey{}) {
		return d
	}
	return d.Context.Value(key)
}

// inTx is InTx of a store, in which the deadline of a command passes.
func inTx[Tx any](ctx context.Context, to rooms.Transactions[Tx], f func(Tx) error) error {
	d := passesIn(ctx)
	if d == nil {
		return to.InTx(ctx, f)
	}
	if d.commits && !d.oneWriter { // PostgreSQL commits, and the answer is lost
		_ = to.InTx(context.WithoutCancel(ctx), f) // unknown to the caller
		d.pass()
		return rooms.Unknown(d.Err())
	}
	return to.InTx(ctx, func(tx Tx) error { return d.run(func() error { return f(tx) }) })
}

// passesIn is the deadline that is to pass in the transaction that begins; nil if
// it ends in time.
func passesIn(ctx context.Context) *deadline {
	d, _ := ctx.Value(deadlineKey{}).(*deadline)
	if d == nil || d.before.Add(-1) != -1 {
		return nil
	}
	d.begun.Store(true)
	return d
}

// run runs a transaction's function, and has the deadline pass.
func (d *deadline) run(f func() error) error {
	switch d.stage {
	case BeforeItRuns:
		d.pass()
	case WhileItRuns:
		go d.pass()
	}
	err := f()
	d.pass()
	if d.oneWriter { // f ran beside its caller, who has left before what comes now
		<-d.left
		if err == nil && !d.commits {
			err = errUndone
		}
	}
	return err
}

// The stores of the features, with InTx as above.
type (
	lateAccounts      struct{ account.Store }
	lateConsultations struct{ consultation.Store }
	lateChats         struct{ chat.Store }
	lateSchedules     struct{ schedule.Store }
	lateCalls         struct{ call.Store }
	lateBoards        struct{ board.Store }
	lateAudits        struct{ audit.Store }
	lateBilling       struct{ billing.Store }
	lateNotifications struct{ notification.Store }
	lateRecords       struct{ record.Store }
	lateLobby         struct{ lobby.Store }
	lateLedger        struct{ sandboxstore.Store }
)

func (s lateAccounts) InTx(ctx context.Context, f func(account.Tx) error) error {
	return inTx(ctx, s.Store, f)
}

func (s lateConsultations) InTx(ctx context.Context, f func(consultation.Tx) error) error {
	return inTx(ctx, s.Store, f)
}

func (s lateChats) InTx(ctx context.Context, f func(chat.Tx) error) error {
	return inTx(ctx, s.Store, f)
}

func (s lateSchedules) InTx(ctx context.Context, f func(schedule.Tx) error) error {
	return inTx(ctx, s.Store, f)
}

func (s lateCalls) InTx(ctx context.Context, f func(call.Tx) error) error {
	return inTx(ctx, s.Store, f)
}

func (s lateAudits) InTx(ctx context.Context, f func(audit.Tx) error) error {
	return inTx(ctx, s.Store, f)
}

func (s lateBoards) InTx(ctx context.Context, f func(board.Tx) error) error {
	return inTx(ctx, s.Store, f)
}

func (s lateBilling) InTx(ctx context.Context, f func(billing.Tx) error) error {
	return inTx(ctx, s.Store, f)
}

func (s lateNotifications) InTx(ctx context.Context, f func(notification.Tx) error) error {
	return inTx(ctx, s.Store, f)
}

func (s lateRecords) InTx(ctx context.Context, f func(record.Tx) error) error {
	return inTx(ctx, s.Store, f)
}

func (s lateLobby) InTx(ctx context.Context, f func(lobby.Tx) error) error {
	return inTx(ctx, s.Store, f)
}

// Change implements sandbox.Ledger.
func (s lateLedger) Change(ctx context.Context, reference string, f func(rooms.Tx, []byte) ([]byte, error)) error {
	d := passesIn(ctx)
	if d == nil {
		return s.Store.Change(ctx, reference, f)
	}
	return s.Store.Change(ctx, reference, func(tx rooms.Tx, state []byte) (next []byte, err error) {
		err = d.run(func() error {
			next, err = f(tx, state)
			return err
		})
		return next, err
	})
}
