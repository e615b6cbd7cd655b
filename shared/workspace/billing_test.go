package workspace_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	gojson "github.com/go-json-experiment/json"

	"paddock/shared/fault"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// TestPlansInclude holds which plan has what, as the specification says.
func TestPlansInclude(t *testing.T) {
	for f, want := range map[workspace.Feature][2]bool{ // essentials, enterprise
		workspace.IPAllowlist:   {true, true},
		workspace.SSO:           {false, true},
		workspace.LongRetention: {false, true},
		"":                      {false, false},
		"websh":                 {false, false},
	} {
		if got := [2]bool{workspace.Essentials.Includes(f), workspace.Enterprise.Includes(f)}; got != want {
			t.Errorf("%q: %v, want %v", f, got, want)
		}
		if workspace.Plan("").Includes(f) || workspace.Plan("free").Includes(f) {
			t.Errorf("%q comes with no plan", f)
		}
	}
	if len(workspace.Enterprise.Has()) != len(workspace.Features) {
		t.Error("enterprise lacks something")
	}
	w, err := workspace.Decode(table.Item{Payload: []byte(`{}`)})
	if err != nil || w.Billing.Plan != workspace.Enterprise || w.Billing.Room(1<<30) != nil {
		t.Errorf("stored before there were plans: %v, %v", w.Billing, err)
	}
}

// comes says what the features that nothing asks for yet come with.
var comes = map[string]string{
	"IPAllowlist":   "networks and IP allowlists",
	"SSO":           "sign-in by SAML",
	"LongRetention": "a retention of the workspace's own; that of the deployment is its operator's",
}

// TestEachFeatureIsAskedOrComes looks through the product's code for where plans
// are asked: each feature is, or has its line above, and never both.
func TestEachFeatureIsAskedOrComes(t *testing.T) {
	names, asked := map[string]bool{}, map[string]bool{}
	files := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				called, ok := n.Fun.(*ast.SelectorExpr)
				if !ok || called.Sel.Name != "Includes" || len(n.Args) != 1 {
					return true
				}
				if of, ok := n.Args[0].(*ast.SelectorExpr); ok {
					asked[of.Sel.Name] = true
				}
			case *ast.ValueSpec:
				if of, ok := n.Type.(*ast.Ident); ok && of.Name == "Feature" && strings.HasSuffix(path, "billing.go") {
					for _, name := range n.Names {
						names[name.Name] = true
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != len(workspace.Features) || len(names) == 0 {
		t.Fatalf("%d constants, %d features", len(names), len(workspace.Features))
	}
	for name := range names {
		if asked[name] == (comes[name] != "") {
			t.Errorf("%s: asked %t, comes with %q", name, asked[name], comes[name])
		}
	}
	for name := range comes {
		if !names[name] {
			t.Errorf("%s is no feature", name)
		}
	}
}

// TestBillingIsChangedByName sends each field alone, good and bad.
func TestBillingIsChangedByName(t *testing.T) {
	now := workspace.Billing{Plan: workspace.Enterprise, ContactName: "Ada", ContactEmail: "ada@x.example", Seats: 5}
	mask := func(s string) string { return "masked " + s[:1] }
	for _, c := range []struct {
		patch, source, change string
		want                  workspace.Billing
	}{
		{patch: `{}`, want: now},
		{patch: `{"plan":"enterprise","contact_name":"Ada","contact_email":"ada@x.example","seats":5}`, want: now},
		{patch: `{"plan":"essentials"}`, change: "plan enterprise essentials", want: workspace.Billing{Plan: workspace.Essentials, ContactName: "Ada", ContactEmail: "ada@x.example", Seats: 5}},
		{patch: `{"contact_name":""}`, change: "contact_name Ada ", want: workspace.Billing{Plan: workspace.Enterprise, ContactEmail: "ada@x.example", Seats: 5}},
		{patch: `{"contact_email":"bob@x.example"}`, change: "contact_email masked a masked b", want: workspace.Billing{Plan: workspace.Enterprise, ContactName: "Ada", ContactEmail: "bob@x.example", Seats: 5}},
		{patch: `{"contact_email":""}`, change: "contact_email masked a ", want: workspace.Billing{Plan: workspace.Enterprise, ContactName: "Ada", Seats: 5}},
		{patch: `{"seats":null}`, change: "seats 5 no limit", want: workspace.Billing{Plan: workspace.Enterprise, ContactName: "Ada", ContactEmail: "ada@x.example"}},
		{patch: `{"seats":1}`, change: "seats 5 1", want: workspace.Billing{Plan: workspace.Enterprise, ContactName: "Ada", ContactEmail: "ada@x.example", Seats: 1}},
		{patch: `{"seats":10000}`, change: "seats 5 10000", want: workspace.Billing{Plan: workspace.Enterprise, ContactName: "Ada", ContactEmail: "ada@x.example", Seats: 10_000}},
		{patch: `{"seats":0}`, source: "seats"},
		{patch: `{"seats":10001}`, source: "seats"},
		{patch: `{"seats":-1}`, source: "seats"},
		{patch: `{"plan":"Enterprise"}`, source: "plan"},
		{patch: `{"plan":""}`, source: "plan"},
		{patch: `{"contact_name":"a\u0007b"}`, source: "contact_name"},
		{patch: `{"contact_name":"` + strings.Repeat("a", 101) + `"}`, source: "contact_name"},
	} {
		var p workspace.BillingPatch
		err := gojson.Unmarshal([]byte(c.patch), &p)
		var got workspace.Billing
		change := ""
		if err == nil {
			next, changes, failed := now.Apply(p, mask)
			got, err = next, failed
			for _, one := range changes {
				change += one.Path + " " + one.Before + " " + one.After
			}
		}
		refusal, refused := errors.AsType[fault.Error](err)
		if refused != (c.source != "") || refusal.Source != c.source || got != c.want || change != c.change {
			t.Errorf("%s: %v, %q, %v", c.patch, got, change, err)
		}
	}
	for _, bad := range []string{`"5"`, `5.0`, `1e3`, `true`, `[]`} {
		var p workspace.BillingPatch
		if err := json.Unmarshal([]byte(`{"seats":`+bad+`}`), &p); err == nil {
			t.Errorf("seats %s: %v", bad, p.Seats)
		}
	}
}

// TestThereIsRoomUpToTheSeats holds both sides of the bound.
func TestThereIsRoomUpToTheSeats(t *testing.T) {
	for _, c := range []struct {
		seats, used int
		room        bool
	}{{0, 9_999, true}, {2, 1, true}, {2, 2, false}, {2, 3, false}, {1, 0, true}} {
		if err := (workspace.Billing{Seats: c.seats}).Room(c.used); (err == nil) != c.room || err != nil && !errors.Is(err, workspace.ErrSeatsUsed) {
			t.Errorf("%v: %v", c, err)
		}
	}
}
