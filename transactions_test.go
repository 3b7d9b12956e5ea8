package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A function that is given a transaction may still run after its caller has
// returned, and may run more than once (rooms/store/doc.go). It shares nothing
// with the function around it but what stays as it is.
func TestTransactionsReturnTheirResults(t *testing.T) {
	t.Parallel()
	code := loadCode(t)
	functions := 0
	for _, p := range code.packages {
		if !strings.HasPrefix(folder(p.ImportPath, code.module), ".") {
			continue
		}
		var files []*ast.File
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(code.fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		found, n := code.check(t, p.ImportPath, files)
		for _, problem := range found {
			t.Error(problem)
		}
		functions += n
	}
	if functions < 100 {
		t.Errorf("only %d transactions were found; how are they recognised?", functions)
	}
}

// Each statement in the transaction of a planted package is a mistake, except
// where want is empty.
func TestTransactionsThatShareAreFound(t *testing.T) {
	t.Parallel()
	code := loadCode(t)
	for _, c := range []struct{ name, before, inside, after, want string }{
		{name: "the result is assigned", inside: `result = 1`, want: "assigns result"},
		{name: "the caller's err is assigned", inside: `_, err = f(tx)`, want: "assigns err"},
		{name: "input is changed", inside: `in.Amount = 1`, want: "assigns in"},
		{name: "input is changed through a pointer", before: `p := &in`, inside: `p.Amount = 1`, want: "assigns p"},
		{name: "it counts", inside: `result++`, want: "assigns result"},
		{name: "it collects", before: `var list []int`, inside: `list = append(list, 1)`, want: "assigns list"},
		{name: "it collects into the same array", before: `list := make([]int, 0, 9)`, inside: `_ = append(list, 1)`, want: "appends to list"},
		{name: "a loop assigns", inside: `for result = range 3 {}`, want: "assigns result"},
		{name: "a map is filled", before: `m := map[string]int{}`, inside: `m["a"] = 1`, want: "assigns m"},
		{name: "a map is emptied", before: `m := map[string]int{}`, inside: `clear(m)`, want: "changes m"},
		{name: "an address is passed on", inside: `return load(tx, &result)`, want: "takes the address of result"},
		{name: "a method changes it", before: `var b strings.Builder`, inside: `b.WriteString("a")`, want: "calls WriteString on b"},
		{name: "a channel is used", before: `c := make(chan int, 1)`, inside: `c <- 1`, want: "sends on c"},
		{name: "a nested function assigns", inside: `func() { result = 1 }()`, want: "assigns result"},
		{name: "the caller's context is used", inside: `_ = ctx.Err()`, want: "uses the context ctx"},
		{name: "what it reads is assigned with the call", before: `n, err := 0, error(nil)`, inside: `return load(tx, new(n))`, after: `n, err = 1, err`, want: "reads n, which is assigned after it"},
		{name: "what it reads is changed later", inside: `return load(tx, new(in.Amount))`, after: `in.Amount = 2`, want: "reads in, which is assigned after it"},
		{name: "its own variables are its own", inside: `x, err := f(tx); x++; if err != nil { return err }; return load(tx, &x)`},
		{name: "input is read", before: `in.Amount = 3`, inside: `return load(tx, new(in.Amount))`},
	} {
		t.Run(c.name, func(t *testing.T) { // one after another: an importer reads packages as they are needed
			source := fmt.Sprintf(planted, code.module, c.before, c.inside, c.after)
			file, err := parser.ParseFile(code.fset, "planted.go", source, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			found, n := code.check(t, code.module+"/planted", []*ast.File{file})
			if n != 1 {
				t.Fatalf("%d transactions were found, want 1", n)
			}
			switch {
			case c.want == "" && len(found) > 0:
				t.Errorf("found %q in\n%s", found, source)
			case c.want != "" && (len(found) == 0 || !strings.Contains(found[0], c.want)):
				t.Errorf("found %q, want %q in\n%s", found, c.want, source)
			}
		})
	}
}

const planted = `package planted

import (
	"context"
	"strings"

	"%s/rooms"
)

type Tx interface{ rooms.Tx }

type Input struct{ Amount int }

var _ strings.Builder

func f(Tx) (int, error) { return 0, nil }

func load(Tx, *int) error { return nil }

func command(ctx context.Context, store rooms.Transactions[Tx], in Input) (result int, err error) {
	%s
	err = store.InTx(ctx, func(tx Tx) error {
		%s
		return nil
	})
	%s
	return result, err
}
`

// code is the packages of the module and the types of all that they import.
type code struct {
	module   string // its path
	fset     *token.FileSet
	packages []listed
	imports  types.Importer
}

// listed is a package as the go command lists it.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

func loadCode(t *testing.T) code {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	c := code{module: modulePath(t), fset: token.NewFileSet()}
	exports := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		c.packages = append(c.packages, p)
		exports[p.ImportPath] = p.Export
	}
	c.imports = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	return c
}

// check returns what is wrong with the transactions of a package, and how many
// functions it has that are given one.
func (c code) check(t *testing.T, path string, files []*ast.File) (found []string, functions int) {
	t.Helper()
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}}
	if _, err := (&types.Config{Importer: c.imports}).Check(path, c.fset, files, info); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, decl := range file.Decls {
			around, ok := decl.(*ast.FuncDecl)
			if !ok || around.Body == nil {
				continue
			}
			ast.Inspect(around.Body, func(n ast.Node) bool {
				f, ok := n.(*ast.FuncLit)
				if !ok || !c.takesTx(info, f) {
					return true
				}
				functions++
				tx := transaction{info: info, around: around, f: f, captured: map[types.Object]bool{}}
				tx.inspect()
				tx.inspectAround()
				for _, p := range tx.problems {
					found = append(found, fmt.Sprintf("%s: a transaction %s; return it as the result (rooms.InTx)", c.fset.Position(p.pos), p.what))
				}
				return false // what is inside belongs to the same transaction
			})
		}
	}
	return found, functions
}

