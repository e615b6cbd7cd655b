package world_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/route"
)

// A position is where a row takes an identifier, a secret or a name: a parameter
// of the path or the query, or a member of the body, as a dotted path in which []
// is the only member of a list.
type position struct {
	row  route.Row
	in   string // path, query or body
	name string
	form form
	dry  bool // it is a change that is only looked at
}

func (p position) String() string {
	path := p.row.Path
	if p.dry {
		path += "?dry_run=true"
	}
	return p.row.Method + " " + path + " " + p.in + " " + p.name
}

// A form is what stands at a position.
type form string

const (
	identifier form = "id"
	secret     form = "secret"
	name       form = "name"
	plain      form = "plain" // tells nothing of what is stored
)

// forms says of texts that are no uuid what they are. A text of the API that is
// not listed fails the test: whoever adds one decides.
var forms = map[form][]string{
	identifier: {"id", "object", "scope.objects.[]", "roles.[]"},
	secret:     {"token", "ticket", "device_code", "refresh_token", "registration_token", "user_code", "cursor"},
	name:       {"query name", "query search", "query username", "POST /api/iam/memberships/ username"},
	plain: {
		"action", "added_at", "allowed_mfa_methods.[]", "app", "audience", "author.email", "author.name", "client_id", "code", "command", "config", "contact_email", "contact_name", "content",
		"current", "date_joined", "description", "display_name", "email", "expires_at", "first_name", "grant_type", "groupname", "groups.[]",
		"hardware_key_models.[]", "home_directory", "home_directory_permission", "kind", "language", "last_name", "line", "login", "managers.[].email", "managers.[].name",
		"mfa_required_actions.[]", "model", "name", "owner.email", "owner.name", "password", "path", "pattern", "pending_email", "permission", "permissions.[]",
		"phone", "platform", "reason", "role", "rules.[].action", "rules.[].command", "rules.[].groupname", "rules.[].path", "rules.[].username", "scope", "scope.patterns.[]", "scopes.[]", "server.name", "server.os", "server_name", "server_patterns.[]",
		"servers.[].name", "servers.[].os", "shell", "step_up_methods.[]", "tags", "temporary_password_until", "timezone", "token_type_hint", "username",
		"workspace_url",
	},
}

// filters are the parameters of queries that are ids, whatever their type says.
var filters = []string{"user", "group", "role", "server", "token", "application"}

func formOf(t *testing.T, p position, format string) form {
	t.Helper()
	switch {
	case format == "uuid" || p.in == "path" || p.in == "query" && slices.Contains(filters, p.name):
		return identifier
	case format == "date-time" || format == "date" || format == "email":
		return plain
	}
	for _, listed := range []string{p.row.Method + " " + p.row.Path + " " + p.name, p.in + " " + p.name, p.name} {
		for f, names := range forms {
			if slices.Contains(names, listed) {
				return f
			}
		}
	}
	t.Errorf("%s: is it an id, a secret, a name or plain?", p)
	return plain
}

// A schema is what the test reads of the description of the API.
type schema struct {
	Ref                 string `json:"$ref"`
	Type                any
	Format              string
	Enum                []any
	AnyOf, OneOf, AllOf []schema
	Properties          map[string]schema
	Items               *schema
}

