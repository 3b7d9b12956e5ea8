package spec

import "strings"

const serverTag = "server"

// OtherRoute is a route that asks for no command.
type OtherRoute struct {
	Method, Path, Doc string
	// Gives is the media type of the answer.
	Gives string
}

func (p OtherRoute) operation() object {
	o := object{{"operationId", operationID(strings.ToLower(p.Method)+":"+lettersOf(p.Path), 1)}, {"tags", []any{serverTag}}, {"summary", p.Doc}, {"security", []any{}}}
	parameters := []any{}
	for name := range parametersOf(p.Path) {
		parameters = append(parameters, object{{"name", name}, {"in", "path"}, {"required", true}, {"schema", object{{"type", "string"}}}})
	}
	success := object{{"description", "OK"}, {"content", object{{p.Gives, object{}}}}}
	return o.with("parameters", parameters).with("responses", object{{"200", success}, {"default", object{{"$ref", problem}}}})
}

func lettersOf(path string) string {
	b := []byte(path)
	for i, c := range b {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			b[i] = '-'
		}
	}
	return string(b)
}
