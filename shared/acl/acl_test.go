package acl_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"paddock/shared/acl"
	"paddock/shared/pattern"
)

// read decodes a file of vectors.
func read[T any](t *testing.T, name string) (vectors T) {
	t.Helper()
	bytes, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(bytes, &vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}

type account struct {
	Command   string `json:"command"`
	Path      string `json:"path"`
	Action    string `json:"action"`
	Username  string `json:"username"`
	Groupname string `json:"groupname"`
}

func (a account) as() acl.Account { return acl.Account{User: a.Username, Group: a.Groupname} }

type commandVectors struct {
	Limits struct {
		PatternBytes int `json:"pattern_bytes"`
		Wildcards    int `json:"wildcards"`
		CommandBytes int `json:"command_bytes"`
	} `json:"limits"`
	Rows []struct {
		Rules         []string `json:"rules"`
		Command       string   `json:"command"`
		CommandRepeat [][2]any `json:"command_repeat"`
		Expect        string   `json:"expect"`
		Why           string   `json:"why"`
	} `json:"rows"`
	TokenIdentity []struct {
		Rule    account `json:"rule"`
		Request account `json:"request"`
		Expect  string  `json:"expect"`
		Why     string  `json:"why"`
	} `json:"token_identity"`
}

func TestCommandVectors(t *testing.T) {
	vectors := read[commandVectors](t, "command-acl.json")
	if l := vectors.Limits; l.PatternBytes != pattern.MaxBytes || l.Wildcards != pattern.MaxWildcards || l.CommandBytes != pattern.MaxCommand {
		t.Errorf("the limits are %+v", l)
	}
	if len(vectors.Rows) < 70 || len(vectors.TokenIdentity) < 6 {
		t.Fatalf("only %d and %d cases were found", len(vectors.Rows), len(vectors.TokenIdentity))
	}
	for _, c := range vectors.Rows {
		var rows []acl.CommandRow
		for _, text := range c.Rules {
			row, err := acl.ParseCommandRow(text, acl.Account{})
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			rows = append(rows, row)
		}
		command := c.Command
		for _, repeat := range c.CommandRepeat {
			command += strings.Repeat(repeat[0].(string), int(repeat[1].(float64)))
		}
		if _, got := acl.AllowCommand(rows, command, acl.Account{}); got != decision(t, c.Expect) {
			t.Errorf("%q on %.60q: %t, want %s (%s)", c.Rules, command, got, c.Expect, c.Why)
		}
	}
	for _, c := range vectors.TokenIdentity {
		row, err := acl.ParseCommandRow(c.Rule.Command, c.Rule.as())
		if c.Expect == "deny unless '*' is a documented value" {
			// It is none, and a row that allows nothing is not saved.
			refuses(t, err, "username")
		} else if err != nil {
			t.Errorf("%+v: %v", c.Rule, err)
		}
		want := c.Expect == "allow"
		if got := row.Allows(c.Request.Command, c.Request.as()); got != want {
			t.Errorf("%+v on %+v: %t, want %s (%s)", c.Rule, c.Request, got, c.Expect, c.Why)
		}
	}
}

func decision(t *testing.T, expect string) bool {
	t.Helper()
	switch expect {
	case "allow", "match":
		return true
	case "deny", "no-match":
		return false
	}
	t.Fatalf("what is %q?", expect)
	return false
}

// refuses fails unless err is about the field.
func refuses(t *testing.T, err error, field string) {
	t.Helper()
	if e, ok := errors.AsType[acl.Error](err); !ok || e.Field != field || e.Reason == "" {
		t.Errorf("got %v, want an error of the field %s", err, field)
	}
}

type pathVectors struct {
	Rows []struct {
		Rules  []string `json:"rules"`
		Path   string   `json:"path"`
		Expect string   `json:"expect"`
		Why    string   `json:"why"`
	} `json:"rows"`
	Actions []struct {
		Rule    account `json:"rule"`
		Request account `json:"request"`
		Expect  string  `json:"expect"`
	} `json:"actions"`
	ServerPatterns []struct {
		Pattern string `json:"pattern"`
		Name    string `json:"name"`
		Expect  string `json:"expect"`
	} `json:"server_patterns"`
}

func TestPathVectors(t *testing.T) {
	vectors := read[pathVectors](t, "path-acl.json")
	if len(vectors.Rows) < 39 || len(vectors.Actions) < 4 {
		t.Fatalf("only %d and %d cases were found", len(vectors.Rows), len(vectors.Actions))
	}
	for _, c := range vectors.Rows {
		var rows []acl.FileRow
		for _, text := range c.Rules {
			row, err := acl.ParseFileRow(text, "*", acl.Account{})
			switch {
			case !strings.HasPrefix(text, "/"):
				refuses(t, err, "path")
			case err != nil:
				t.Fatalf("%q: %v", text, err)
			}
			rows = append(rows, row)
		}
		for _, action := range []acl.Action{acl.Upload, acl.Download} {
			if _, got := acl.AllowFile(rows, c.Path, action, acl.Account{}); got != decision(t, c.Expect) {
				t.Errorf("%q on %q: %t, want %s (%s)", c.Rules, c.Path, got, c.Expect, c.Why)
			}
		}
	}
	for _, c := range vectors.Actions {
		row, err := acl.ParseFileRow(c.Rule.Path, c.Rule.Action, acl.Account{})
		if c.Expect == "rule refused when saved" {
			refuses(t, err, "action")
		} else if err != nil {
			t.Errorf("%+v: %v", c.Rule, err)
		}
		action, err := acl.ParseAction(c.Request.Action)
		if err != nil {
			t.Fatal(err)
		}
		if got := row.Allows(c.Request.Path, action, acl.Account{}); got != (c.Expect == "allow") {
			t.Errorf("%+v on %+v: %t, want %s", c.Rule, c.Request, got, c.Expect)
		}
	}
}

func TestServerVectors(t *testing.T) {
	vectors := read[pathVectors](t, "path-acl.json").ServerPatterns
	if len(vectors) < 16 {
		t.Fatalf("only %d cases were found", len(vectors))
	}
	for _, c := range vectors {
		p, err := pattern.Parse(pattern.Name, c.Pattern)
		if refused := c.Expect == "refused when saved"; (err != nil) != refused {
			t.Errorf("%q: %v", c.Pattern, err)
		}
		if got := p.Match(c.Name); got != (c.Expect == "match") {
			t.Errorf("%q on %q: %t, want %s", c.Pattern, c.Name, got, c.Expect)
		}
	}
}

func TestRowsNameTheWrongField(t *testing.T) {
	for _, c := range []struct {
		field string
		as    acl.Account
	}{
		{"username", acl.Account{User: "*"}},
		{"username", acl.Account{User: "ro*t"}},
		{"username", acl.Account{User: " root"}},
		{"username", acl.Account{User: "root\n"}},
		{"username", acl.Account{User: "ro\u200bot"}},
		{"username", acl.Account{User: "\xff"}},
		{"username", acl.Account{User: "root:0"}},
		{"username", acl.Account{User: "../root"}},
		{"username", acl.Account{User: strings.Repeat("a", acl.MaxAccount+1)}},
		{"groupname", acl.Account{User: "root", Group: "*"}},
		{"groupname", acl.Account{Group: strings.Repeat("a", acl.MaxAccount+1)}},
	} {
		_, err := acl.ParseCommandRow("id", c.as)
		refuses(t, err, c.field)
		_, err = acl.ParseFileRow("/a", "*", c.as)
		refuses(t, err, c.field)
	}
	for _, name := range []string{"root", "Root", "j.doe", "svc-a$", "j@corp.example", `CORP\j`, "jörg", strings.Repeat("a", acl.MaxAccount)} {
		if _, err := acl.ParseCommandRow("id", acl.Account{User: name, Group: name}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	_, err := acl.ParseCommandRow("", acl.Account{})
	refuses(t, err, "command")
	_, err = acl.ParseFileRow("a", "*", acl.Account{})
	refuses(t, err, "path")
	_, err = acl.ParseFileRow("/a", "Upload", acl.Account{})
	refuses(t, err, "action")
}

func TestActionsHaveOneTextEach(t *testing.T) {
	for _, a := range acl.Actions {
		if back, err := acl.ParseAction(a.String()); err != nil || back != a {
			t.Errorf("%d prints as %q and is read as %d, %v", a, a, back, err)
		}
	}
	for _, text := range []string{"", "unknown", "UPLOAD", "upload ", "**", "upload|download"} {
		if a, err := acl.ParseAction(text); err == nil {
			t.Errorf("%q is %s", text, a)
		}
	}
}

// TestNothingAllowsNothing holds that no zero value opens anything.
func TestNothingAllowsNothing(t *testing.T) {
	wide, err := pattern.Parse(pattern.Path, "/**")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "/", "/a", "id"} {
		if (acl.CommandRow{}).Allows(text, acl.Account{}) || (acl.CommandRow{Command: wide}).Allows(text, acl.Account{}) {
			t.Errorf("%q is allowed as a command", text)
		}
		for _, action := range append(acl.Actions, 0, 9) {
			if (acl.FileRow{}).Allows(text, action, acl.Account{}) || (acl.FileRow{Path: wide}).Allows(text, action, acl.Account{}) {
				t.Errorf("%q is allowed to %s", text, action)
			}
		}
	}
	for _, action := range []acl.Action{0, acl.EitherWay, 9} {
		if (acl.FileRow{Path: wide, Action: acl.EitherWay}).Allows("/a", action, acl.Account{}) {
			t.Errorf("a request may be to %d", action)
		}
	}
	if (acl.CommandRow{}).Includes(acl.CommandRow{}) || (acl.FileRow{}).Includes(acl.FileRow{}) {
		t.Error("nothing includes nothing: a row that was never parsed may be handed out")
	}
}

// TestIncludedRowsAllowNoMore holds that handing out an included row opens
// nothing, and that one more thing in any field is refused.
func TestIncludedRowsAllowNoMore(t *testing.T) {
	texts := rapid.SampledFrom([]string{"/a", "/a/*", "/a/**", "/**", "/a/b", "/*/b", "/a/b*"})
	names := rapid.SampledFrom([]string{"", "root", "www"})
	actions := rapid.SampledFrom(acl.Actions)
	included := 0
	for range 50 {
		rapid.Check(t, func(t *rapid.T) {
			draw := func(name string) (acl.CommandRow, acl.FileRow) {
				text, as := texts.Draw(t, name), acl.Account{User: names.Draw(t, name+" user"), Group: names.Draw(t, name+" group")}
				c, err := acl.ParseCommandRow(text, as)
				if err != nil {
					t.Fatal(err)
				}
				f, err := acl.ParseFileRow(text, actions.Draw(t, name+" action").String(), as)
				if err != nil {
					t.Fatal(err)
				}
				return c, f
			}
			outerCommand, outerFile := draw("outer")
			innerCommand, innerFile := draw("inner")
			if rapid.Bool().Draw(t, "same account") {
				innerCommand.As, innerFile.As = outerCommand.As, outerFile.As
			}
			var moreCommand, moreFile string
			for _, text := range []string{"/", "/a", "/a/", "/a/b", "/a/bc", "/c/b", "/a/c/b", "/c"} {
				for _, user := range []string{"", "root", "www"} {
					for _, group := range []string{"", "root", "www"} {
						as := acl.Account{User: user, Group: group}
						if innerCommand.Allows(text, as) && !outerCommand.Allows(text, as) {
							moreCommand = fmt.Sprint(text, as)
						}
						for _, action := range []acl.Action{acl.Upload, acl.Download} {
							if innerFile.Allows(text, action, as) && !outerFile.Allows(text, action, as) {
								moreFile = fmt.Sprint(text, action, as)
							}
						}
					}
				}
			}
			if got := outerCommand.Includes(innerCommand); got != (moreCommand == "") {
				t.Fatalf("%v includes %v: %t, but %s", outerCommand, innerCommand, got, moreCommand)
			}
			if got := outerFile.Includes(innerFile); got != (moreFile == "") {
				t.Fatalf("%v includes %v: %t, but %s", outerFile, innerFile, got, moreFile)
			} else if got {
				included++
			}
		})
	}
	if included < 100 {
		t.Errorf("only %d were included", included)
	}
}

func TestDecisionsAllocateNothing(t *testing.T) {
	var commands []acl.CommandRow
	var files []acl.FileRow
	for i := range 500 {
		c, err := acl.ParseCommandRow(fmt.Sprintf("systemctl restart unit%d-*", i), acl.Account{})
		if err != nil {
			t.Fatal(err)
		}
		f, err := acl.ParseFileRow(fmt.Sprintf("/srv/app%d/**", i), "upload", acl.Account{})
		if err != nil {
			t.Fatal(err)
		}
		commands, files = append(commands, c), append(files, f)
	}
	if n := testing.AllocsPerRun(20, func() {
		if row, ok := acl.AllowCommand(commands, "systemctl restart unit499-a", acl.Account{}); !ok || row != 499 {
			t.Errorf("row %d, %t", row, ok)
		}
		if row, ok := acl.AllowFile(files, "/srv/app499/a/b", acl.Upload, acl.Account{}); !ok || row != 499 {
			t.Errorf("row %d, %t", row, ok)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
