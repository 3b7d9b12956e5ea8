package consultation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/consultation"
)

// slowStore is a database with few connections, each of which is taken for a
// while by every read.
type slowStore struct {
	Store
	free  chan struct{}
	reads *atomic.Int64
}

const (
	slowConnections = 8
	slowRead        = 100 * time.Millisecond
)

func (s slowStore) read() {
	s.reads.Add(1)
	s.free <- struct{}{}
	time.Sleep(slowRead)
	<-s.free
}

func (s slowStore) Events(ctx context.Context, _ rooms.RoomID, _ rooms.Seq, _ int) ([]rooms.Event, rooms.Seq, error) {
	s.read()
	return nil, 0, ctx.Err()
}

func (s slowStore) Participant(ctx context.Context, _ ID, user rooms.UserID) (Participant, error) {
	s.read()
	return Participant{UserID: user}, ctx.Err()
}

func (s slowStore) Participants(ctx context.Context, _ ID) ([]Participant, error) {
	s.read()
	return nil, ctx.Err()
}

func (s slowStore) Consultation(ctx context.Context, id ID) (Consultation, error) {
	s.read()
	return Consultation{ID: id, Status: Active}, ctx.Err()
}

func (s slowStore) Former(ctx context.Context, _ ID, _ rooms.Seq) ([]Former, error) {
	s.read()
	return nil, ctx.Err()
}

// When more join at once than the database can serve before their deadline, as
// after a restart, those are answered for whom there is time. Side by side all of
// them would be late.
func TestTooManyJoinAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := slowStore{free: make(chan struct{}, slowConnections), reads: &atomic.Int64{}}
		service := New(Options{Store: store, Hub: rooms.NewHub(rooms.HubOptions{Depth: 1}), Now: time.Now,
			Presence: rooms.NewPresence(func(rooms.RoomID, rooms.Present) {}, nil)})
		joins := rooms.NewCatalogue(rooms.CatalogueOptions{}, service.Commands())
		join := func(user string) error {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := joins.Answer(ctx, rooms.Actor{UserID: rooms.UserID(user), Role: rooms.RolePatient}, Join.Name, json.RawMessage(`{"consultationId":"c"}`))
			return err
		}
		if err := join("first"); err != nil {
			t.Fatal(err)
		}
		each := store.reads.Load()
		if each > 7 {
			t.Errorf("a join reads %d times, want 7 at most", each)
		}
		inTime := int(10*time.Second/slowRead) * slowConnections / int(each)
		var answered atomic.Int64
		var all sync.WaitGroup
		for i := range 4 * inTime {
			all.Go(func() {
				if join(fmt.Sprint(i)) == nil {
					answered.Add(1)
				}
			})
		}
		all.Wait()
		if got := answered.Load(); int(got) < inTime*8/10 {
			t.Errorf("%d of %d were answered; there was time for %d", got, 4*inTime, inTime)
		}
	})
}
