package httpapi_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"paddock/shared/fault"
	"paddock/shared/httpapi"
)

var update = flag.Bool("update", false, "rewrite the golden file")

var snake = regexp.MustCompile(`^[a-z]+(_[a-z0-9]+)*$`)

// TestCodesAreGolden finds every refusal in the sources of the product: codes
// are part of the contract, so that none appears, changes or goes unseen.
func TestCodesAreGolden(t *testing.T) {
	found := codes(t)
	kinds := map[string]fault.Kind{}
	for _, k := range fault.Kinds {
		kinds[strings.ReplaceAll(k.String(), "_", "")] = k
	}
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "code\tkind\tstatus\tpackages")
	for _, code := range slices.Sorted(maps.Keys(found)) {
		if !snake.MatchString(code) {
			t.Errorf("the code %q is not in snake_case", code)
		}
		if len(found[code]) != 1 {
			t.Errorf("the code %q is of several kinds: %v", code, found[code])
		}
		for name, packages := range found[code] {
			k, ok := kinds[strings.ToLower(name)]
			if !ok {
				t.Fatalf("%q has the kind %s, which is none", code, name)
			}
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", code, k, httpapi.StatusOfKind(k), strings.Join(slices.Sorted(maps.Keys(packages)), " "))
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/codes.golden"
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("the codes differ from %s; after review, write it with -update:\n%s", golden, out.Bytes())
	}
}

// codeUses tell, for each kind, in which packages a code is used with it.
type codeUses map[string]map[string]bool

// codes walks the sources for literals of fault.Error and calls of fault.Field.
func codes(t *testing.T) map[string]codeUses {
	t.Helper()
	found := map[string]codeUses{}
	root := filepath.Join("..", "..")
	for _, top := range []string{"shared", "functions", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			folder, err := filepath.Rel(root, filepath.Dir(path))
			if err != nil || folder == "shared/fault" {
				return err
			}
			return walk(t, path, filepath.ToSlash(folder), found)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(found) < 20 {
		t.Fatalf("only %d codes found: the walk does not see them", len(found))
	}
	return found
}

func walk(t *testing.T, path, folder string, found map[string]codeUses) error {
	t.Helper()
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	note := func(at token.Pos, code ast.Expr, kind string) {
		literal, ok := code.(*ast.BasicLit)
		if !ok || kind == "" {
			t.Errorf("%s: the code or kind of this refusal is not written out", files.Position(at))
			return
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		if found[text] == nil {
			found[text] = codeUses{}
		}
		if found[text][kind] == nil {
			found[text][kind] = map[string]bool{}
		}
		found[text][kind][folder] = true
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if isFault(n.Type, "Error") && len(n.Elts) > 0 {
				code, kind := fields(n)
				note(n.Pos(), code, kind)
			}
		case *ast.CallExpr:
			if isFault(n.Fun, "Field") && len(n.Args) == 3 {
				note(n.Pos(), n.Args[1], "Invalid")
			}
		}
		return true
	})
	return nil
}

func isFault(e ast.Expr, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	p, ok := s.X.(*ast.Ident)
	return ok && p.Name == "fault"
}

// fields returns the code and the name of the kind in a literal of fault.Error.
func fields(n *ast.CompositeLit) (code ast.Expr, kind string) {
	for _, e := range n.Elts {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return nil, ""
		}
		key, ok := pair.Key.(*ast.Ident)
		if !ok {
			return nil, ""
		}
		switch key.Name {
		case "Code":
			code = pair.Value
		case "Kind":
			if s, ok := pair.Value.(*ast.SelectorExpr); ok {
				kind = s.Sel.Name
			}
		}
	}
	return code, kind
}
