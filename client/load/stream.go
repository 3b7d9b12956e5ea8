package load

// stream is the numbers that one receiver hears from one sender: 1, 2, 3 … in
// that order if all is well. It belongs to one goroutine at a time.
type stream struct {
	next    int64 // the number that should come next, less one
	missing map[int64]struct{}

	heard, duplicates, reordered int64
}

// hear takes a number.
func (s *stream) hear(n int64) {
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
	s.heard++
}

// count adds up what became of the numbers up to sent.
func (s *stream) count(sent int64, c *Count) {
	c.Delivered += s.heard
	c.Duplicates += s.duplicates
	c.Reordered += s.reordered
	c.Lost += int64(len(s.missing)) + max(0, sent-s.next)
}
