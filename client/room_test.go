package client

import (
	"math/rand/v2"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// A room returns each event once and in order, whether it is received live, by
// joining, late, twice or after a gap.
func TestRoomOrdersEvents(t *testing.T) {
	t.Parallel()
	const events = 2000
	for seed := range uint64(50) {
		dice := rand.New(rand.NewPCG(seed, 0))
		r := &Room{client: &Client{}, wake: make(chan struct{}, 1), last: rooms.Seq(dice.IntN(3) - 1)}
		first := r.last + 1
		if r.last == Latest {
			first = 0
		}
		var got []rooms.Seq
		entry := func(seq rooms.Seq) rooms.Event { return rooms.Event{Seq: seq} }
		pop := func(n int) {
			for ; n > 0 && len(r.unread) > 0; n-- {
				got = append(got, r.unread[0].Seq)
				r.unread = r.unread[1:]
			}
		}
		join := func(top rooms.Seq) {
			after := r.last
			if after == Latest {
				after = max(0, top-200)
				first = after + 1
			}
			var j consultation.Joined
			for seq := after + 1; seq <= min(top, after+200); seq++ {
				j.Events = append(j.Events, entry(seq))
			}
			j.LastSeq = top
			r.joined(j)
		}
		for top := rooms.Seq(1); top <= events; top++ {
			switch dice.IntN(20) {
			case 0: // lost
			case 1:
				r.live(entry(top))
				r.live(entry(rooms.Seq(1 + dice.IntN(int(top))))) // again
			default:
				r.live(entry(top))
			}
			if dice.IntN(30) == 0 {
				join(top)
			}
			pop(dice.IntN(3))
		}
		for r.last < events {
			pop(unreadMost)
			join(events)
		}
		pop(events)
		for i, seq := range got {
			if seq != first+rooms.Seq(i) {
				t.Fatalf("seed %d: event %d has seq %d, want %d", seed, i, seq, first+rooms.Seq(i))
			}
		}
		if last := got[len(got)-1]; last != events {
			t.Fatalf("seed %d: the last is %d", seed, last)
		}
	}
}

// A room buffers a limited number of unread events.
func TestRoomIsBounded(t *testing.T) {
	t.Parallel()
	r := &Room{client: &Client{}, wake: make(chan struct{}, 1)}
	for seq := range rooms.Seq(10_000) {
		r.live(rooms.Event{Seq: seq + 1})
	}
	if len(r.unread) != unreadMost || len(r.ahead) != aheadMost || r.top != 10_000 {
		t.Errorf("%d unread, %d ahead, top %d", len(r.unread), len(r.ahead), r.top)
	}
}
