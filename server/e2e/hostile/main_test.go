package hostile_test

import (
	"testing"

	"wenzhen.example/server/e2e"
)

func TestMain(m *testing.M) { e2e.Main(m) }
