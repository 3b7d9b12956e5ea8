package commandline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"wenzhen.example/rooms"
)

// settingsFile reads the file that --config names: one JSON object whose keys
// are the names of flags. It implements kong.Resolver.
type settingsFile map[string]any

// readSettings implements kong.ConfigurationLoader. Some editors put a byte order
// mark at the beginning of a file.
func readSettings(r io.Reader) (kong.Resolver, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	members, err := rooms.Members(bytes.TrimPrefix(raw, []byte("\ufeff")))
	if err != nil {
		return nil, fmt.Errorf("the configuration is not one JSON object with each setting once: %w", err)
	}
	file := settingsFile{}
	for name, member := range members {
		var value any
		if err := json.Unmarshal(member, &value); err != nil {
			return nil, fmt.Errorf("the configuration's %s: %w", name, err)
		}
		file[name] = value
	}
	return file, nil
}

// Validate refuses a key that is no flag: a misspelt limit must not be a limit
// that is silently missing.
func (f settingsFile) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, node := range app.Children {
		for _, flag := range node.Flags {
			known[flag.Name] = true
		}
	}
	for key := range f {
		if !known[key] {
			return fmt.Errorf("the configuration has %q, which is no setting", key)
		}
	}
	return nil
}

// Resolve gives a flag its value from the file. Lists are joined with commas
// and everything is read as if it had been typed.
func (f settingsFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	switch value := f[flag.Name].(type) {
	case nil:
		return nil, nil
	case []any:
		parts := make([]string, len(value))
		for i, v := range value {
			parts[i] = fmt.Sprint(v)
		}
		return strings.Join(parts, ","), nil
	case float64: // not in exponents
		return strconv.FormatFloat(value, 'f', -1, 64), nil
	default:
		return fmt.Sprint(value), nil
	}
}

// durations reads settings that are times, in days too: 90d, 1d12h.
var durations = kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(func(from *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := from.Scan.PopValueInto("duration", &text); err != nil {
		return err
	}
	d, ok := parseDuration(text)
	if !ok {
		return fmt.Errorf("%q is no duration; write it as 90d, 36h, 15m or 90s", text)
	}
	target.SetInt(int64(d))
	return nil
}))

const day = 24 * time.Hour

func parseDuration(text string) (time.Duration, bool) {
	days, rest, inDays := strings.Cut(text, "d")
	if !inDays {
		d, err := time.ParseDuration(text)
		return d, err == nil
	}
	n, err := strconv.ParseUint(days, 10, 16) // 65,535 days fit a Duration
	if err != nil {
		return 0, false
	}
	d := time.Duration(n) * day
	if rest == "" {
		return d, true
	}
	more, err := time.ParseDuration(rest)
	return d + more, err == nil && more >= 0 && more < day
}
