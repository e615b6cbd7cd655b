package config_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"paddock/shared/group/config"
	"paddock/shared/pattern"
)

// published is the example of the specification, with its layout put back.
const published = `# Example: DevOps team group
name: "DevOps Team"
description: "Production infrastructure access"
servers:
  - production-web-*
  - production-db-*
  - production-cache-*
permissions:
  terminal: true
  webftp: true
  deploy_shell: true
  sudo: true
`

// said is a configuration in a form that compares.
func said(c config.Config) string {
	return fmt.Sprintf("%q %q %q %v", c.Name, c.Description, c.Servers, c.Permissions)
}

func TestPublishedExample(t *testing.T) {
	c, err := config.ParseConfig(published)
	if err != nil {
		t.Fatal(err)
	}
	want := `"DevOps Team" "Production infrastructure access" ["production-web-*" "production-db-*" "production-cache-*"] {true true true true}`
	if got := said(c); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !c.Servers[0].Match("production-web-1") || c.Servers[0].Match("production-db-1") {
		t.Error("a pattern matches something else")
	}
	wantText := `name: "DevOps Team"
description: "Production infrastructure access"
servers:
  - "production-web-*"
  - "production-db-*"
  - "production-cache-*"
permissions:
  terminal: true
  webftp: true
  deploy_shell: true
  sudo: true
`
	if got := c.String(); got != wantText {
		t.Errorf("printed as\n%s", got)
	}
}

func TestParseConfigTakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a name alone", "name: a", `"a" "" [] {false false false false}`},
		{"layout of the list without indent", "name: a\nservers:\n- web-*\n- \"*-prod\"\n", `"a" "" ["web-*" "*-prod"] {false false false false}`},
		{"flow style", `{name: a, servers: [web-*, "*"], permissions: {sudo: true, terminal: false}}`, `"a" "" ["web-*" "*"] {false false false true}`},
		{"other order", "permissions:\n  sudo: true\nservers: []\nname: 'a b'\n", `"a b" "" [] {false false false true}`},
		{"an explicit start", "---\nname: a\n", `"a" "" [] {false false false false}`},
		{"line ends of Windows", "name: a\r\nservers:\r\n  - web-*\r\npermissions:\r\n  sudo: true\r\n", `"a" "" ["web-*"] {false false false true}`},
		{"a block of text", "name: a\ndescription: |\n  one\n  two\n", `"a" "one\ntwo\n" [] {false false false false}`},
		{"folded text", "name: a\ndescription: >-\n  one\n  two\n", `"a" "one two" [] {false false false false}`},
		{"numbers in quotes", "name: \"7\"\nservers:\n  - \"10\"\n", `"7" "" ["10"] {false false false false}`},
		{"other letters", "name: équipe 運用\n", `"équipe 運用" "" [] {false false false false}`},
		{"a byte order mark", "\ufeffname: a\n", `"a" "" [] {false false false false}`},
		{"comments", "# a\nname: a # b\n# c\nservers: # d\n  # e\n  - web-* # f\n", `"a" "" ["web-*"] {false false false false}`},
	} {
		got, err := config.ParseConfig(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if said(got) != c.want {
			t.Errorf("%s: %s, want %s", c.name, said(got), c.want)
		}
	}
}

