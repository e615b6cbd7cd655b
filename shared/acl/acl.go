// Package acl decides by the rows of a token's access control list: which
// command lines it may run and which files it may move, as which account of the
// server. No row allows nothing, and rows are alternatives.
//
// The package compares text. It reads no shell and follows no link: whoever runs
// the command or opens the file has to take the text as it was compared. A
// command row sees no paths: "tail /var/log/*" allows "tail /var/log/../x".
package acl

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"paddock/shared/pattern"
)

// MaxAccount bounds the names of accounts and their groups, in bytes.
const MaxAccount = 128

// An Account is whom the server is asked to act as. Names are compared exactly;
// none of them is a pattern.
type Account struct {
	User  string // empty: the account of whoever asks, and no other
	Group string // empty: that account's own group, and no other
}

// An Error says which field of a row is wrong, and how.
type Error struct {
	Field  string // "command", "path", "action", "username" or "groupname"
	Reason string
}

// Error returns field and reason.
func (e Error) Error() string { return e.Field + ": " + e.Reason }

// Check returns an Error for names that no server has, and for those which would
// be taken for patterns.
func (a Account) Check() error {
	for _, f := range []struct{ field, name string }{{"username", a.User}, {"groupname", a.Group}} {
		if len(f.name) > MaxAccount {
			return Error{f.field, fmt.Sprintf("must not have more than %d bytes", MaxAccount)}
		}
		if !utf8.ValidString(f.name) {
			return Error{f.field, "must be UTF-8"}
		}
		for _, r := range f.name {
			switch {
			case r == '*':
				return Error{f.field, `must be one name: "*" does not stand for others`}
			case r == ':' || r == '/' || unicode.IsSpace(r) || !unicode.IsPrint(r):
				return Error{f.field, "must not have blanks, control characters, colons or slashes"}
			}
		}
	}
	return nil
}

// A CommandRow allows command lines. The zero CommandRow allows none.
type CommandRow struct {
	Command pattern.Pattern // of kind Command
	As      Account
}

// ParseCommandRow returns the row of its texts, or an Error.
func ParseCommandRow(command string, as Account) (CommandRow, error) {
	p, err := pattern.Parse(pattern.Command, command)
	if err != nil {
		return CommandRow{}, Error{"command", err.Error()}
	}
	if err := as.Check(); err != nil {
		return CommandRow{}, err
	}
	return CommandRow{p, as}, nil
}

// Allows reports whether the row allows a whole command line as an account.
func (r CommandRow) Allows(command string, as Account) bool {
	return r.As == as && r.Command.Kind() == pattern.Command && r.Command.Match(command)
}

// Includes reports whether the row allows whatever inner does, so that who has
// this one may hand out the other. It is decided row by row: several narrow rows
// do not make up for a wide one.
func (r CommandRow) Includes(inner CommandRow) bool {
	return r.As == inner.As && r.Command.Kind() == pattern.Command && pattern.Includes(r.Command, inner.Command)
}

// AllowCommand returns the first row that allows the command line, for the
// record of which rows are used, and false when none does.
func AllowCommand(rows []CommandRow, command string, as Account) (row int, allowed bool) {
	for i := range rows {
		if rows[i].Allows(command, as) {
			return i, true
		}
	}
	return 0, false
}

// AllowTerminal reports whether the rows open a terminal, which runs whatever is
// typed into it: only the row does that allows every plain command.
func AllowTerminal(rows []CommandRow, as Account) bool {
	return slices.ContainsFunc(rows, func(r CommandRow) bool {
		return r.As == as && r.Command.Kind() == pattern.Command && r.Command.String() == "*"
	})
}

// IsPath reports whether a text is the path of a file or folder as rows may
// allow one: absolute, UTF-8, without "." and ".." in it.
func IsPath(text string) bool { return pattern.Path.Admits(text) }

// An Action is which way a file goes.
type Action uint8

// The actions.
const (
	Upload    Action = iota + 1
	Download         // a request has one of these two
	EitherWay        // of rows only
)

// Actions lists every action.
var Actions = []Action{Upload, Download, EitherWay}

// String returns the action's text on the wire.
func (a Action) String() string {
	switch a {
	case Upload:
		return "upload"
	case Download:
		return "download"
	case EitherWay:
		return "*"
	}
	return "unknown"
}

// ParseAction accepts exactly what String prints for an action, or returns an
// Error.
func ParseAction(text string) (Action, error) {
	for _, a := range Actions {
		if a.String() == text {
			return a, nil
		}
	}
	return 0, Error{"action", `must be "upload", "download" or "*"`}
}

// A FileRow allows moving files. The zero FileRow allows none.
type FileRow struct {
	Path   pattern.Pattern // of kind Path
	Action Action
	As     Account
}

// ParseFileRow returns the row of its texts, or an Error.
func ParseFileRow(path, action string, as Account) (FileRow, error) {
	p, err := pattern.Parse(pattern.Path, path)
	if err != nil {
		return FileRow{}, Error{"path", err.Error()}
	}
	a, err := ParseAction(action)
	if err != nil {
		return FileRow{}, err
	}
	if err := as.Check(); err != nil {
		return FileRow{}, err
	}
	return FileRow{p, a, as}, nil
}

// Allows reports whether the row allows a file to go one way as an account.
func (r FileRow) Allows(path string, action Action, as Account) bool {
	return r.As == as && (action == Upload || action == Download) && r.Action.includes(action) &&
		r.Path.Kind() == pattern.Path && r.Path.Match(path)
}

// Includes reports whether the row allows whatever inner does; see
// CommandRow.Includes.
func (r FileRow) Includes(inner FileRow) bool {
	return r.As == inner.As && r.Action.includes(inner.Action) &&
		r.Path.Kind() == pattern.Path && pattern.Includes(r.Path, inner.Path)
}

// includes reports whether a is inner or stands for it. The zero Action does
// neither.
func (a Action) includes(inner Action) bool {
	return inner != 0 && (a == inner || a == EitherWay)
}

// AllowFile returns the first row that allows the file to go that way, and
// false when none does.
func AllowFile(rows []FileRow, path string, action Action, as Account) (row int, allowed bool) {
	for i := range rows {
		if rows[i].Allows(path, action, as) {
			return i, true
		}
	}
	return 0, false
}

// AllowTree reports whether one row allows a folder and whatever may lie below it
// to go that way. A star in the folder's name counts as a pattern's: only a row
// that is as wide allows it.
func AllowTree(rows []FileRow, folder string, action Action, as Account) bool {
	below, err := ParseFileRow(strings.TrimSuffix(folder, "/")+"/**", action.String(), as)
	return err == nil && slices.ContainsFunc(rows, func(r FileRow) bool { return r.Includes(below) })
}
