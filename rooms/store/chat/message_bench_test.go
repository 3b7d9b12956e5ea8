//go:build unix

package chat

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/store/engine"
)

// What a message costs in the store: message:send in turn in 1,000
// consultations, so many in one commit. Besides ns/op it reports the CPU time
// of a message, and how many write calls and bytes it makes.
func BenchmarkMessage(b *testing.B) {
	for _, synchronous := range []string{"FULL", "NORMAL"} {
		for _, batch := range []int{1, 2, 4, 16, 64} {
			b.Run(fmt.Sprintf("%s/%d", synchronous, batch), func(b *testing.B) { benchmarkMessage(b, synchronous, batch) })
		}
	}
}

func benchmarkMessage(b *testing.B, synchronous string, batch int) {
	benchmarkMessages(b, synchronous, func(db *engine.DB, say func(n int)) {
		for n := 0; n < b.N; n += batch {
			together(db, min(batch, b.N-n), func(i int) { say(n + i) })
		}
	})
}

// The same at 1,000 messages a second, each sent when it is due: how many share
// a commit is the writer's to decide.
func BenchmarkMessageRate(b *testing.B) {
	for _, synchronous := range []string{"FULL", "NORMAL"} {
		b.Run(synchronous, func(b *testing.B) {
			took := make([]time.Duration, b.N)
			benchmarkMessages(b, synchronous, func(_ *engine.DB, say func(n int)) {
				var group sync.WaitGroup
				began := time.Now()
				for n := range b.N {
					due := began.Add(time.Duration(n) * time.Millisecond)
					time.Sleep(time.Until(due))
					group.Go(func() {
						say(n)
						took[n] = time.Since(due)
					})
				}
				group.Wait()
			})
			slices.Sort(took)
			b.ReportMetric(float64(took[b.N/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[b.N*99/100].Microseconds()), "p99-µs")
		})
	}
}

// benchmarkMessages measures messages that work sends with say, the n-th in the
// n-th of 1,000 consultations.
func benchmarkMessages(b *testing.B, synchronous string, work func(db *engine.DB, say func(n int))) {
	var commits atomic.Int64
	hub := rooms.NewHub(rooms.HubOptions{Depth: 1 << 12}) // as a server has, to which nobody listens
	listening, stop := context.WithCancel(context.Background())
	defer stop()
	go hub.Run(listening)
	db, err := engine.Open(b.Context(), engine.Options{Hub: hub, Encrypted: Encrypted, Path: filepath.Join(b.TempDir(), "b.db"), Synchronous: synchronous, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Committed: func(int, time.Duration) { commits.Add(1) }})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	const talks = 1000
	if err := talk(db, talks); err != nil {
		b.Fatal(err)
	}
	catalogue := rooms.NewCatalogue(rooms.CatalogueOptions{}, chat.New(chat.Options{Store: Store{db}, Now: time.Now}).Commands())
	text := strings.Repeat("x", 200)
	say := func(n int) {
		in := fmt.Sprintf(`{"consultationId":"%s","clientId":"%s","kind":"text","text":"%s"}`, talkID(n%talks), rooms.NewID(time.Now()), text)
		actor := rooms.Actor{UserID: talker(n % 10), Role: rooms.RolePatient}
		if _, err := catalogue.Answer(context.Background(), actor, chat.Send.Name, []byte(in)); err != nil {
			b.Error(err)
		}
	}
	for n := range talks {
		say(n)
	}
	commits.Store(0)
	calls, bytes := written(b)
	before := cpuTime()
	b.ResetTimer()
	work(db, say)
	b.StopTimer()
	used := cpuTime() - before
	callsNow, bytesNow := written(b)
	for unit, value := range map[string]float64{"cpu-µs/op": float64(used.Microseconds()), "commits/op": float64(commits.Load()),
		"writes/op": float64(callsNow - calls), "written-B/op": float64(bytesNow - bytes)} {
		b.ReportMetric(value/float64(b.N), unit)
	}
}

// together runs n functions whose transactions the writer finds waiting, so
// that it commits them together.
func together(db *engine.DB, n int, do func(i int)) {
	if n == 1 {
		do(0)
		return
	}
	begun, gate := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		_ = db.InTx(context.Background(), func(*engine.Tx) error { close(begun); <-gate; return nil })
	})
	<-begun
	for i := range n {
		group.Go(func() { do(i) })
	}
	for db.Waiting() < n {
		time.Sleep(20 * time.Microsecond)
	}
	close(gate)
	group.Wait()
}

// written is how many write calls this process has made, and of how many bytes.
func written(b *testing.B) (calls, bytes int64) {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		b.Skip(err)
	}
	for line := range strings.Lines(string(text)) {
		fmt.Sscanf(line, "syscw: %d", &calls)
		fmt.Sscanf(line, "wchar: %d", &bytes)
	}
	return calls, bytes
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func talkID(n int) consultation.ID { return consultation.ID(fmt.Sprintf("01JDTALK%018d", n)) }

func talker(n int) rooms.UserID { return rooms.UserID(fmt.Sprintf("01JDUSER%018d", n)) }

// talk writes n consultations between one doctor and ten patients in turn.
func talk(db *engine.DB, n int) error {
	return db.InTx(context.Background(), func(of *engine.Tx) error {
		tx := In(of)
		for i := range 11 {
			err := engine.FirstOf(
				tx.Exec(`INSERT INTO users (id, role, name, email, password_hash, locale, time_zone, created_at)
					VALUES ($1, 'patient', 'x', $1, '', 'zh-CN', 'UTC', 0)`, talker(i)),
				tx.Exec(`INSERT INTO patients (id, user_id, name, birth_date, sex, relation)
					VALUES ($1, $1, 'x', '2000-01-01', 'male', 'self')`, talker(i)))
			if err != nil {
				return err
			}
		}
		for i := range n {
			c := consultation.Consultation{ID: talkID(i), Status: consultation.Active, DoctorID: talker(10), UserID: talker(i % 10),
				PatientID: account.PatientID(talker(i % 10))}
			if err := tx.InsertConsultation(c); err != nil {
				return err
			}
			err := engine.FirstOf(
				tx.InsertParticipant(c.ID, consultation.Participant{UserID: c.UserID, Name: "x", Role: consultation.PartPatient}),
				tx.InsertParticipant(c.ID, consultation.Participant{UserID: c.DoctorID, Name: "x", Role: consultation.PartDoctor}))
			if err != nil {
				return err
			}
		}
		return nil
	})
}
