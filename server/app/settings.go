package app

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"wenzhen.example/rooms/operations"
)

// settings are all of them as they are in effect, without the secrets.
func (c Config) settings() []operations.Setting {
	var all []operations.Setting
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		usual, value := usualValue(f), written(v.Field(i))
		_, secret := f.Tag.Lookup("secret")
		s := operations.Setting{Flag: flagName(f.Name), Env: f.Tag.Get("env"), Value: value, Changed: value != usual, Secret: secret, Help: f.Tag.Get("help")}
		if s.Secret && s.Changed {
			s.Value = ""
		}
		all = append(all, s)
	}
	return all
}

// usualValue is the default of a setting as written would write it.
func usualValue(f reflect.StructField) string {
	usual := f.Tag.Get("default")
	if d, err := time.ParseDuration(usual); err == nil && f.Type == reflect.TypeFor[time.Duration]() {
		return d.String()
	}
	if f.Tag.Get("type") == "path" && usual != "" {
		if absolute, err := filepath.Abs(usual); err == nil {
			return absolute
		}
	}
	if usual == "" && f.Type.Kind() != reflect.Slice {
		return fmt.Sprint(reflect.Zero(f.Type))
	}
	return usual
}

// written is a value as one would give it; lists have commas.
func written(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Slice:
	case reflect.Float64: // not in exponents
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
	parts := make([]string, v.Len())
	for i := range parts {
		parts[i] = fmt.Sprint(v.Index(i))
	}
	return strings.Join(parts, ",")
}
