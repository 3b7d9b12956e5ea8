package turns

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// Who wants much does not keep the others waiting: they wait for a turn of each
// at most.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		places := New(2, 1)
		var mu sync.Mutex
		var have []string // who has had a place
		finish := map[string]chan struct{}{}
		take := func(users ...string) {
			for _, user := range users {
				if finish[user] == nil {
					finish[user] = make(chan struct{})
				}
				go func() {
					done, err := places.Take(t.Context(), user)
					if err != nil {
						return
					}
					mu.Lock()
					have = append(have, user)
					mu.Unlock()
					<-finish[user]
					done()
				}()
				synctest.Wait()
			}
		}
		expect := func(want string) {
			t.Helper()
			if got := strings.Join(have, " "); got != want {
				t.Fatalf("those who had a place are %s, want %s", got, want)
			}
		}
		leaves := func(user string) {
			finish[user] <- struct{}{}
			synctest.Wait()
		}
		take("a", "a", "a")
		expect("a")
		take("c", "c", "bo", "jing")
		expect("a c")
		leaves("a")
		expect("a c bo")
		leaves("c")
		expect("a c bo jing")
		leaves("bo")
		expect("a c bo jing a")
		take("bo")
		leaves("a")
		expect("a c bo jing a c")
		leaves("jing")
		expect("a c bo jing a c bo")
		leaves("c")
		expect("a c bo jing a c bo a")
		leaves("a")
		leaves("bo")
		if len(places.wait)+len(places.busy)+len(places.next) > 0 || places.free != 2 {
			t.Errorf("left over: %+v", places)
		}
	})
}

// Who waits no longer leaves no trace, and does not keep a place.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		places := New(1, 1)
		done, err := places.Take(t.Context(), "bo")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := places.Take(ctx, "jing")
				gone <- err
			}()
		}
		synctest.Wait()
		cancel()
		for range 2 {
			if err := <-gone; !errors.Is(err, context.Canceled) {
				t.Errorf("who waits no longer gets %v", err)
			}
		}
		if _, err := places.Take(ctx, "jing"); !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone before gets %v", err)
		}
		done()
		if len(places.wait)+len(places.busy)+len(places.next) > 0 || places.free != 1 {
			t.Errorf("left over: %+v", places)
		}
	})
}
