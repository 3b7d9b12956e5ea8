package spec

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"
)

// Source is what reflection does not see of the wire types: what their
// comments say, and what is declared beside them.
type Source struct {
	// docs of types ("wenzhen/rooms/chat.Message") and fields (".Text" after it)
	docs map[string]string
	// Constants counts the constants of each named type.
	Constants map[string]int
	// Declared are the names of all events and signals that features declare.
	Declared map[string]bool
	// Commands are where commands are declared, by their names.
	Commands map[string]declaration
}

// declaration is a variable of a package.
type declaration struct{ pkg, name string }

// ReadSource reads the packages below root/rooms, where root is the folder of
// the module. Errors: a file that cannot be read or parsed.
func ReadSource(root string) (Source, error) {
	s := Source{docs: map[string]string{}, Constants: map[string]int{}, Declared: map[string]bool{}, Commands: map[string]declaration{}}
	err := fs.WalkDir(os.DirFS(root), "rooms", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				s.declaration("wenzhen/"+path.Dir(name), g)
			}
		}
		return nil
	})
	return s, err
}

func (s Source) declaration(pkg string, g *ast.GenDecl) {
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
			if t, ok := one.Type.(*ast.Ident); ok && g.Tok == token.CONST {
				s.Constants[pkg+"."+t.Name] += len(one.Names)
			}
			for i, v := range one.Values {
				s.announced(declaration{pkg, one.Names[i].Name}, v)
			}
		}
	}
}

// announced notes the name of rooms.Event[…]{Name: "…"}, rooms.Signal and
// rooms.Command.
func (s Source) announced(where declaration, v ast.Expr) {
	literal, ok := v.(*ast.CompositeLit)
	if !ok {
		return
	}
	var generic ast.Expr
	switch t := literal.Type.(type) {
	case *ast.IndexExpr:
		generic = t.X
	case *ast.IndexListExpr:
		generic = t.X
	}
	kind, ok := generic.(*ast.SelectorExpr)
	if !ok {
		return
	}
	for _, e := range literal.Elts {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := pair.Key.(*ast.Ident); !ok || key.Name != "Name" {
			continue
		}
		value, ok := pair.Value.(*ast.BasicLit)
		if !ok {
			continue
		}
		switch name := strings.Trim(value.Value, `"`); kind.Sel.Name {
		case "Event", "Signal":
			s.Declared[name] = true
		case "Command":
			s.Commands[name] = where
		}
	}
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

// of is what the comment of a type says, without the type's own name in front.
func (s Source) of(t reflect.Type) string {
	doc := s.docs[key(t)]
	for _, start := range []string{t.Name() + " is ", t.Name() + " are "} {
		if rest, ok := strings.CutPrefix(doc, start); ok {
			doc = rest
		}
	}
	return sentence(doc)
}

// field is what the comment of a struct's field says.
func (s Source) field(t reflect.Type, name string) string {
	doc := s.docs[key(t)+"."+name]
	for _, start := range []string{name + " is ", name + " are "} {
		if rest, ok := strings.CutPrefix(doc, start); ok {
			doc = rest
		}
	}
	return sentence(doc)
}

// sentence begins with a capital letter.
func sentence(s string) string {
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
