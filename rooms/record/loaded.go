package record

import "sync"

// loaded is a table that is made anew when another version of it was loaded. The
// zero value has none.
type loaded[T any] struct {
	mu      sync.Mutex
	made    *T
	version int64
}

// at returns the table of a version, and makes it if it is not there.
func (l *loaded[T]) at(version int64, make func() (*T, error)) (*T, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made != nil && l.version == version {
		return l.made, nil
	}
	made, err := make()
	if err != nil {
		return nil, err
	}
	l.made, l.version = made, version
	return made, nil
}
