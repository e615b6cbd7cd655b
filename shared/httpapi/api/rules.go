package api

import (
	"errors"
	"slices"
	"strings"

	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/token"
)

// RulesQuery narrows a list of rules.
type RulesQuery struct {
	// Token is the id of one of one's own tokens.
	Token *string `query:"token,omitempty"`
	httpapi.PageQuery
}

// rules returns a page of the caller's rules of a kind.
func rules[T any](f *Face, c httpapi.Call, in RulesQuery, k token.Kind, turn func(token.Listed) T) (httpapi.Page[T], error) {
	var of id.ID[id.Token]
	if in.Token != nil {
		var err error
		if of, err = id.Parse[id.Token](*in.Token); err != nil {
			return httpapi.Cut(nil, in.Window(), turn), nil //nolint:nilerr // what is no id names no token
		}
	}
	all, err := f.keys.Rows(c.Context(), c.Allowed, mine(c), k, of)
	return httpapi.Cut(all, in.Window(), turn), err
}

func (f *Face) removeRule(k token.Kind) func(httpapi.Call, httpapi.None) (httpapi.None, error) {
	return func(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
		which, err := id.Parse[id.Rule](c.PathValue("id"))
		if err != nil {
			return httpapi.None{}, token.ErrNoRow
		}
		return httpapi.None{}, f.keys.Remove(c.Context(), c.Allowed, mine(c), id.ID[id.Token]{}, k, which)
	}
}

// addRules gives a token rules, for which it must be the caller's own.
func (f *Face) addRules(c httpapi.Call, of id.ID[id.Token], k token.Kind, rows ...token.Row) ([]token.Listed, error) {
	source, _, err := f.keys.One(c.Context(), c.Allowed, mine(c), of)
	if errors.Is(err, token.ErrNoToken) {
		err = token.ErrToken
	}
	if err != nil {
		return nil, err
	}
	if c.Allowed, err = mint(c, source.Scopes); err != nil {
		return nil, err
	}
	return f.keys.Add(c.Context(), c.Allowed, mine(c), of, k, rows)
}

// CommandRule lets a token run command lines. Source: alpacon-wire 3.5.
type CommandRule struct {
	ID        id.ID[id.Rule]  `json:"id"`
	Token     id.ID[id.Token] `json:"token"`
	TokenName string          `json:"token_name"`
	Command   string          `json:"command"`
	Username  string          `json:"username"`
	Groupname string          `json:"groupname"`
}

func commandRule(l token.Listed) CommandRule {
	return CommandRule{ID: l.ID, Token: l.Token, TokenName: l.Name, Command: l.Command, Username: l.User, Groupname: l.Group}
}

func (f *Face) commandRules(c httpapi.Call, in RulesQuery) (httpapi.Page[CommandRule], error) {
	return rules(f, c, in, token.KindCommand, commandRule)
}

// NewCommandRule is the body of a rule of command lines.
type NewCommandRule struct {
	Token id.ID[id.Token] `json:"token"`
	// Command is a pattern: * stands for any characters but those by which a
	// shell is told to do something else.
	Command string `json:"command" jsonschema:"minLength=1,maxLength=1024"`
	// Username and Groupname are the account to act as; empty: the caller's own.
	Username  string `json:"username,omitempty" jsonschema:"maxLength=128"`
	Groupname string `json:"groupname,omitempty" jsonschema:"maxLength=128"`
}

func (f *Face) addCommandRule(c httpapi.Call, in NewCommandRule) (CommandRule, error) {
	return first(commandRule)(f.addRules(c, in.Token, token.KindCommand, token.Row{Command: in.Command, User: in.Username, Group: in.Groupname}))
}

// first returns the one rule that was added.
func first[T any](turn func(token.Listed) T) func([]token.Listed, error) (T, error) {
	return func(all []token.Listed, err error) (none T, _ error) {
		if err != nil {
			return none, err
		}
		return turn(all[0]), nil
	}
}

// FileRule lets a token move files. Source: alpacon-wire 3.5.
type FileRule struct {
	ID        id.ID[id.Rule]  `json:"id"`
	Token     id.ID[id.Token] `json:"token"`
	TokenName string          `json:"token_name"`
	Path      string          `json:"path"`
	Action    string          `json:"action"`
	Username  string          `json:"username"`
	Groupname string          `json:"groupname"`
}