func TestParseConfigRefuses(t *testing.T) {
	list := func(n int) string {
		var out strings.Builder
		out.WriteString("name: a\nservers:\n")
		for i := range n {
			fmt.Fprintf(&out, "  - web-%d\n", i)
		}
		return out.String()
	}
	if c, err := config.ParseConfig(list(config.MaxServers)); err != nil || len(c.Servers) != config.MaxServers {
		t.Errorf("%d patterns: %v", config.MaxServers, err)
	}
	for _, c := range []struct {
		name, text string
		line       int
		key, says  string
	}{
		{"too long", "name: a\n#" + strings.Repeat("x", config.MaxConfig), 0, "", "65536 bytes"},
		{"no UTF-8", "name: \xff", 0, "", "UTF-8"},
		{"nothing", "", 0, "", "empty"},
		{"a comment alone", "# a\n", 0, "", "empty"},
		{"text alone", "a", 1, "", "keys"},
		{"a list", "- a\n", 1, "", "keys"},
		{"two documents", "name: a\n---\nname: b\n", 2, "", "second document"},
		{"nothing, then a document", "---\n---\nname: b\n", 0, "", ""},
		{"an empty second document", "name: a\n---\n", 2, "", "second document"},
		{"no name", "description: a\n", 0, "name", "must be given"},
		{"an empty name", "name: \"\"\n", 1, "name", "empty"},
		{"a long name", "name: " + strings.Repeat("a", 101), 1, "name", "100 bytes"},
		{"a name with a line end", "name: \"a\\nb\"\n", 1, "name", "line ends"},
		{"a name that ends in a blank", "name: \"a \"\n", 1, "name", "blank"},
		{"a name that cannot be seen", "name: \"a\\u202eb\"\n", 1, "name", "format characters"},
		{"a number for a name", "description: x\nname: 7\n", 2, "name", "must be text"},
		{"a truth value for a name", "name: true\n", 1, "name", "must be text"},
		{"nothing for a name", "name:\nservers: []\n", 1, "name", "must be text"},
		{"a list for a name", "name: [a]\n", 1, "name", "must be text"},
		{"a long description", "name: a\ndescription: " + strings.Repeat("a", 1001), 2, "description", "1000 bytes"},
		{"a bell in the description", "name: a\ndescription: \"\\a\"\n", 2, "description", "control"},
		{"a wrong key", "name: a\nserver:\n  - web-*\n", 2, "server", "no such key"},
		{"a key in capitals", "Name: a\n", 1, "Name", "no such key"},
		{"a key that cannot be seen", "name: a\n\"na\\u202eme\": b\n", 2, `na\u202eme`, "no such key"},
		{"a long key", "name: a\n" + strings.Repeat("k", 1000) + ": b\n", 2, strings.Repeat("k", 40) + "…", "no such key"},
		{"a key twice", "name: a\nservers: []\nname: b\n", 3, "name", "in line 1"},
		{"a number for a key", "name: a\n7: b\n", 2, "", "must be text"},
		{"text for servers", "name: a\nservers: web-*\n", 2, "servers", "must be a list"},
		{"nothing for servers", "name: a\nservers:\n", 2, "servers", "must be a list"},
		{"a mapping for servers", "name: a\nservers:\n  web: true\n", 2, "servers", "must be a list"},
		{"a number for a server", "name: a\nservers:\n  - web\n  - 7\n", 4, "servers[1]", "must be text"},
		{"a list for a server", "name: a\nservers:\n  - [a]\n", 3, "servers[0]", "must be text"},
		{"an empty pattern", "name: a\nservers:\n  - web\n  - \"\"\n", 4, "servers[1]", "empty"},
		{"a pattern with a tab", "name: a\nservers:\n  - \"web\\t\"\n", 3, "servers[0]", "U+0009"},
		{"a pattern twice", "name: a\nservers:\n  - web\n  - db\n  - web\n", 5, "servers[2]", "in line 3"},
		{"too many patterns", list(config.MaxServers + 1), 203, "servers", "200 patterns"},
		{"far too many patterns", list(2000), 0, "", "keys and entries"},
		{"a list for permissions", "name: a\npermissions: [sudo]\n", 2, "permissions", "keys with values"},
		{"a wrong permission", "name: a\npermissions:\n  terminal: true\n  root: true\n", 4, "permissions.root", "no such key"},
		{"a permission twice", "name: a\npermissions:\n  sudo: false\n  sudo: true\n", 4, "permissions.sudo", "in line 3"},
		{"text for a permission", "name: a\npermissions:\n  sudo: \"true\"\n", 3, "permissions.sudo", "true or false"},
		{"yes for a permission", "name: a\npermissions:\n  sudo: yes\n", 3, "permissions.sudo", "true or false"},
		{"nothing for a permission", "name: a\npermissions:\n  sudo:\n", 3, "permissions.sudo", "true or false"},
		{"a star without quotes", "name: a\nservers:\n  - web-*\n  - *-prod\n", 4, "", "quote a pattern"},
		{"an anchor", "name: a\nservers: &all\n  - web\n", 2, "", "anchor"},
		{"an alias", "name: &n a\ndescription: *n\n", 1, "", "anchor"},
		{"a tag", "name: !!str a\n", 1, "", "tag"},
		{"a merge key", "name: a\npermissions:\n  <<: {sudo: true}\n", 3, "", "merge key"},
		{"a directive", "%YAML 1.2\n---\nname: a\n", 1, "", "directive"},
		{"a question mark", "? name\n: a\n", 1, "", "of its own line"},
		{"a tab for indent", "name: a\npermissions:\n\tsudo: true\n", 3, "", ""},
		{"a quote that stays open", "name: a\ndescription: \"x\n", 0, "", ""},
		{"a bracket that stays open", "name: a\nservers: [web\n", 0, "", ""},
		{"brackets in brackets", "name: a\nservers: " + strings.Repeat("[", 60000), 2, "", "keys and entries"},
		{"braces in braces", strings.Repeat("{a: ", 15000), 1, "", "keys and entries"},
		{"lists in lists", strings.Repeat("- ", 30000), 1, "", "keys and entries"},
		{"keys in keys", strings.Repeat("a: ", 20000), 1, "", ""},
	} {
		got, err := config.ParseConfig(c.text)
		e, ok := errors.AsType[config.Error](err)
		if !ok || (c.line != 0 && e.Line != c.line) || e.Key != c.key || !strings.Contains(e.Reason, c.says) {
			t.Errorf("%s: got %v, want line %d, %q and %q", c.name, err, c.line, c.key, c.says)
		}
		if said(got) != said(config.Config{}) {
			t.Errorf("%s: fails and returns %s", c.name, said(got))
		}
	}
}