// takesTx reports whether a function has a parameter that is a transaction: each
// feature's is called Tx.
func (c code) takesTx(info *types.Info, f *ast.FuncLit) bool {
	for _, p := range f.Type.Params.List {
		typ := types.Unalias(info.Types[p.Type].Type)
		if pointer, ok := typ.(*types.Pointer); ok {
			typ = types.Unalias(pointer.Elem())
		}
		if named, ok := typ.(*types.Named); ok && named.Obj().Name() == "Tx" && strings.HasPrefix(folder(named.Obj().Pkg().Path(), c.module), ".") {
			return true
		}
	}
	return false
}

// transaction is a function that is given a transaction, in the function around it.
type transaction struct {
	info     *types.Info
	around   *ast.FuncDecl
	f        *ast.FuncLit
	captured map[types.Object]bool
	problems []problem
}

type problem struct {
	pos  token.Pos
	what string
}

func (t *transaction) report(at ast.Node, format string, args ...any) {
	t.problems = append(t.problems, problem{at.Pos(), fmt.Sprintf(format, args...)})
}

// capture is the variable around the function that an expression is, or is a
// part of; nil if it is none.
func (t *transaction) capture(e ast.Expr) types.Object {
	for {
		switch x := e.(type) {
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.Ident:
			v, ok := t.info.Uses[x].(*types.Var)
			if !ok || v.Pos() >= t.f.Pos() && v.Pos() < t.f.End() || v.IsField() {
				return nil
			}
			return v
		default:
			return nil
		}
	}
}

// inspect looks for what the function does to what is around it.
func (t *transaction) inspect() {
	ast.Inspect(t.f.Body, func(n ast.Node) bool {
		for _, to := range assigned(n) {
			if v := t.capture(to); v != nil {
				t.report(n, "assigns %s", v.Name())
			}
		}
		switch n := n.(type) {
		case *ast.UnaryExpr:
			if v := t.capture(n.X); v != nil && n.Op == token.AND {
				t.report(n, "takes the address of %s", v.Name())
			}
		case *ast.SendStmt:
			if v := t.capture(n.Chan); v != nil {
				t.report(n, "sends on %s", v.Name())
			}
		case *ast.CallExpr:
			t.inspectCall(n)
		case *ast.Ident:
			v := t.capture(n)
			if v == nil {
				break
			}
			if v.Type().String() == "context.Context" {
				t.report(n, "uses the context %s of its caller", v.Name())
			}
			t.captured[v] = true
		}
		return true
	})
}

// inspectCall looks for calls that change what they are given.
func (t *transaction) inspectCall(call *ast.CallExpr) {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		if _, ok := t.info.Uses[f].(*types.Builtin); !ok || len(call.Args) == 0 {
			return
		}
		v := t.capture(call.Args[0])
		switch {
		case v == nil:
		case f.Name == "append":
			t.report(call, "appends to %s", v.Name())
		case slices.Contains([]string{"clear", "close", "copy", "delete"}, f.Name):
			t.report(call, "changes %s", v.Name())
		}
	case *ast.SelectorExpr:
		v, method := t.capture(f.X), t.info.Selections[f]
		if v == nil || method == nil || method.Kind() != types.MethodVal || t.throughPointer(f.X) {
			return
		}
		recv := method.Obj().(*types.Func).Signature().Recv()
		if _, pointer := recv.Type().(*types.Pointer); pointer {
			t.report(call, "calls %s on %s", f.Sel.Name, v.Name())
		}
	}
}

// throughPointer reports whether an expression leads through a pointer to
// something that more than this function refers to.
func (t *transaction) throughPointer(e ast.Expr) bool {
	for {
		if _, ok := t.info.Types[e].Type.Underlying().(*types.Pointer); ok {
			return true
		}
		x, ok := e.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		e = x.X
	}
}

// inspectAround looks for assignments to what the function reads that can come
// after it was given away.
func (t *transaction) inspectAround() {
	var loops []ast.Node
	ast.Inspect(t.around.Body, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			if n.Pos() < t.f.Pos() && t.f.End() <= n.End() {
				loops = append(loops, n)
			}
		}
		return n != t.f
	})
	ast.Inspect(t.around.Body, func(n ast.Node) bool {
		if n == t.f {
			return false
		}
		for _, to := range assigned(n) {
			v := t.capture(to)
			if v == nil || !t.captured[v] {
				continue
			}
			again := slices.ContainsFunc(loops, func(loop ast.Node) bool {
				return loop.Pos() <= n.Pos() && n.End() <= loop.End() && (v.Pos() < loop.Pos() || v.Pos() >= loop.End())
			})
			if n.End() > t.f.Pos() || again {
				t.report(n, "reads %s, which is assigned after it", v.Name())
			}
		}
		return true
	})
}

// assigned are the expressions that a statement assigns to.
func assigned(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		return n.Lhs // what := declares is not in Uses
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.RangeStmt:
		return []ast.Expr{n.Key, n.Value}
	}
	return nil
}
