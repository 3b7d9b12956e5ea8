package spec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/server/spec/source"
)

// schemas writes Go's types as JSON Schema 2020-12, which OpenAPI 3.1 and
// AsyncAPI 3 share. Structs and enums become components.
type schemas struct {
	source source.Source
	names  names
	body   map[string]object // nil while it is being written
	err    error
}

func (c Contract) schemas() (*schemas, error) {
	all, err := c.names()
	return &schemas{source: c.Source, names: all, body: map[string]object{}}, err
}

// components are all that was referred to, by name.
func (s *schemas) components() object {
	names := make([]string, 0, len(s.body))
	for name := range s.body {
		names = append(names, name)
	}
	sort.Strings(names)
	all := object{}
	for _, name := range names {
		all = append(all, member{name, s.body[name]})
	}
	return all
}

// ref is the schema of t, by reference where it is a component.
func (s *schemas) ref(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{{"type", "string"}, {"format", "date-time"}}
	case reflect.TypeFor[json.RawMessage]():
		return object{}
	}
	if values := s.source.Enum(t); values != nil {
		return s.component(t, func() object { return object{{"type", "string"}, {"enum", values}} })
	}
	switch t.Kind() {
	case reflect.String:
		return object{{"type", "string"}}
	case reflect.Bool:
		return object{{"type", "boolean"}}
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint32, reflect.Uint64:
		return object{{"type", "integer"}}
	case reflect.Float32, reflect.Float64:
		return object{{"type", "number"}}
	case reflect.Pointer:
		return s.ref(t.Elem())
	case reflect.Slice, reflect.Array:
		return object{{"type", "array"}, {"items", s.ref(t.Elem())}}
	case reflect.Map:
		return object{{"type", "object"}, {"additionalProperties", s.ref(t.Elem())}}
	case reflect.Struct:
		return s.component(t, func() object { return s.object(t, nil) })
	}
	s.fail(fmt.Errorf("spec: %s has no form in JSON Schema", t))
	return object{}
}

// component writes t out once and refers to it.
func (s *schemas) component(t reflect.Type, write func() object) object {
	name := s.names[t]
	if _, written := s.body[name]; !written {
		s.body[name] = nil // it may refer to itself
		s.body[name] = write().with("description", s.source.Type(t))
	}
	return object{{"$ref", "#/components/schemas/" + name}}
}

// object writes a struct's fields, except those that are given otherwise.
func (s *schemas) object(t reflect.Type, except map[string]bool) object {
	properties, required := object{}, []any{}
	for _, f := range wireFields(t) {
		if except[f.name] {
			continue
		}
		properties = append(properties, member{f.name, s.property(f)})
		if !f.optional {
			required = append(required, f.name)
		}
	}
	return object{{"type", "object"}}.with("properties", properties).with("required", required)
}

// property is the schema of a field with what its comment says.
func (s *schemas) property(f wireField) object {
	schema := f.bounded(s.ref(f.of))
	if f.nullable {
		schema = object{{"oneOf", []any{schema, object{{"type", "null"}}}}}
	}
	return schema.with("description", s.source.Field(f.owner, f.goName))
}

// bounded adds what limits a field to its schema.
func (f wireField) bounded(schema object) object {
	if f.limit == nil {
		return schema
	}
	t := f.of
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	least, most := "minimum", "maximum"
	switch t.Kind() {
	case reflect.String:
		least, most = "minLength", "maxLength"
	case reflect.Slice:
		least, most = "minItems", "maxItems"
	}
	if f.limit.Min != nil {
		schema = append(schema, member{least, *f.limit.Min})
	}
	if f.limit.Max != nil {
		schema = append(schema, member{most, *f.limit.Max})
	}
	return schema.with("pattern", f.limit.Pattern)
}

// wireField is a field of a struct as JSON has it.
type wireField struct {
	name, goName       string
	of, owner          reflect.Type
	optional, nullable bool
	limit              *rooms.Limit
}

// wireFields are a struct's fields; those of an embedded struct are its own.
func wireFields(t reflect.Type) []wireField {
	var fields []wireField
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			fields = append(fields, wireFields(f.Type)...)
			continue
		case !f.IsExported() || name == "-":
			continue
		}
		optional := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		fields = append(fields, wireField{name: name, goName: f.Name, of: f.Type, owner: t, optional: optional, limit: rooms.LimitOf(f),
			nullable: f.Type.Kind() == reflect.Pointer && !optional})
	}
	return fields
}

func (s *schemas) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}
