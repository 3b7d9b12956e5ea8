package app

import (
	"context"
	"slices"
	"testing"

	"wenzhen.example/rooms/operations"
	"wenzhen.example/server/services"
)

// The order of the tasks is part of the composition: see the reasons in tasks.
func TestOrderOfTasks(t *testing.T) {
	t.Parallel()
	s := &Server{services: &services.Services{}, reads: &reads{}, dashboard: &operations.Service{}}
	var got []string
	for _, task := range s.tasks() {
		got = append(got, task.name)
	}
	want := []string{"metrics", "redirect to HTTPS", "heartbeat", "audit of reads", "end of the audit log", "audit log", "files", "encryption", "memory", "sockets",
		"accounts", "lobby", "dashboard", "notifications", "letters", "billing", "timers"}
	if !slices.Equal(got, want) {
		t.Errorf("tasks are started in the order %v, want %v", got, want)
	}
}

// Tasks stop in the reverse order of their start: one that takes its time keeps
// those running that were started before it.
func TestTasksStopInReverse(t *testing.T) {
	t.Parallel()
	var ended []string
	first, second := make(chan struct{}), make(chan struct{})
	closed := make(chan struct{})
	stop := start([]task{
		{"listener", func(context.Context) { <-closed; ended = append(ended, "listener") }, func() error { close(closed); return nil }},
		{"first", func(ctx context.Context) { close(first); <-ctx.Done(); ended = append(ended, "first") }, nil},
		{"second", func(ctx context.Context) {
			<-first
			close(second)
			<-ctx.Done()
			select {
			case <-closed:
				t.Error("the first was stopped while the last ran")
			default:
			}
			ended = append(ended, "second")
		}, nil},
	})
	<-second // all of them run
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"second", "first", "listener"}; !slices.Equal(ended, want) {
		t.Errorf("tasks ended in the order %v, want %v", ended, want)
	}
}
