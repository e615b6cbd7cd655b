// Package access holds the rules of what is done on servers: what one must be
// allowed to do it, as whom, and whether it asks for a fresh verification. Whatever
// opens a terminal, runs a line or moves a file asks here first (decision 18).
package access

import (
	"errors"
	"slices"
	"strings"

	"paddock/shared/acl"
	"paddock/shared/fault"
	"paddock/shared/permission"
)

// A Work is a kind of work on a server. Source: specification, "Actions that
// can require step-up MFA".
type Work uint8

// The kinds of work.
const (
	Websh Work = iota + 1
	WebFTP
	Command
	Editor
	DeployShell
)

// Works lists them, in the order of the specification.
var Works = []Work{Websh, WebFTP, Command, Editor, DeployShell}

// String returns the work's name on the wire, which is that of its class of
// protected actions too.
func (w Work) String() string { return w.permission().Resource.String() }

// permission is what the work takes on the server. The zero Work takes one that
// nobody holds.
func (w Work) permission() permission.Permission {
	switch w {
	case Websh:
		return permission.CreateWebsh
	case WebFTP:
		return permission.CreateWebFTP
	case Command:
		return permission.CreateCommand
	case Editor:
		return permission.CreateEditor
	case DeployShell:
		return permission.CreateDeployShell
	}
	return permission.Permission{}
}

// MaxLine bounds a command line, in bytes, so that it fits into a body.
const MaxLine = 32_768

// root is the account that may do everything on a server.
const root = "root"

// The names of accounts and groups, in small letters, that are root on the
// systems which servers run. Numbers are no names here: they would be others'.
var (
	roots      = []string{root, "toor", "administrator", "system", "localsystem"}
	rootGroups = []string{root, "administrators"}
)

func isRoot(a acl.Account) bool {
	return slices.Contains(roots, strings.ToLower(a.User)) || slices.Contains(rootGroups, strings.ToLower(a.Group))
}

// Refusals of what is asked.
var (
	ErrWork    = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The action must be websh, webftp, command, editor or deploy_shell.", Source: "action"}
	ErrAccount = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "This is no name of an account or of its group.", Source: "username"}
	ErrNoName  = fault.Error{Kind: fault.Invalid, Code: "username_missing", Detail: "An application has no account on servers: name the one to use.", Source: "username"}
	// ErrOwnName has the code of the wire (2.4).
	ErrOwnName = fault.Error{Kind: fault.Denied, Code: "user_username_required", Detail: "Choose your username first: it is your account on servers."}
	ErrLine    = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "A command has a line of 1 to 32768 bytes, and nothing else has one.", Source: "line"}
	ErrPath    = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: `WebFTP and the editor work on one absolute path, without "." and ".." in it, that ends in "/" only for a folder; nothing else has a path.`, Source: "path"}
	ErrTree    = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "Only WebFTP moves folders.", Source: "recursive"}
	ErrWay     = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "WebFTP goes upload or download; nothing else has a direction.", Source: "direction"}
	// ErrRoot is what the workspace's access control settings refuse.
	ErrRoot = fault.Error{Kind: fault.Denied, Code: "direct_root_not_allowed", Detail: "This workspace does not let anybody work as root directly."}
)

// An Ask is what somebody would do on a server.
type Ask struct {
	Work Work
	As   acl.Account // as asked: empty names are one's own
	Line string      // of a Command
	Path string      // of WebFTP and Editor
	Way  acl.Action  // of WebFTP: Upload or Download
	Tree bool        // of WebFTP: Path is a folder, with all below it
}

// A Need is what an Ask takes.
type Need struct {
	// As is the account that it is done as; User is never empty.
	As acl.Account
	// Permissions are what one must hold on the server, all of them.
	Permissions []permission.Permission
	// System says that the account is not one's own, or with a group that is named.
	System bool
	// Root says that the workspace must allow working as root directly.
	Root bool
	// Class is the class of protected actions that the ask is of: a fresh
	// verification is asked for where the workspace demands it of the class.
	// Empty: none.
	Class string
}