func fileRule(l token.Listed) FileRule {
	return FileRule{ID: l.ID, Token: l.Token, TokenName: l.Name, Path: l.Path, Action: l.Action, Username: l.User, Groupname: l.Group}
}

func (f *Face) fileRules(c httpapi.Call, in RulesQuery) (httpapi.Page[FileRule], error) {
	return rules(f, c, in, token.KindFile, fileRule)
}

// NewFileRule is the body of a rule of files.
type NewFileRule struct {
	Token id.ID[id.Token] `json:"token"`
	// Path is a pattern: * stays within one segment, ** crosses "/".
	Path string `json:"path" jsonschema:"minLength=1,maxLength=1024"`
	// Action is upload, download or * for both.
	Action string `json:"action"`
	// Username and Groupname are the account to act as; empty: the caller's own.
	Username  string `json:"username,omitempty" jsonschema:"maxLength=128"`
	Groupname string `json:"groupname,omitempty" jsonschema:"maxLength=128"`
}

func (f *Face) addFileRule(c httpapi.Call, in NewFileRule) (FileRule, error) {
	return first(fileRule)(f.addRules(c, in.Token, token.KindFile, token.Row{Path: in.Path, Action: in.Action, User: in.Username, Group: in.Groupname}))
}

// ServerRule lets a token reach a server. Source: alpacon-wire 3.5.
type ServerRule struct {
	ID        id.ID[id.Rule]  `json:"id"`
	Token     id.ID[id.Token] `json:"token"`
	TokenName string          `json:"token_name"`
	Server    RuledServer     `json:"server"`
}

// RuledServer names the server of a rule; one that is gone has no name.
type RuledServer struct {
	ID   id.ID[id.Server] `json:"id"`
	Name string           `json:"name"`
}

func serverRule(c httpapi.Call) func(token.Listed) ServerRule {
	return func(l token.Listed) ServerRule {
		r := ServerRule{ID: l.ID, Token: l.Token, TokenName: l.Name, Server: RuledServer{ID: l.Server}}
		if s, _, ok := c.Who.Policy.Server(l.Server.UUID()); ok {
			r.Server.Name = s.Name
		}
		return r
	}
}

func (f *Face) serverRules(c httpapi.Call, in RulesQuery) (httpapi.Page[ServerRule], error) {
	return rules(f, c, in, token.KindServer, serverRule(c))
}

// NewServerRule is the body of a rule of one server.
type NewServerRule struct {
	Token  id.ID[id.Token]  `json:"token"`
	Server id.ID[id.Server] `json:"server"`
}

func (f *Face) addServerRule(c httpapi.Call, in NewServerRule) (ServerRule, error) {
	return first(serverRule(c))(f.addRules(c, in.Token, token.KindServer, token.Row{Server: in.Server}))
}

// ServerRules names several servers for a token.
type ServerRules struct {
	Token   id.ID[id.Token]    `json:"token"`
	Servers []id.ID[id.Server] `json:"servers" jsonschema:"minItems=1,maxItems=80"`
}

func (in ServerRules) check() error {
	sorted := slices.Clone(in.Servers)
	slices.SortFunc(sorted, func(a, b id.ID[id.Server]) int { return strings.Compare(a.String(), b.String()) })
	if len(sorted) == 0 || len(sorted) > token.MaxBulk || len(slices.Compact(sorted)) != len(in.Servers) {
		return errServers
	}
	return nil
}

// ServerRulesAnswer lists the rules that were added.
type ServerRulesAnswer struct {
	Results []ServerRule `json:"results"`
}

func (f *Face) addServerRules(c httpapi.Call, in ServerRules) (ServerRulesAnswer, error) {
	if err := in.check(); err != nil {
		return ServerRulesAnswer{}, err
	}
	rows := make([]token.Row, len(in.Servers))
	for i, s := range in.Servers {
		rows[i].Server = s
	}
	all, err := f.addRules(c, in.Token, token.KindServer, rows...)
	out := ServerRulesAnswer{Results: []ServerRule{}}
	for _, l := range all {
		out.Results = append(out.Results, serverRule(c)(l))
	}
	return out, err
}

func (f *Face) removeServerRules(c httpapi.Call, in ServerRules) (httpapi.None, error) {
	if err := in.check(); err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.keys.RemoveServers(c.Context(), c.Allowed, mine(c), in.Token, in.Servers)
}
