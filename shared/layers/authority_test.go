package layers_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"paddock/shared/table"
)

var update = flag.Bool("update", false, "rewrite the golden files") //nolint:gochecknoglobals // a flag

// sources calls visit with each Go file of the module that is no test.
func sources(t *testing.T, visit func(path string, file *ast.File)) {
	t.Helper()
	root := filepath.Join("..", "..")
	files := token.NewFileSet()
	seen := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && (entry.Name() == "node_modules" || (strings.HasPrefix(entry.Name(), ".") && entry.Name() != "..")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		seen++
		own, err := filepath.Rel(root, path)
		visit(filepath.ToSlash(own), file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 100 {
		t.Fatalf("only %d files were found", seen)
	}
}

// golden compares lines with a golden file, or rewrites it.
func golden(t *testing.T, name string, lines []string) {
	t.Helper()
	got := strings.Join(lines, "\n") + "\n"
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is stale; got\n%s", file, got)
	}
}

// TestWhoMakesAuthority holds the list of every caller that gets a proof
// without a decision. Each new line in it is for a reviewer to believe.
func TestWhoMakesAuthority(t *testing.T) {
	var lines []string
	sources(t, func(path string, file *ast.File) {
		for _, declared := range file.Decls {
			function, ok := declared.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(function, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				selector, ok := call.Fun.(*ast.SelectorExpr)
				if !ok || (selector.Sel.Name != "ForTask" && selector.Sel.Name != "ForCeremony") {
					return true
				}
				if of, ok := selector.X.(*ast.Ident); !ok || of.Name != "authz" {
					t.Errorf("%s: %s of something else than authz", path, selector.Sel.Name)
				}
				named, ok := call.Args[1].(*ast.BasicLit)
				if !ok {
					t.Errorf("%s: %s does not name its entry by a literal", path, selector.Sel.Name)
					return true
				}
				lines = append(lines, path+" "+function.Name.Name+" "+selector.Sel.Name+" "+named.Value)
				return true
			})
		}
	})
	slices.Sort(lines)
	golden(t, "authority.golden", slices.Compact(lines))
}

// TestScratchKindsAreTheGoldenOnes holds the list of what changes without an
// event.
func TestScratchKindsAreTheGoldenOnes(t *testing.T) {
	var lines []string
	for kind, name := range table.ScratchKinds {
		lines = append(lines, name)
		if kind == 0 || name == "" {
			t.Errorf("scratch kind %d has the name %q", kind, name)
		}
	}
	slices.Sort(lines)
	golden(t, "scratch.golden", lines)
}

// TestReleaseBuildHasNoClockToMove looks at which files the two builds of the
// functions are made from: what moves the clock or points at another engine is
// in the local build alone.
func TestReleaseBuildHasNoClockToMove(t *testing.T) {
	files := func(tags string) string {
		t.Helper()
		out, err := exec.Command("go", "list", "-deps", "-tags", tags, "-f", `{{if not .Standard}}{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{end}}`, "paddock/functions/...").Output()
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for file := range strings.Lines(string(out)) {
			if !strings.Contains(file, "/shared/") && !strings.Contains(file, "/functions/") {
				continue
			}
			source, err := os.ReadFile(strings.TrimSpace(file))
			if err != nil {
				t.Fatal(err)
			}
			text.Write(source)
		}
		return text.String()
	}
	release, local := files("lambda.norpc"), files("lambda.norpc,local")
	for _, word := range []string{"PADDOCK_CLOCK_FILE", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"} {
		if strings.Contains(release, word) {
			t.Errorf("the release build knows %s", word)
		}
		if !strings.Contains(local, word) {
			t.Errorf("the local build does not know %s: the check finds nothing", word)
		}
	}
}
