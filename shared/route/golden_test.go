package route_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"
	"text/tabwriter"

	"paddock/shared/permission"
	"paddock/shared/route"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// TestRowsAreGolden shows every row with its rule, so that a change of who may
// do what is reviewed as a line of its own.
func TestRowsAreGolden(t *testing.T) {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "method\tpath\tfunction\trule\tpermission\tfresh\thalf\tconsole\tdevice\tdry run\twire")
	for _, row := range route.Rows {
		granted := "-"
		if row.Rule.Permission != (permission.Permission{}) {
			granted = row.Rule.Permission.String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.Method, row.Path, row.Function, row.Rule.Form, granted,
			freshness(row.Rule), mark(row.Rule.Half), mark(row.Rule.Console), mark(row.Rule.Device), mark(row.Rule.DryRun), mark(row.Wire))
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/routes.golden"
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
		t.Errorf("the rows differ from %s; after review, write it with -update:\n%s", golden, out.Bytes())
	}
}

// freshness tells whether a row asks for a fresh proof, and of whom.
func freshness(r route.Rule) string {
	if r.CLI {
		return "if able"
	}
	return mark(r.Fresh)
}

func mark(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}

// TestRowsAreSound holds what no handler could make up for: a rule that says
// what it asks, and one row for each method and path.
func TestRowsAreSound(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range route.Rows {
		name := row.Method + " " + row.Path
		if seen[name] {
			t.Errorf("%s stands twice", name)
		}
		seen[name] = true
		r := row.Rule
		if none := r.Permission == (permission.Permission{}); none != (r.Form == route.Public) || (r.Form == route.Public) != (r.Reason != "") {
			t.Errorf("%s: the rule %q says too little or too much", name, r)
		}
		if r.CLI && (!r.Fresh || r.Console) || (r.Fresh || r.Half) && r.Form == route.Public || r.Half && (r.Form != route.Self || r.Fresh) ||
			r.DryRun && (r.Form == route.Public || r.Form == route.Self || row.Method == "GET") ||
			r.Device && (r.Form != route.Self || r.Fresh || r.Half || r.Console) {
			t.Errorf("%s: the rule %q contradicts itself", name, r)
		}
	}
	if len(seen) == 0 {
		t.Error("there are no rows")
	}
}

func TestFormsHaveNames(t *testing.T) {
	names := map[string]bool{}
	for _, f := range route.Forms {
		names[f.String()] = true
	}
	if len(names) != len(route.Forms) || names["unknown"] || route.Form(0).String() != "unknown" {
		t.Errorf("names %v of %d forms", names, len(route.Forms))
	}
}