// description is the API as it describes itself.
type description struct {
	Paths map[string]map[string]struct {
		Parameters []struct {
			In, Name string
			Schema   schema
		}
		RequestBody struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

// texts returns the formats of the texts in a schema, by their dotted paths.
func (d description) texts(s schema, at string, into map[string]string) {
	if s.Ref != "" {
		d.texts(d.Components.Schemas[filepath.Base(s.Ref)], at, into)
		return
	}
	for _, one := range slices.Concat(s.AnyOf, s.OneOf, s.AllOf) {
		d.texts(one, at, into)
	}
	for name, one := range s.Properties {
		d.texts(one, strings.TrimPrefix(at+"."+name, "."), into)
	}
	if s.Items != nil {
		d.texts(*s.Items, strings.TrimPrefix(at+".[]", "."), into)
	}
	if s.Enum == nil && strings.Contains(fmt.Sprint(s.Type), "string") {
		into[at] = s.Format
	}
}

// positions returns where the rows of the table take what may be somebody
// else's, from the description that is made of the handlers' types.
func positions(t *testing.T) []position {
	t.Helper()
	var d description
	text, err := os.ReadFile("../../shared/httpapi/api/openapi.json")
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []position
	for _, row := range route.Rows {
		if row.Path == "/api/openapi.json" {
			continue
		}
		told, ok := d.Paths[row.Path][strings.ToLower(row.Method)]
		if !ok {
			t.Errorf("%s %s is not described", row.Method, row.Path)
		}
		add := func(in, name, format string) {
			p := position{row: row, in: in, name: name}
			if p.form = formOf(t, p, format); p.form == plain {
				return
			}
			if row.Rule.DryRun { // before what is sent changes anything
				dry := p
				dry.dry = true
				out = append(out, dry)
			}
			out = append(out, p)
		}
		for _, named := range parameter.FindAllStringSubmatch(row.Path, -1) {
			add("path", named[1], "")
		}
		texts := map[string]string{}
		for _, p := range told.Parameters {
			if p.In == "query" {
				d.texts(p.Schema, p.Name, texts)
			}
		}
		in := "query"
		for _, body := range told.RequestBody.Content {
			in = "body"
			d.texts(body.Schema, "", texts)
		}
		for _, named := range slices.Sorted(maps.Keys(texts)) {
			add(in, named, texts[named])
		}
	}
	return out
}

var parameter = regexp.MustCompile(`\{([a-z]+)\}`)

// idKinds returns the kinds of identifiers that there are, from their package.
func idKinds(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../shared/id/*.go")
	if err != nil {
		t.Fatal(err)
	}
	out := []string{"Decision"} // a bare UUID
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok && len(s.Fields.List) == 0 {
					out = append(out, spec.Name.Name)
				}
			}
			return true
		})
	}
	return out
}

// seen is what an answer shows, and which operations it took.
type seen struct {
	status  int
	headers string
	body    string
	calls   []string
}

// A prober sends requests, each from a network of its own, so that no budget of
// one stands in the way of the next.
type prober struct {
	w    *world.Walk
	own  furniture
	sent int
	at   int // calls of the recorder that were looked at
}

// probe sends a row with a value at a position, as who holds the cookie.
func (p *prober) probe(t *testing.T, cookie string, at position, value string) seen {
	t.Helper()
	path := at.row.Path
	for _, named := range parameter.FindAllStringSubmatch(path, -1) {
		of := p.own.sampleOf(at.row, named[1])
		if at.in == "path" && named[1] == at.name {
			of = value
		}
		path = strings.Replace(path, named[0], of, 1)
	}
	if at.dry {
		path += "?dry_run=true"
	}
	var body any
	switch {
	case at.in == "query":
		path += "?" + url.Values{at.name: {value}}.Encode()
	case at.row.Method != http.MethodGet:
		fields := p.own.body(at, p.sent)
		if at.in == "body" {
			fields = put(fields, strings.Split(at.name, "."), value)
		}
		body = fields
	}
	return p.send(t, func(v *visitor.Visitor) *visitor.Visitor { return v.WithCookie(cookie) }, at.row.Method, path, body, value)
}

// put returns fields with a value at a dotted path.
func put(fields any, at []string, value string) any {
	if len(at) == 0 {
		return value
	}
	if at[0] == "[]" {
		return []any{put(nil, at[1:], value)}
	}
	out, ok := fields.(map[string]any)
	if !ok {
		out = map[string]any{}
	}
	out = maps.Clone(out)
	out[at[0]] = put(out[at[0]], at[1:], value)
	return out
}

var (
	named     = regexp.MustCompile(`"(request_id|decision_id)":"[^"]*"`)
	ofProbe   = regexp.MustCompile(`probe-\d{6}`)
	madeByOne = regexp.MustCompile(`"(id|key|challenge)":"[^"]*"`)
)

func (p *prober) send(t *testing.T, as func(*visitor.Visitor) *visitor.Visitor, method, path string, body any, value string) seen {
	t.Helper()
	p.sent++
	_, p.at = p.w.Entries.Recorder.Since(p.at)
	v := as(p.w.Entries.Visitor(p.w.Slug, fmt.Sprintf("10.%d.%d.1", p.sent/250, p.sent%250)))
	a, err := v.Do(t.Context(), method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	a.Header.Del("Date")
	text := strings.ReplaceAll(string(a.Body), value, "*")
	text = ofProbe.ReplaceAllString(named.ReplaceAllString(text, ""), "probe")
	if a.Status == http.StatusCreated {
		text = madeByOne.ReplaceAllString(text, "")
	}
	s := seen{status: a.Status, headers: fmt.Sprint(a.Header, len(text)), body: text}
	if a.Status >= http.StatusInternalServerError || a.Status == http.StatusTooManyRequests {
		t.Errorf("%s %s: %d %s", method, path, a.Status, a.Body)
	}
	calls, _ := p.w.Entries.Recorder.Since(p.at)
	for _, c := range calls {
		s.calls = append(s.calls, c.Operation+" "+keysIn(c.Input))
	}
	slices.Sort(s.calls)
	return s
}

func alike(a, b seen) bool {
	return a.status == b.status && a.headers == b.headers && a.body == b.body && slices.Equal(a.calls, b.calls)
}

// unread are answers to a request that was not looked into.
var unread = []string{`"malformed_json"`, `"unknown_field"`, "has the wrong type", "body_too_large"}

// TestWorkspacesAreIsolated sends each row, at each place where it takes an id, a
// secret or a name, what another workspace has of every kind, as a superuser and
// as a member: each is answered, in status, headers, body and operations, like
// what never was (security, ID-1, ID-5, ID-6). Rows, places and kinds are counted
// from the code.
func TestWorkspacesAreIsolated(t *testing.T) {
	theirs := furnished(t, "isolation-of-them")
	before := kindsOf(t, theirs.w)
	own := furnished(t, "isolation-of-us")
	for _, kind := range idKinds(t) {
		if theirs.ids[kind] == "" && !slices.Contains(unshown, kind) {
			t.Errorf("there is no sample of %s", kind)
		}
	}
	p := &prober{w: own.w, own: own}
	covered := map[string]int{}
	for _, at := range positions(t) {
		for who, cookie := range map[string]string{"superuser": own.w.Me.Cookie(), "member": own.member.Cookie()} {
			if at.row.Rule.Form == route.Public && who == "member" {
				continue // nobody is asked for
			}
			never := map[string]seen{} // by the form of what is sent
			for kind, value := range theirs.at(at) {
				other := ofForm(t, at, value)
				sent := func(value string) seen { return p.probe(t, cookie, at, value) }
				if _, ok := never[other]; !ok {
					never[other] = sent(other)
				}
				got := sent(value)
				if !alike(got, never[other]) { // what was in memory was not the same, perhaps
					never[other], got = sent(other), sent(value)
				}
				if !alike(got, never[other]) {
					t.Errorf("%s as %s tells a foreign %s: %+v, never there: %+v", at, who, kind, got, never[other])
				}
				if slices.ContainsFunc(unread, func(text string) bool { return strings.Contains(got.body, text) }) && at.form != secret {
					t.Errorf("%s as %s is not looked into: %s", at, who, got.body)
				}
				covered[at.String()]++
			}
		}
		if covered[at.String()] == 0 {
			t.Errorf("%s has no probe", at)
		}
	}
	t.Logf("%d places, %d requests", len(covered), p.sent)
	if now := kindsOf(t, theirs.w); !maps.Equal(now, before) {
		t.Errorf("the other workspace has events of it: %v, before %v", now, before)
	}
	settled(t, theirs.w)
}

// TestForeignCredentialsOpenNothing sends each row with credentials of another
// workspace: each is answered like one of its form that never was (security,
// ID-4).
func TestForeignCredentialsOpenNothing(t *testing.T) {
	theirs, own := furnished(t, "credentials-of-them"), furnished(t, "credentials-of-us")
	before := kindsOf(t, theirs.w)
	p := &prober{w: own.w, own: own}
	rows := 0
	for _, row := range route.Rows {
		path := parameter.ReplaceAllStringFunc(row.Path, func(named string) string { return own.sampleOf(row, strings.Trim(named, "{}")) })
		var body any
		if row.Method != http.MethodGet {
			body = map[string]any{}
		}
		probes := 0
		for kind, present := range credentials {
			value := theirs.secrets[kind]
			never := altered(value)
			if kind != "access token" {
				never = ofForm(t, position{form: secret}, value)
			}
			send := func(value string) seen {
				return p.send(t, func(v *visitor.Visitor) *visitor.Visitor { return present(v, value) }, row.Method, path, body, value)
			}
			want, got := send(never), send(value)
			if !alike(want, got) {
				want, got = send(never), send(value)
			}
			if !alike(want, got) {
				t.Errorf("%s %s with a foreign %s: %+v, never there: %+v", row.Method, row.Path, kind, got, want)
			} else if row.Rule.Form != route.Public && got.status != http.StatusUnauthorized {
				t.Errorf("%s %s with a foreign %s: %+v", row.Method, row.Path, kind, got)
			}
			probes++
		}
		if probes == len(credentials) {
			rows++
		}
	}
	if rows != len(route.Rows) {
		t.Errorf("%d rows of %d were sent", rows, len(route.Rows))
	}
	if now := kindsOf(t, theirs.w); !maps.Equal(now, before) {
		t.Errorf("the other workspace has events of it: %v, before %v", now, before)
	}
	settled(t, theirs.w)
}

// credentials are how each kind of credential is presented.
var credentials = map[string]func(*visitor.Visitor, string) *visitor.Visitor{
	"session":       (*visitor.Visitor).WithCookie,
	"API token":     bearing,
	"service token": bearing,
	"access token":  as,
}

func bearing(v *visitor.Visitor, value string) *visitor.Visitor {
	v.Bearer = value
	return v
}

// ofForm returns what is of the form of a value, and names nothing.
func ofForm(t *testing.T, at position, value string) string {
	t.Helper()
	if _, err := id.ParseUUID(value); err == nil {
		return nobody
	}
	if s, err := credential.Parse(value); err == nil {
		made, err := credential.New(rand.Reader, s.Prefix(), s.Workspace(), id.UUID{15: 8})
		if err != nil {
			t.Fatal(err)
		}
		return made.Reveal()
	}
	if at.form == name || strings.Contains(value, "-") {
		return strings.Map(func(r rune) rune {
			if r == '-' || r == '@' || r == '.' || r == ' ' {
				return r
			}
			return map[bool]rune{true: 'B', false: 'q'}[r >= 'A' && r <= 'Z']
		}, value)
	}
	return altered(value)
}