// Needs returns what the ask takes of somebody whose account on servers is own,
// empty for none. A Deploy shell is made to run as a system account, root unless
// one is named; in all else such an account is what sudo would give, and takes
// as much. It fails with one of the package's refusals, with the field in Source.
func (a Ask) Needs(own string) (Need, error) {
	if err := a.check(); err != nil {
		return Need{}, err
	}
	n := Need{As: a.As, Permissions: []permission.Permission{a.Work.permission()}}
	switch {
	case n.As.User == "" && a.Work == DeployShell:
		n.As.User = root
	case n.As.User == "" && own == "":
		return Need{}, ErrOwnName
	case n.As.User == "":
		n.As.User = own
	}
	n.System = n.As.User != own || n.As.Group != ""
	switch {
	case a.Work == DeployShell:
		if isRoot(n.As) {
			n.Class = a.Work.String()
		}
	case n.System:
		n.Permissions = append(n.Permissions, permission.AccessSudo)
		n.Root = isRoot(n.As)
		n.Class = a.Work.String()
	}
	return n, nil
}

func (a Ask) check() error {
	if a.Work.permission() == (permission.Permission{}) {
		return ErrWork
	}
	if err := a.As.Check(); err != nil {
		wrong, _ := errors.AsType[acl.Error](err)
		return ErrAccount.In(wrong.Field).Saying("The field " + wrong.Error() + ".")
	}
	for _, f := range []struct{ field, name string }{{"username", a.As.User}, {"groupname", a.As.Group}} {
		if strings.Trim(f.name, "0123456789") == "" && f.name != "" || strings.IndexAny(f.name, "#+-.") == 0 {
			return ErrAccount.In(f.field)
		}
	}
	if (a.Work == Command) != (a.Line != "") || len(a.Line) > MaxLine || strings.ContainsRune(a.Line, 0) {
		return ErrLine
	}
	if a.Tree && a.Work != WebFTP {
		return ErrTree
	}
	if onFile := a.Work == WebFTP || a.Work == Editor; onFile != (a.Path != "") || onFile && !acl.IsPath(a.Path) || strings.HasSuffix(a.Path, "/") && !a.Tree {
		return ErrPath
	}
	if (a.Work == WebFTP) != (a.Way != 0) || a.Way > acl.Download {
		return ErrWay
	}
	return nil
}

// ByCommands reports whether a token takes rows of commands for the work, not of
// files.
func (w Work) ByCommands() bool { return w == Websh || w == Command || w == DeployShell }

// Within reports whether a token's rows allow the ask, whose need is n. own is as
// in Needs: rows speak of one's own account by its name, or by none. A terminal
// runs whatever is typed into it: it takes the row that allows every plain
// command. The editor reads a file and writes it, and a folder takes a row of all
// that may be below it.
func (a Ask) Within(n Need, own string, commands []acl.CommandRow, files []acl.FileRow) bool {
	if own != "" && n.As.User == own && a.within(acl.Account{Group: n.As.Group}, commands, files) {
		return true
	}
	return a.within(n.As, commands, files)
}

func (a Ask) within(as acl.Account, commands []acl.CommandRow, files []acl.FileRow) bool {
	ok := false
	switch a.Work {
	case Websh, DeployShell:
		ok = acl.AllowTerminal(commands, as)
	case Command:
		_, ok = acl.AllowCommand(commands, a.Line, as)
	case WebFTP:
		if a.Tree {
			return acl.AllowTree(files, a.Path, a.Way, as)
		}
		_, ok = acl.AllowFile(files, a.Path, a.Way, as)
	case Editor:
		_, reads := acl.AllowFile(files, a.Path, acl.Download, as)
		_, writes := acl.AllowFile(files, a.Path, acl.Upload, as)
		ok = reads && writes
	}
	return ok
}