// TestConfigIsReadBackAsWritten draws texts that YAML has other ideas about.
func TestConfigIsReadBackAsWritten(t *testing.T) {
	seen := rapid.RuneFrom(nil, unicode.L, unicode.N, unicode.P, unicode.S, unicode.M)
	tricky := rapid.SampledFrom([]string{
		"true", "null", "~", "7", "1e3", "0x7", ".inf", "- a", "a: b", "a # b", "#", "&a", "*a", "!a", "%a", "@a", "`a", "|", ">", "'", "\"", `\`, `\n`,
		"---", "...", "? a", "{a", "[a", "a, b", "<<", "yes", "2026-11-26", "a'b\"c", "é", "運用", "😀",
	})
	texts := func(extra ...rune) *rapid.Generator[string] {
		return rapid.OneOf(tricky, rapid.StringOfN(rapid.OneOf(seen, rapid.SampledFrom(append(extra, 'a', ' '))), 1, 20, -1))
	}
	times := 20
	if os.Getenv("PADDOCK_SOAK") != "" {
		times = 1000
	}
	met := 0
	for range times {
		rapid.Check(t, func(t *rapid.T) {
			c := config.Config{
				Name:        strings.TrimSpace(texts().Draw(t, "name")),
				Description: rapid.OneOf(texts('\n', '\t'), rapid.Just("")).Draw(t, "description"),
				Permissions: config.Permissions{
					Terminal: rapid.Bool().Draw(t, "terminal"), WebFTP: rapid.Bool().Draw(t, "webftp"),
					DeployShell: rapid.Bool().Draw(t, "deploy_shell"), Sudo: rapid.Bool().Draw(t, "sudo"),
				},
			}
			if c.Name == "" {
				c.Name = "a"
			}
			for _, text := range rapid.SliceOfNDistinct(texts('*', '-'), 0, 5, rapid.ID).Draw(t, "servers") {
				if p, err := pattern.Parse(pattern.Name, text); err == nil {
					c.Servers = append(c.Servers, p)
				}
			}
			back, err := config.ParseConfig(c.String())
			if err != nil {
				for _, text := range []string{c.Name, c.Description} {
					if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' }) || len(text) > config.MaxName {
						return
					}
				}
				t.Fatalf("%v\n%s", err, c)
			}
			if said(back) != said(c) {
				t.Fatalf("%s is read back as %s", said(c), said(back))
			}
			met++
		})
	}
	if met < 1000 {
		t.Errorf("only %d were read back", met)
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, seed := range []string{
		published, "name: a", `{name: a, servers: [web-*, "*"]}`, "name: a\ndescription: |\n  one\n\n  two\n", "name: *a", "a: &b [*b]",
		"name: !!binary aaaa", "---\nname: a\n...\n---\n", "name: \"a\\x41\\u0042\"", "name: 'it''s'", "name: a\nservers:\n  - >-\n    web\n",
		"[[[[{{{{", "? a\n: b", "name: a\npermissions: {sudo: true, ? terminal : false}", "\ufeffname: a", "name: a\r\rb: c", "%YAML 1.2\n---\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := config.ParseConfig(text)
		if err != nil {
			if _, ok := errors.AsType[config.Error](err); !ok || said(c) != said(config.Config{}) {
				t.Fatalf("%T %v, with %s", err, err, said(c))
			}
			return
		}
		back, err := config.ParseConfig(c.String())
		if err != nil || said(back) != said(c) || back.String() != c.String() {
			t.Fatalf("%s is read back as %s, %v", said(c), said(back), err)
		}
	})
}
