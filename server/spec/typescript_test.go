package spec

import (
	"flag"
	"os"
	"slices"
	"testing"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/schedule"
)

var update = flag.Bool("update", false, "write the generated files")

const typesFile = "../../static/packages/client/src/wire.gen.ts"

// commands are those of every feature; what carries them out does not matter here.
func commands() []rooms.Bound {
	return slices.Concat(
		account.New(account.Config{}, nil, nil, nil).Commands(),
		consultation.New(nil, nil, nil, nil).Commands(),
		chat.New(chat.Config{}, nil, nil, nil, nil).Commands(),
		schedule.New(nil, nil, nil).Commands(),
	)
}

func TestTypeScript(t *testing.T) {
	want, err := TypeScript(commands())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(typesFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(typesFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("%s is not what the catalogue says; run: go generate ./server/spec", typesFile)
	}
}
