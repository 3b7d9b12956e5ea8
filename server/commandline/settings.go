package commandline

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// settingsFile reads the file that --config names: one JSON object whose keys
// are the names of flags. It implements kong.Resolver.
type settingsFile map[string]any

// readSettings implements kong.ConfigurationLoader.
func readSettings(r io.Reader) (kong.Resolver, error) {
	var file settingsFile
	if err := json.NewDecoder(r).Decode(&file); err != nil {
		return nil, fmt.Errorf("the configuration is not one JSON object: %w", err)
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
