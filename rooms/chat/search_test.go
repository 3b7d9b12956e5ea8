package chat

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wenzhen.example/rooms"
)

// endless is a store in which a search does not end by itself.
type endless struct {
	Store
	mu      sync.Mutex
	started []string // the words that are searched for
}

// searches are the users and words of the searches that began.
func (s *endless) searches() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.started)
}

// Search implements Store.
func (s *endless) Search(ctx context.Context, q Query) ([]Message, error) {
	s.mu.Lock()
	s.started = append(s.started, fmt.Sprint(q.User, " ", q.Words))
	s.mu.Unlock()
	<-ctx.Done()
	return nil, fmt.Errorf("rows: %w", ctx.Err())
}

// A search ends after a time with an error that says so, and until then the same
// user's next one waits, while another user's goes on.
func TestSearchEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &endless{}
		s := New(Options{Store: store, Now: time.Now, SearchFor: 2 * time.Second})
		failures := make(chan error, 3)
		search := func(user rooms.UserID, words string) {
			go func() {
				_, err := s.search(t.Context(), rooms.Actor{UserID: user}, SearchInput{Q: words})
				failures <- err
			}()
			synctest.Wait()
		}
		search("bo", "first")
		search("bo", "second")
		search("ann", "first")
		if want := []string{"bo first", "ann first"}; !slices.Equal(store.searches(), want) {
			t.Errorf("searching %q, want %q", store.searches(), want)
		}
		for range 3 {
			want := "unavailable: this search took longer than 2s; search for rarer words, or in one consultation: rows: context deadline exceeded"
			if err := <-failures; err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		if want := []string{"bo first", "ann first", "bo second"}; !slices.Equal(store.searches(), want) {
			t.Errorf("searched %q, want %q", store.searches(), want)
		}
	})
}

// A search whose caller leaves is not said to have taken too long.
func TestSearchIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Store: &endless{}, Now: time.Now, SearchFor: 2 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.search(ctx, rooms.Actor{UserID: "bo"}, SearchInput{Q: "x"}); rooms.CodeOf(err) != rooms.CodeInternal {
			t.Errorf("got %v, want the context's error", err)
		}
	})
}
