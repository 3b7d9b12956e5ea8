package operation_test

import (
	"testing"

	"wenzhen/server/e2e"
)

func TestMain(m *testing.M) { e2e.Main(m) }
