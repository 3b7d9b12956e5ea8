package load

import "testing"

// An event that is in the answer to a join and is received live is not a duplicate.
// An event that is received live twice is.
func TestOverlapOfJoinAndLive(t *testing.T) {
	t.Parallel()
	m := &member{run: &run{}}
	for seq := int64(1); seq <= 3; seq++ { // the answer
		m.receive(event{Seq: seq})
		m.answered = seq
	}
	m.live(event{Seq: 3}) // committed while the log was read
	m.live(event{Seq: 4})
	var c Count
	if m.log.count(4, &c); !c.Clean() || c.Delivered != 4 {
		t.Errorf("overlap: %+v", c)
	}
	m.live(event{Seq: 4})
	c = Count{}
	if m.log.count(4, &c); c.Duplicates != 1 {
		t.Errorf("twice live: %+v", c)
	}
}
