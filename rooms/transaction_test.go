package rooms_test

import (
	"context"
	"errors"
	"testing"

	"wenzhen.example/rooms"
)

// late is a store whose transaction commits after its caller has left.
type late struct{ done chan struct{} }

func (s late) InTx(ctx context.Context, f func(int) error) error {
	go func() {
		defer close(s.done)
		_ = f(7)
	}()
	<-ctx.Done()
	return rooms.Unavailable(ctx.Err(), "late")
}

// again is a store that runs a transaction twice, as PostgreSQL does after a conflict.
type again struct{ first, second error }

func (s again) InTx(_ context.Context, f func(int) error) error {
	if err := errors.Join(s.first, f(1)); err == nil {
		return nil
	}
	return errors.Join(f(2), s.second)
}

func TestInTxReturnsTheResultOfTheRunThatCommitted(t *testing.T) {
	t.Parallel()
	conflict := errors.New("conflict")
	got, err := rooms.InTx(t.Context(), again{first: conflict}, func(tx int) (int, error) { return tx, nil })
	if err != nil || got != 2 {
		t.Fatalf("got %d and %v, want the second run's 2", got, err)
	}
	got, err = rooms.InTx(t.Context(), again{first: conflict, second: conflict}, func(tx int) (int, error) { return tx, nil })
	if !errors.Is(err, conflict) || got != 0 {
		t.Fatalf("got %d and %v, want no result with an error", got, err)
	}
}

func TestInTxSharesNothingWithACallerWhoHasLeft(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	store := late{make(chan struct{})}
	got, err := rooms.InTx(ctx, store, func(int) (int, error) {
		leave()
		return 7, nil
	})
	if rooms.CodeOf(err) != rooms.CodeUnavailable || got != 0 {
		t.Fatalf("got %d and %v, want unavailable and no result", got, err)
	}
	got++ // with -race: this variable is the caller's alone
	<-store.done
	if got != 1 {
		t.Errorf("the caller's variable is %d", got)
	}
}
