// Package pattern is the one language in which rules name servers, commands
// and paths: text in which "*" stands for a run of characters, and nothing else
// is special. It decides whether a text is matched and whether one pattern
// reaches no further than another. It knows nothing of who asks, and of no
// shell or file system: text is refused, never cleaned.
package pattern

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Kind says what the texts of a pattern are.
type Kind uint8

// The kinds.
const (
	// Name is for names of servers.
	Name Kind = iota + 1
	// Command is for command lines. A star crosses no character by which a
	// shell is told to do something else; such a character is matched only
	// where the pattern itself has it.
	Command
	// Path is for absolute paths of files. "*" stays within one segment, "**"
	// crosses "/".
	Path
)

// Kinds lists every kind.
var Kinds = []Kind{Name, Command, Path}

// String returns the kind's name in error messages.
func (k Kind) String() string {
	switch k {
	case Name:
		return "name"
	case Command:
		return "command"
	case Path:
		return "path"
	}
	return "unknown"
}

// Bounds, in bytes but for MaxWildcards, which counts runs of stars. Longer
// texts are matched by no pattern. Source: security, TK-5; the vectors of
// command and path rules. A host name has 253 bytes at most (RFC 1035).
const (
	MaxBytes     = 1024
	MaxWildcards = 100
	MaxName      = 255
	MaxCommand   = 64 << 10
	MaxPath      = 4 << 10
)

// longest returns the bound of the texts of a kind; no text is that of none.
func (k Kind) longest() int {
	switch k {
	case Name:
		return MaxName
	case Command:
		return MaxCommand
	case Path:
		return MaxPath
	}
	return 0
}

// A Pattern is one rule's text, ready to be matched. It never changes and may
// be used at once by many. The zero Pattern matches nothing.
type Pattern struct {
	kind  Kind
	text  string
	parts []part
}

// A part is text that stands for itself, with the star in front of it. The
// first part has none. Only the first and the last may be empty.
type part struct {
	literal string
	wide    bool // the star may cross what other stars may not
}

// Kind returns what the pattern's texts are; zero for the zero Pattern.
func (p Pattern) Kind() Kind { return p.kind }

// String returns the text that was parsed.
func (p Pattern) String() string { return p.text }

// An Error says why a text is no pattern, and from which of its bytes on.
type Error struct {
	At     int // bytes before the offending place
	Reason string
}

// Error returns the sentence for whoever wrote the pattern.
func (e Error) Error() string { return fmt.Sprintf("%s (at byte %d)", e.Reason, e.At+1) }

// Parse returns the pattern of a text, or an Error.
//
// Refused is what is empty, too long, no UTF-8, has too many stars, has
// characters that cannot be seen, and, for paths, what could match nothing:
// relative paths, backslashes and the segments "", "." and "..". "**" is "*"
// in patterns of names and commands.
func Parse(k Kind, text string) (Pattern, error) {
	if k.longest() == 0 {
		return Pattern{}, Error{Reason: "a pattern must be of a name, a command or a path"}
	}
	if text == "" {
		return Pattern{}, Error{Reason: "a pattern must not be empty"}
	}
	if len(text) > MaxBytes {
		return Pattern{}, Error{At: MaxBytes, Reason: fmt.Sprintf("a pattern must not have more than %d bytes", MaxBytes)}
	}
	if err := k.readable(text); err != nil {
		return Pattern{}, err
	}
	if k == Path {
		if at, reason := segments(text); reason != "" {
			return Pattern{}, Error{At: at, Reason: reason}
		}
	}
	parts := make([]part, 1, 1+strings.Count(text, "*"))
	from := 0 // where the present literal begins
	for i := 0; i < len(text); i++ {
		if text[i] != '*' {
			continue
		}
		if len(parts) > MaxWildcards {
			return Pattern{}, Error{At: i, Reason: fmt.Sprintf("a pattern must not have more than %d stars", MaxWildcards)}
		}
		parts[len(parts)-1].literal = text[from:i]
		star := i
		for i+1 < len(text) && text[i+1] == '*' {
			i++
		}
		from = i + 1
		parts = append(parts, part{wide: k == Path && i > star})
	}
	parts[len(parts)-1].literal = text[from:]
	return Pattern{kind: k, text: text, parts: parts}, nil
}

// readable returns an Error for the first character that no pattern has.
func (k Kind) readable(text string) error {
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			return Error{At: i, Reason: "a pattern must be UTF-8"}
		case unseen(r):
			return Error{At: i, Reason: fmt.Sprintf("a pattern must not have the control or format character %U", r)}
		case k != Path && r != ' ' && unicode.IsSpace(r):
			return Error{At: i, Reason: fmt.Sprintf("the only blank in a pattern is U+0020, not %U", r)}
		}
	}
	return nil
}

// unseen reports whether a reader does not see r: control and format
// characters, and separators of lines and paragraphs.
func unseen(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// stopped has the ASCII characters that a star which is not wide must not
// cross, a bit each: those that are not seen, and in commands those by which a
// line becomes more than one command, or another. Source: the vectors.
var stopped = [...][2]uint64{
	Name: {controls, 1 << (0x7f - 64)},
	Command: {
		controls | 1<<';' | 1<<'&' | 1<<'$' | 1<<'(' | 1<<')' | 1<<'<' | 1<<'>',
		1<<(0x7f-64) | 1<<('|'-64) | 1<<('`'-64) | 1<<('\\'-64),
	},
	Path: {1 << '/'},
}

const controls = 1<<' ' - 1 // U+0000 to U+001F

// stops reports whether a star of this kind that is not wide must not cross r.
func (k Kind) stops(r rune) bool {
	if r < utf8.RuneSelf {
		return stopped[k][r/64]&(1<<(r%64)) != 0
	}
	return k != Path && (unseen(r) || unicode.IsSpace(r))
}

// Admits reports whether a text is one that patterns of this kind may match.
// What has to be seen or to be no special character is left to stars and
// literals, except in paths, whose wide stars cross everything.
func (k Kind) Admits(text string) bool {
	if text == "" || len(text) > k.longest() || !utf8.ValidString(text) {
		return false
	}
	if k != Path {
		return true
	}
	for _, r := range text {
		if unseen(r) {
			return false
		}
	}
	_, reason := segments(text)
	return reason == ""
}

// segments says where and why a text is no path, or no pattern of paths. An
// empty last segment is none: the path of a directory may end in "/".
func segments(text string) (at int, reason string) {
	if text[0] != '/' {
		return 0, `a path must begin with "/"`
	}
	if i := strings.IndexByte(text, '\\'); i >= 0 {
		return i, "a path must not have a backslash"
	}
	for at = 1; at < len(text); {
		segment, _, more := strings.Cut(text[at:], "/")
		switch segment {
		case "":
			return at, "a path must not have an empty segment"
		case ".", "..":
			return at, fmt.Sprintf("a path must not have the segment %q", segment)
		}
		at += len(segment)
		if more {
			at++
		}
	}
	return 0, ""
}
