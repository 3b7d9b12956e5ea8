package services

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// types are the types of what a slice has, in its order.
func types[T any](list []T) []string {
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = fmt.Sprintf("%T", v)
	}
	return names
}

// The order in which a transition reaches its followers, and an account's end its
// unwinders, is part of the composition: see the reasons in New.
func TestOrders(t *testing.T) {
	t.Parallel()
	s, err := New(Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	got, want := types(s.followers), []string{"*schedule.Service", "*record.Service", "*call.Service", "*billing.Service"}
	if !slices.Equal(got, want) {
		t.Errorf("followers are called in the order %v, want %v", got, want)
	}
	got, want = types(s.unwinders), []string{"*schedule.Service", "*consultation.Service"}
	if !slices.Equal(got, want) {
		t.Errorf("unwinders are called in the order %v, want %v", got, want)
	}
}
