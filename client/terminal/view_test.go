package terminal

import (
	"testing"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ given, want Options }{
		{Options{As: "bo"}, Options{Server: "http://localhost:8080", As: "bo@wenzhen.example", Password: "wenzhen-demo"}},
		{Options{As: "bo@wenzhen.example", Password: "own"},
			Options{Server: "http://localhost:8080", As: "bo@wenzhen.example", Password: "own"}},
		{Options{As: "me@clinic.example", Server: "https://x.example"}, Options{Server: "https://x.example", As: "me@clinic.example"}},
	} {
		if got := c.given.fill(); got != c.want {
			t.Errorf("%+v becomes %+v, want %+v", c.given, got, c.want)
		}
	}
}

// Control characters in messages are replaced.
func TestPrintable(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"头疼 headache":           "头疼 headache",
		"\x1b[2Jgone\a\u009b1m": "·[2Jgone··1m",
		"one\ntwo\r":            "one\n      | two·",
	} {
		if got := printable(given); got != want {
			t.Errorf("%q is shown as %q, want %q", given, got, want)
		}
	}
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"头疼三天": "头疼三天", "头疼三天了": "头疼三…"} {
		if got := truncate(given, 4); got != want {
			t.Errorf("%q is truncated to %q, want %q", given, got, want)
		}
	}
}
