// Package layers holds the order of the packages: imports go downwards only.
package layers_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// level returns the level of a package of this module, by its path below the
// module, or -1 when it has none. Source: docs/architecture.md, "Packages".
func level(path string) int {
	for _, l := range []struct {
		prefix string
		level  int
	}{
		{"shared/id", 0},
		{"shared/fault", 0},
		{"shared/permission", 0},
		{"shared/route", 0},
		{"shared/pattern", 0},
		{"shared/acl", 0},
		{"shared/authz", 1},
		{"shared/ingress", 1},
		{"shared/audit", 1},
		{"shared/table", 2},
		{"shared/seal", 2},
		{"shared/message", 2},
		{"shared/archive", 2},
		{"shared/outgoing", 2},
		{"shared/workspace", 3},
		{"shared/policy", 3},
		{"shared/role", 3},
		{"shared/application", 3},
		{"shared/group", 3},
		{"shared/server", 3},
		{"shared/impact", 3},
		{"shared/once", 3},
		{"shared/tally", 3},
		{"shared/identity", 3},
		{"shared/credential", 3},
		{"shared/accesstoken", 3},
		{"shared/session", 3},
		{"shared/token", 3},
		{"shared/usage", 3},
		{"shared/mfa", 3},
		{"shared/passkey", 3},
		{"shared/access", 3},
		{"shared/activity", 3},
		{"shared/provision", 3},
		{"shared/console", 3},
		{"shared/httpapi", 4},
		{"shared/consumer", 4},
		{"shared/aws/", 5},
		{"shared/lambdaio", 5},
		{"shared/wiring", 6},
		{"functions/", 7},
		{"localstack", 7},
		{"cmd/", 7},
		{"events", 7},
		{"infra", 7},
	} {
		if path == l.prefix || strings.HasPrefix(path, strings.TrimSuffix(l.prefix, "/")+"/") {
			return l.level
		}
	}
	return -1
}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "paddock/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 30 {
		t.Fatalf("only %d packages found", len(all))
	}
	return all
}

func TestImportsGoDownwards(t *testing.T) {
	for _, p := range packages(t) {
		own := strings.TrimPrefix(p.ImportPath, "paddock/")
		if own == "shared/layers" || strings.Contains(own, "/internal/gen") {
			continue
		}
		from := level(own)
		if from < 0 {
			t.Errorf("%s has no level: say in this test where it belongs", own)
		}
		for _, i := range p.Imports {
			path, ours := strings.CutPrefix(i, "paddock/")
			if ours && level(path) > from {
				t.Errorf("%s (level %d) imports %s (level %d): imports go downwards only", own, from, path, level(path))
			}
			if ours && from == 7 && strings.HasPrefix(path, "infra") && !strings.HasPrefix(own, "infra") {
				t.Errorf("%s imports %s: nobody imports the infrastructure", own, path)
			}
		}
	}
}

// TestOutsideImportsStayInTheirPlace keeps the SDK in its adapters, the Lambda
// runtime in lambdaio, and CDK in infra.
func TestOutsideImportsStayInTheirPlace(t *testing.T) {
	rules := []struct {
		prefix, why string
		may         []string
	}{
		{"github.com/aws/aws-sdk-go-v2", "only adapters know the SDK", []string{"shared/aws/", "shared/wiring", "localstack", "cmd/"}},
		{"github.com/aws/aws-lambda-go", "only lambdaio knows the Lambda runtime", []string{"shared/lambdaio", "localstack/coldstart/empty"}},
		{"github.com/aws/aws-cdk-go", "only the infrastructure knows CDK", []string{"infra"}},
		{"github.com/invopop/jsonschema", "only the description's generator reflects over schemas", []string{"shared/httpapi/openapi"}},
		{"github.com/goccy/go-yaml", "only the configuration of groups is YAML", []string{"shared/group/config"}},
		{"net/http", "no domain knows HTTP", []string{"shared/httpapi", "shared/lambdaio", "shared/aws/", "shared/wiring", "shared/console", "shared/session/cookie", "shared/credential/breach", "shared/outgoing", "localstack", "cmd/", "infra"}},
	}
	found := map[string]bool{}
	for _, p := range packages(t) {
		own := strings.TrimPrefix(p.ImportPath, "paddock/")
		for _, i := range p.Imports {
			for _, r := range rules {
				if i != r.prefix && !strings.HasPrefix(i, r.prefix+"/") {
					continue
				}
				found[r.prefix] = true
				ok := false
				for _, m := range r.may {
					ok = ok || own == m || strings.HasPrefix(own, strings.TrimSuffix(m, "/")+"/")
				}
				if !ok {
					t.Errorf("%s imports %s: %s", own, i, r.why)
				}
			}
		}
	}
	for _, r := range rules {
		if !found[r.prefix] {
			t.Errorf("nobody imports %s: the rule checks nothing", r.prefix)
		}
	}
}
