// Package source reads from the features' Go files what reflection does not
// see: the comments of wire types, the values of enums, and which variables
// declare commands, events and signals. It parses and does not compile, so it
// works while generated code is out of date.
package source

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// Source is what the packages below rooms declare.
type Source struct {
	// docs of types ("rooms/chat.Message" after the path of the module) and fields (".Text" after it)
	docs map[string]string
	// constants are the values of the constants of each named string type.
	constants map[string][]string
	// Events and Signals are in the order of packages, files and lines.
	Events, Signals []Declaration
	// Commands are found by their names.
	Commands map[string]Declaration
}

// Declaration is an exported variable of a package.
type Declaration struct{ Package, Variable string }

// internal marks a constant that clients never see.
const internal = "//spec:internal"

// Read reads the packages below root/rooms, where root is the folder of the
// module. Errors: a file that cannot be read or parsed; an event, signal or
// command that is not declared as an exported variable of its package with a
// literal name.
func Read(root string) (Source, error) {
	s := Source{docs: map[string]string{}, constants: map[string][]string{}, Commands: map[string]Declaration{}}
	module, err := modulePath(root)
	if err != nil {
		return s, err
	}
	err = fs.WalkDir(os.DirFS(root), "rooms", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, filepath.Join(root, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		declared := map[ast.Expr]bool{}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				s.declaration(module+"/"+path.Dir(name), g, declared)
			}
		}
		return unrecognised(files, file, declared)
	})
	return s, err
}

// modulePath reads the path of the module from its go.mod, whose first line it is.
func modulePath(root string) (string, error) {
	file := filepath.Join(root, "go.mod")
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	module, ok := strings.CutPrefix(strings.TrimSpace(line), "module ")
	if !ok {
		return "", fmt.Errorf("%s: the first line is not the path of the module", file)
	}
	return module, nil
}

// unrecognised reports declarations in a form or a place that Read does not take.
func unrecognised(files *token.FileSet, file *ast.File, declared map[ast.Expr]bool) error {
	var all []error
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.CompositeLit); ok && kindOf(literal) != "" && !declared[literal] {
			all = append(all, fmt.Errorf("%s: declare it as an exported variable of the package, with a literal Name",
				files.Position(literal.Pos())))
		}
		return true
	})
	return errors.Join(all...)
}

func (s *Source) declaration(pkg string, g *ast.GenDecl, declared map[ast.Expr]bool) {
	for _, one := range g.Specs {
		switch one := one.(type) {
		case *ast.TypeSpec:
			name := pkg + "." + one.Name.Name
			s.docs[name] = said(one.Doc, g.Doc)
			if t, ok := one.Type.(*ast.StructType); ok {
				for _, f := range t.Fields.List {
					for _, n := range f.Names {
						s.docs[name+"."+n.Name] = said(f.Doc, f.Comment)
					}
				}
			}
		case *ast.ValueSpec:
			if g.Tok == token.CONST {
				s.constant(pkg, one)
				continue
			}
			for i, v := range one.Values {
				if s.announced(Declaration{pkg, one.Names[i].Name}, v) {
					declared[v] = true
				}
			}
		}
	}
}

// constant notes the values of typed string constants.
func (s *Source) constant(pkg string, c *ast.ValueSpec) {
	t, ok := c.Type.(*ast.Ident)
	if !ok || marked(c.Comment) {
		return
	}
	for _, v := range c.Values {
		if value, ok := text(v); ok {
			s.constants[pkg+"."+t.Name] = append(s.constants[pkg+"."+t.Name], value)
		}
	}
}

func marked(comment *ast.CommentGroup) bool {
	if comment == nil {
		return false
	}
	for _, c := range comment.List {
		if c.Text == internal {
			return true
		}
	}
	return false
}

// announced notes rooms.EventType[…]{Name: "…"}, rooms.SignalType and rooms.Command,
// and reports whether v is one of them.
func (s *Source) announced(where Declaration, v ast.Expr) bool {
	literal, ok := v.(*ast.CompositeLit)
	if !ok || !ast.IsExported(where.Variable) {
		return false
	}
	name, ok := nameIn(literal)
	if !ok {
		return false
	}
	switch kindOf(literal) {
	case "EventType":
		s.Events = append(s.Events, where)
	case "SignalType":
		s.Signals = append(s.Signals, where)
	case "Command":
		s.Commands[name] = where
	default:
		return false
	}
	return true
}

// kindOf is EventType, SignalType or Command of a literal of rooms.EventType[…] and so on;
// "" of others.
func kindOf(literal *ast.CompositeLit) string {
	var generic ast.Expr
	switch t := literal.Type.(type) {
	case *ast.IndexExpr:
		generic = t.X
	case *ast.IndexListExpr:
		generic = t.X
	}
	kind, ok := generic.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	switch kind.Sel.Name {
	case "EventType", "SignalType", "Command":
		return kind.Sel.Name
	}
	return ""
}

// nameIn is the literal field Name.
func nameIn(literal *ast.CompositeLit) (string, bool) {
	for _, e := range literal.Elts {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := pair.Key.(*ast.Ident); ok && key.Name == "Name" {
			return text(pair.Value)
		}
	}
	return "", false
}

// text is the value of a string literal.
func text(v ast.Expr) (string, bool) {
	literal, ok := v.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	value, err := strconv.Unquote(literal.Value)
	return value, err == nil
}

// said is the first comment that says something, as one line.
func said(comments ...*ast.CommentGroup) string {
	for _, c := range comments {
		if text := strings.Join(strings.Fields(c.Text()), " "); text != "" {
			return text
		}
	}
	return ""
}

// Enum is the values of t, a string type with at least two constants; nil of
// other types.
func (s Source) Enum(t reflect.Type) []string {
	if t.Kind() != reflect.String || len(s.constants[key(t)]) < 2 {
		return nil
	}
	return s.constants[key(t)]
}

// Type is what the comment of a type says, without the type's own name in front.
func (s Source) Type(t reflect.Type) string { return without(t.Name(), s.docs[key(t)]) }

// Field is what the comment of a struct's field says.
func (s Source) Field(t reflect.Type, name string) string {
	return without(name, s.docs[key(t)+"."+name])
}

// without is doc without "name is " at its start, as a sentence.
func without(name, doc string) string {
	for _, start := range []string{name + " is ", name + " are "} {
		if rest, ok := strings.CutPrefix(doc, start); ok {
			doc = rest
		}
	}
	return Sentence(doc)
}

// Sentence begins with a capital letter.
func Sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// key names a type as the maps of Source do; of a generic type, the type itself.
func key(t reflect.Type) string {
	name, _, _ := strings.Cut(t.Name(), "[")
	return t.PkgPath() + "." + name
}
