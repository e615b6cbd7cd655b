// Package config holds the configuration of a group of people, and how
// it is written as YAML. It does not know who is in a group, or what its
// permissions come to.
package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"paddock/shared/pattern"
)

// Bounds of a configuration, in bytes but for MaxServers. Source: design,
// Directories (patterns); security, DS-1 (the size of a document).
const (
	MaxConfig      = 64 << 10
	MaxName        = 100
	MaxDescription = 1000
	MaxServers     = 200
)

// A Config is what a group's document says. Source: specification, "Group
// configuration".
type Config struct {
	Name        string
	Description string            // may be empty, may have more than one line
	Servers     []pattern.Pattern // of kind Name, no two alike; may be empty
	Permissions Permissions
}

// Permissions are what the members of a group may do on its servers. What is
// not said is not permitted.
type Permissions struct {
	Terminal    bool
	WebFTP      bool
	DeployShell bool
	Sudo        bool
}

// An Error says what is wrong with a document, and where.
type Error struct {
	Line   int    // from 1; 0 for the document as a whole
	Key    string // as in "permissions.sudo"; empty for the document as a whole
	Reason string
}

// Error returns a sentence with line and key.
func (e Error) Error() string {
	var where string
	if e.Line > 0 {
		where = fmt.Sprintf("line %d: ", e.Line)
	}
	if e.Key != "" {
		where += e.Key + ": "
	}
	return where + e.Reason
}

// ParseConfig returns the configuration of a YAML document, or an Error.
//
// A document has each key once and no other, values of the right type, and a
// name. Anchors, aliases, tags, merge keys and further documents are refused: a
// document means what is written where it stands.
func ParseConfig(text string) (Config, error) {
	if len(text) > MaxConfig {
		return Config{}, Error{Reason: fmt.Sprintf("a document must not have more than %d bytes", MaxConfig)}
	}
	if !utf8.ValidString(text) {
		return Config{}, Error{Reason: "a document must be UTF-8"}
	}
	text = strings.TrimPrefix(text, "\ufeff") // some editors put a byte order mark first
	if err := screen(text); err != nil {
		return Config{}, err
	}
	// Keys that come twice are told by entries, with line and key.
	file, err := parser.ParseBytes([]byte(text), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return Config{}, syntax(err)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return Config{}, Error{Reason: "the document is empty"}
	}
	if len(file.Docs) > 1 {
		second := Error{Line: line(file.Docs[1].Body), Reason: "a second document is not taken"}
		if start := file.Docs[1].Start; start != nil {
			second.Line = start.Position.Line
		}
		return Config{}, second
	}
	fields, err := entries("", file.Docs[0].Body)
	if err != nil {
		return Config{}, err
	}
	var c Config
	for _, f := range fields {
		if err := c.set(f); err != nil {
			return Config{}, err
		}
	}
	if c.Name == "" {
		return Config{}, Error{Key: "name", Reason: "must be given"}
	}
	return c, nil
}

// set takes over the value of one key.
func (c *Config) set(f entry) (err error) {
	switch f.key {
	case "name":
		if c.Name, err = f.text(); err == nil {
			err = f.because(checkName(c.Name))
		}
	case "description":
		if c.Description, err = f.text(); err == nil {
			err = f.because(checkDescription(c.Description))
		}
	case "servers":
		c.Servers, err = f.patterns()
	case "permissions":
		c.Permissions, err = f.permissions()
	default:
		err = f.because("there is no such key; there are name, description, servers and permissions")
	}
	return err
}

// String returns the document of the configuration, which ParseConfig reads
// back as the same one. Text is quoted, so that it is never taken for something
// else, as "*-prod" is for an alias.
func (c Config) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "name: %s\n", strconv.Quote(c.Name))
	fmt.Fprintf(&out, "description: %s\n", strconv.Quote(c.Description))
	if len(c.Servers) == 0 {
		out.WriteString("servers: []\n")
	} else {
		out.WriteString("servers:\n")
	}
	for _, p := range c.Servers {
		fmt.Fprintf(&out, "  - %s\n", strconv.Quote(p.String()))
	}
	out.WriteString("permissions:\n")
	for _, f := range c.Permissions.fields() {
		fmt.Fprintf(&out, "  %s: %t\n", f.key, *f.set)
	}
	return out.String()
}

// A flag is a permission by its key.
type flag struct {
	key string
	set *bool
}

// fields returns the permissions in the order in which they are written.
func (p *Permissions) fields() []flag {
	return []flag{{"terminal", &p.Terminal}, {"webftp", &p.WebFTP}, {"deploy_shell", &p.DeployShell}, {"sudo", &p.Sudo}}
}

// checkName returns why a text is no name of a group; empty if it is one.
func checkName(name string) string {
	switch {
	case name == "":
		return "must not be empty"
	case len(name) > MaxName:
		return fmt.Sprintf("must not have more than %d bytes", MaxName)
	case strings.TrimSpace(name) != name:
		return "must not begin or end with a blank"
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "must not have control or format characters, line ends or blanks other than U+0020"
	}
	return ""
}

// checkDescription returns why a text is no description; empty if it is one.
func checkDescription(text string) string {
	switch {
	case len(text) > MaxDescription:
		return fmt.Sprintf("must not have more than %d bytes", MaxDescription)
	case strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }):
		return "must not have control or format characters, or blanks other than U+0020"
	}
	return ""
}

// maxMarks bounds what nests in a document: a parser calls itself for each. A
// whole configuration has 8 keys, with a list of MaxServers.
const maxMarks = 5 * MaxServers

// screen refuses what a configuration never has before it is parsed.
func screen(text string) error {
	marks := 0
	for _, t := range lexer.Tokenize(text) {
		refuse := ""
		switch t.Type { //nolint:exhaustive // The rest is text and its layout.
		case token.AnchorType:
			refuse = `an anchor ("&") is not taken; quote text that begins with it`
		case token.AliasType:
			refuse = `an alias ("*") is not taken; quote a pattern that begins with it: "*-prod"`
		case token.TagType:
			refuse = `a tag ("!") is not taken; quote text that begins with it`
		case token.MergeKeyType:
			refuse = `a merge key ("<<") is not taken`
		case token.DirectiveType:
			refuse = `a directive ("%") is not taken`
		case token.MappingKeyType:
			refuse = `a key of its own line ("?") is not taken`
		case token.MappingValueType, token.SequenceEntryType, token.SequenceStartType, token.MappingStartType:
			if marks++; marks > maxMarks {
				refuse = fmt.Sprintf("a document must not have more than %d keys and entries", maxMarks)
			}
		}
		if refuse != "" {
			return Error{Line: t.Position.Line, Reason: refuse}
		}
	}
	return nil
}

// syntax returns what the parser says as an Error.
func syntax(err error) error {
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil {
		return Error{Line: e.GetToken().Position.Line, Reason: e.GetMessage()}
	}
	return Error{Reason: "this is no YAML"}
}
