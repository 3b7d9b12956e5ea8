package chat_test

import (
	"testing"

	"wenzhen.example/rooms/roomstest"
)

// A message through the catalogue into the database, and its answer.
func BenchmarkSend(b *testing.B) {
	bo, _, id := roomstest.New(b).Talk()
	b.ReportAllocs()
	for b.Loop() {
		bo.Says(id, "hello")
	}
}
