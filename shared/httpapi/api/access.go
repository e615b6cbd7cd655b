package api

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"paddock/shared/access"
	"paddock/shared/acl"
	"paddock/shared/authz"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/server"
	"paddock/shared/token"
)

func (f *Face) accessBindings() []*httpapi.Binding {
	return []*httpapi.Binding{
		httpapi.Answer(http.MethodPost, "/api/access/check/", http.StatusOK, f.checkAccess).
			Summed("Ask whether the caller may do something on a server now; what would be refused is refused alike.").
			Refuses(&access.ErrWork, &access.ErrAccount, &access.ErrNoName, &access.ErrOwnName, &access.ErrLine, &access.ErrPath, &access.ErrTree, &access.ErrWay, &access.ErrRoot,
				&server.ErrNoServer, &authz.ErrDenied, &authz.ErrScope, &authz.ErrACL).Refuses(httpapi.FreshRefusals...),
	}
}

// AccessAsk is what somebody would do on a server.
type AccessAsk struct {
	Server id.ID[id.Server] `json:"server"`
	// Action is the work, named as its class of protected actions is.
	Action string `json:"action" jsonschema:"enum=websh,enum=webftp,enum=command,enum=editor,enum=deploy_shell"`
	// Username is the account to work as: one's own without it, root of a Deploy
	// shell.
	Username  string `json:"username,omitempty" jsonschema:"maxLength=128"`
	Groupname string `json:"groupname,omitempty" jsonschema:"maxLength=128"`
	// Line is the command line of a command.
	Line string `json:"line,omitempty"`
	// Path is the file of WebFTP and the editor.
	Path string `json:"path,omitempty" jsonschema:"maxLength=4096"`
	// Recursive says that Path is a folder which WebFTP moves with all below it.
	Recursive bool `json:"recursive,omitempty"`
	// Direction is which way WebFTP goes.
	Direction string `json:"direction,omitempty" jsonschema:"enum=upload,enum=download"`
}

func (in AccessAsk) ask() (access.Ask, error) {
	i := slices.IndexFunc(access.Works, func(w access.Work) bool { return w.String() == in.Action })
	if i < 0 {
		return access.Ask{}, access.ErrWork
	}
	ask := access.Ask{Work: access.Works[i], As: acl.Account{User: in.Username, Group: in.Groupname}, Line: in.Line, Path: in.Path, Tree: in.Recursive}
	if in.Direction != "" {
		var err error
		if ask.Way, err = acl.ParseAction(in.Direction); err != nil {
			return access.Ask{}, access.ErrWay
		}
	}
	return ask, nil
}

// AccessAnswer is what goes ahead now.
type AccessAnswer struct {
	Server ServerBrief `json:"server"`
	Action string      `json:"action"`
	// Username is the account that it would be done as.
	Username  string `json:"username"`
	Groupname string `json:"groupname"`
	// SystemAccount says that the account is not the caller's own.
	SystemAccount bool `json:"system_account"`
	// Protected says that a fresh verification is asked for, and VerifiedUntil
	// when the present one ends to be that; null where none is asked for, and of
	// tokens whose scopes stand for it.
	Protected     bool       `json:"protected"`
	VerifiedUntil *time.Time `json:"verified_until" jsonschema:"nullable"`
}

// checkAccess is the gate of work on servers: in this order it asks for the
// permissions on the server, the workspace's word on root, the rules of a token,
// and a fresh proof where the workspace demands one.
func (f *Face) checkAccess(c httpapi.Call, in AccessAsk) (AccessAnswer, error) {
	ask, err := in.ask()
	if err != nil {
		return AccessAnswer{}, err
	}
	own := c.Who.User.Username
	if c.Who.Application != nil { // its name is no account
		own = ""
	}
	need, err := ask.Needs(own)
	if errors.Is(err, access.ErrOwnName) && c.Who.Application != nil {
		err = access.ErrNoName
	}
	if err != nil {
		return AccessAnswer{}, err
	}
	o := authz.Object{ID: in.Server.UUID()}
	s, _, there := c.Who.Policy.Server(in.Server.UUID())
	if there {
		o = s.Object()
	}
	for _, p := range need.Permissions {
		if _, err := c.Check(p, o); err != nil {
			return AccessAnswer{}, err
		}
	}
	if !there {
		return AccessAnswer{}, server.ErrNoServer
	}
	c = c.On(need.Permissions[0], o.ID)
	if need.Root && !c.Who.Workspace.AccessControl.AllowDirectRoot {
		return AccessAnswer{}, c.Refuse("the workspace allows no direct root", access.ErrRoot)
	}
	if err := within(c, ask, need, own); err != nil {
		return AccessAnswer{}, err
	}
	out := AccessAnswer{
		Server: ServerBrief{ID: s.ID.String(), Name: s.Name}, Action: in.Action,
		Username: need.As.User, Groupname: need.As.Group, SystemAccount: need.System,
	}
	if need.Class == "" || !c.Who.Workspace.Security.Demands(need.Class) {
		return out, nil
	}
	out.Protected = true
	if _, err := c.FreshFor(need.Permissions...); err != nil {
		return AccessAnswer{}, err
	}
	if c.Who.Token == nil {
		until := c.Who.Session.Proof.At.Add(c.Who.Workspace.MFATimeout())
		out.VerifiedUntil = &until
	}
	return out, nil
}

// within refuses what the rules of the caller's token do not allow. An event
// tells which kind of rule was missing, and never a command line: it may hold
// secrets.
func within(c httpapi.Call, ask access.Ask, need access.Need, own string) error {
	if c.Who.Token == nil {
		return nil
	}
	commands, err := c.Who.Rules.CommandRows()
	if err != nil {
		return err
	}
	files, err := c.Who.Rules.FileRows()
	if err != nil || ask.Within(need, own, commands, files) {
		return err
	}
	if ask.Work.ByCommands() {
		return c.Outside(token.KindCommand, "")
	}
	return c.Outside(token.KindFile, ask.Path)
}
