package load

// stream counts the numbers that one receiver gets from one sender: 1, 2, 3 … in
// this order, if nothing is lost. It belongs to one goroutine at a time.
type stream struct {
	next    int64 // the expected number minus one
	missing map[int64]struct{}

	received, duplicates, reordered int64
}

// receive counts a number.
func (s *stream) receive(n int64) {
	want := s.next + 1
	switch {
	case n == want:
		s.next = n
	case n > want:
		if s.missing == nil {
			s.missing = map[int64]struct{}{}
		}
		for ; want < n; want++ {
			s.missing[want] = struct{}{}
		}
		s.next = n
	default:
		if _, late := s.missing[n]; !late {
			s.duplicates++
			return
		}
		delete(s.missing, n)
		s.reordered++
	}
	s.received++
}

// count adds the counts for the numbers up to sent to c.
func (s *stream) count(sent int64, c *Count) {
	c.Delivered += s.received
	c.Duplicates += s.duplicates
	c.Reordered += s.reordered
	c.Lost += int64(len(s.missing)) + max(0, sent-s.next)
}
