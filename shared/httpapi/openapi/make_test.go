package openapi_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"paddock/shared/httpapi"
	"paddock/shared/httpapi/api"
	"paddock/shared/httpapi/openapi"
	"paddock/shared/httpapi/signin"
	"paddock/shared/route"
	"paddock/shared/workspace"
)

var update = flag.Bool("update", false, "write the committed description anew")

// committed is what the api function embeds.
const committed = "../api/openapi.json"

func bindings() []*httpapi.Binding {
	return slices.Concat(new(api.Face).Bindings(), new(signin.Face).Bindings())
}

func made(t *testing.T) []byte {
	t.Helper()
	d, err := openapi.Make(route.Rows, bindings())
	if err != nil {
		t.Fatal(err)
	}
	text, err := d.Text()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestCommittedDescriptionIsFresh(t *testing.T) {
	text := made(t)
	if *update {
		if err := os.WriteFile(committed, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, text) {
		t.Fatalf("%s is stale: run `make openapi` and review the difference", committed)
	}
}

func TestDescriptionIsValidOpenAPI(t *testing.T) {
	document, err := openapi3.NewLoader().LoadFromData(made(t))
	if err != nil {
		t.Fatal(err)
	}
	if !document.IsOpenAPI31OrLater() {
		t.Fatalf("the validator took it for version %s", document.OpenAPI)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A document as its readers see it, told apart from how it is made.
type document struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Security    []map[string][]string
		Parameters  []struct{ Name, In string }
		RequestBody *struct {
			Content map[string]struct {
				Schema struct {
					Ref   string `json:"$ref"`
					AnyOf []struct {
						Ref string `json:"$ref"`
					} `json:"anyOf"` // of a body that may be left out
				}
			}
		} `json:"requestBody"`
		Responses map[string]response
	}
	Components struct {
		Responses map[string]response
		Schemas   map[string]struct {
			AdditionalProperties *bool `json:"additionalProperties"`
			Required             []string
			Properties           map[string]struct {
				Minimum, Maximum json.Number
				Format           string
			}
		}
	}
}

// A response as its readers see it.
type response struct {
	Ref     string `json:"$ref"`
	Content map[string]struct {
		Schema struct {
			AllOf []struct {
				Ref        string `json:"$ref"`
				Properties struct{ Code, Error struct{ Enum []string } }
			} `json:"allOf"`
		}
	}
}

// read returns the description with what responses refer to in their place.
func read(t *testing.T) document {
	t.Helper()
	var d document
	if err := json.Unmarshal(made(t), &d); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, path := range d.Paths {
		for _, o := range path {
			for status, r := range o.Responses {
				name, shared := strings.CutPrefix(r.Ref, "#/components/responses/")
				if !shared {
					continue
				}
				named, ok := d.Components.Responses[name]
				if !ok {
					t.Fatalf("%s refers to %s, which is not there", o.OperationID, r.Ref)
				}
				o.Responses[status], used[name] = named, true
			}
		}
	}
	if len(used) != len(d.Components.Responses) {
		t.Errorf("%d responses are used of %d", len(used), len(d.Components.Responses))
	}
	return d
}

// TestEveryRowIsDescribed holds each operation to its row: who may call it,
// what it takes, and a problem with codes for every refusal.
func TestEveryRowIsDescribed(t *testing.T) {
	d := read(t)
	ids := map[string]bool{}
	for _, row := range route.Rows {
		o, ok := d.Paths[row.Path][strings.ToLower(row.Method)]
		if !ok {
			t.Errorf("%s %s is not described", row.Method, row.Path)
			continue
		}
		if ids[o.OperationID] {
			t.Errorf("two operations are called %s", o.OperationID)
		}
		ids[o.OperationID] = true
		if public := len(o.Security) == 0; public != (row.Rule.Form == route.Public) {
			t.Errorf("%s: security %v", o.OperationID, o.Security)
		}
		if strings.Contains(row.Path, "{id}") && (len(o.Parameters) == 0 || o.Parameters[0].In != "path") {
			t.Errorf("%s does not describe its path", o.OperationID)
		}
		if o.RequestBody != nil {
			schema := o.RequestBody.Content["application/json"].Schema
			ref := schema.Ref
			for _, one := range schema.AnyOf {
				ref = cmp.Or(ref, one.Ref)
			}
			name := strings.TrimPrefix(ref, "#/components/schemas/")
			closed := d.Components.Schemas[name].AdditionalProperties
			if strict := closed != nil && !*closed; strict == row.Wire {
				t.Errorf("%s takes unknown members: %t", o.OperationID, !strict)
			}
		}
		success := 0
		for status, r := range o.Responses {
			if status < "300" {
				success++
				continue
			}
			forms := r.Content["application/json"].Schema.AllOf
			if row.OAuth() {
				if len(forms) != 2 || forms[0].Ref != "#/components/schemas/OAuthProblem" || len(forms[1].Properties.Error.Enum) == 0 {
					t.Errorf("%s answers %s without problem and errors", o.OperationID, status)
				}
				continue
			}
			if len(forms) != 2 || forms[0].Ref != "#/components/schemas/Problem" || len(forms[1].Properties.Code.Enum) == 0 {
				t.Errorf("%s answers %s without problem and codes", o.OperationID, status)
			}
		}
		_, fine := o.Responses["200"]
		tried := slices.ContainsFunc(o.Parameters, func(p struct{ Name, In string }) bool { return p.Name == "dry_run" && p.In == "query" })
		if success != 1 && (success != 2 || !tried) || tried != row.Rule.DryRun || tried && !fine {
			t.Errorf("%s has %d successes, and is tried: %t", o.OperationID, success, tried)
		}
		for status, code := range expected(row) {
			if !slices.ContainsFunc(o.Responses[status].Content["application/json"].Schema.AllOf, func(f struct {
				Ref        string `json:"$ref"`
				Properties struct{ Code, Error struct{ Enum []string } }
			},
			) bool {
				return slices.Contains(append(f.Properties.Code.Enum, f.Properties.Error.Enum...), code)
			}) {
				t.Errorf("%s does not tell of %s %s", o.OperationID, status, code)
			}
		}
	}
}

// expected derives from the rule, apart from httpapi, what must be described.
func expected(row route.Row) map[string]string {
	out := map[string]string{"500": "internal_error", "413": "body_too_large"}
	if row.OAuth() {
		out = map[string]string{"500": "server_error", "413": "invalid_request", "503": "temporarily_unavailable"}
	}
	if row.Rule.Form != route.Public {
		out["401"] = "authentication_required"
	}
	if row.Rule.Form == route.Path {
		out["404"] = "not_found"
	}
	if row.Rule.Form == route.Everywhere {
		out["403"] = "permission_denied"
	}
	if row.Rule.Fresh {
		out["403"] = "auth_mfa_required"
	}
	return out
}

// TestBoundsAreThoseOfTheRules compares the bounds that tags repeat with the
// constants that are enforced.
func TestBoundsAreThoseOfTheRules(t *testing.T) {
	d := read(t)
	for _, c := range []struct {
		schema, field string
		low, high     int
	}{
		{"SecurityPatch", "mfa_timeout", workspace.MinMFATimeout, workspace.MaxMFATimeout},
		{"PreferencesPatch", "invite_ttl", workspace.MinInviteTTL, workspace.MaxInviteTTL},
		{"PreferencesPatch", "websh_session_timeout", workspace.MinWebshTimeout, workspace.MaxWebshTimeout},
	} {
		p := d.Components.Schemas[c.schema].Properties[c.field]
		low, lowErr := p.Minimum.Int64()
		high, highErr := p.Maximum.Int64()
		if lowErr != nil || highErr != nil || low != int64(c.low) || high != int64(c.high) {
			t.Errorf("%s.%s is described as %s to %s, the rule is %d to %d", c.schema, c.field, p.Minimum, p.Maximum, c.low, c.high)
		}
	}
}

// TestNoFunctionIsLinkedWithTheGenerator keeps reflection over schemas out of
// what is deployed.
func TestNoFunctionIsLinkedWithTheGenerator(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "paddock/functions/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := strings.Fields(string(out))
	if !slices.Contains(linked, "paddock/shared/httpapi/api") {
		t.Fatal("the list of linked packages lacks the api's own: it proves nothing")
	}
	for _, p := range linked {
		if strings.HasPrefix(p, "paddock/shared/httpapi/openapi") || strings.HasPrefix(p, "github.com/invopop/") || strings.HasPrefix(p, "github.com/getkin/") {
			t.Errorf("a function is linked with %s", p)
		}
	}
}
