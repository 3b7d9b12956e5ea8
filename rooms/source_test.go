package rooms_test

import (
	"slices"
	"testing"

	"wenzhen.example/rooms"
)

func TestSources(t *testing.T) {
	t.Parallel()
	for address, want := range map[string][]rooms.Source{
		"192.0.2.1":              {{"192.0.2.1", 1}},
		"::ffff:192.0.2.1":       {{"192.0.2.1", 1}},
		"":                       {{"", 1}},
		"@":                      {{"@", 1}},
		"2001:db8:1:2:3:4:5:6":   {{"2001:db8:1:2::/64", 1}, {"2001:db8:1::/48", 16}},
		"2001:db8:1:2::":         {{"2001:db8:1:2::/64", 1}, {"2001:db8:1::/48", 16}},
		"2001:db8:1:ffff::1":     {{"2001:db8:1:ffff::/64", 1}, {"2001:db8:1::/48", 16}},
		"fe80::1%eth0":           {{"fe80::/64", 1}, {"fe80::/48", 16}},
		"2001:db8:1:2:3:4:5:6%x": {{"2001:db8:1:2::/64", 1}, {"2001:db8:1::/48", 16}},
	} {
		if got := rooms.Sources(address); !slices.Equal(got, want) {
			t.Errorf("%q counts as %v, want %v", address, got, want)
		}
	}
}
