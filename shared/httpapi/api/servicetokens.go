package api

import (
	"net/http"
	"slices"
	"time"

	"paddock/shared/application"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/table"
	"paddock/shared/token"
)

func (f *Face) serviceTokenBindings() []*httpapi.Binding {
	const (
		get, post, patch, remove, ok, made, gone = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete, http.StatusOK, http.StatusCreated, http.StatusNoContent

		all   = "/api/iam/applications/{id}/tokens/"
		rules = "/api/iam/applications/{id}/tokens/{token}/rules/"
	)
	return []*httpapi.Binding{
		httpapi.Answer(get, all, ok, f.serviceTokens).Summed("List the service tokens of an application."),
		httpapi.Answer(post, all, made, f.createServiceToken).Summed("Make a service token; its key is shown once.").
			Refuses(&token.ErrName, &token.ErrNames, &token.ErrService, &token.ErrEnd, &token.ErrScope, &application.ErrWider, &application.ErrDisabled),
		httpapi.Answer(patch, all+"{token}/", ok, f.patchServiceToken).Summed("Rename a service token, or switch it off and on.").
			Refuses(&token.ErrNoToken, &token.ErrName, &token.ErrNames, &token.ErrEnded).Refuses(httpapi.FreshRefusals...),
		httpapi.Answer(remove, all+"{token}/", gone, f.deleteServiceToken).Summed("Revoke a service token: it opens nothing any more.").Refuses(&token.ErrNoToken),
		httpapi.Answer(get, rules, ok, f.serviceRules).Summed("List what a service token reaches: command lines, servers, files.").Refuses(&token.ErrNoToken),
		httpapi.Answer(post, rules, made, f.addServiceRules).Summed("Let a service token reach something: all or none.").
			Refuses(&token.ErrNoToken, &token.ErrRows, &token.ErrRow, &token.ErrRule, &token.ErrServer, &errRuleKind, &errRules),
		httpapi.Answer(remove, rules+"{rule}/", gone, f.removeServiceRule).Summed("Take a rule from a service token.").Refuses(&token.ErrNoToken, &token.ErrNoRow),
	}
}

// Refusals of rules of service tokens.
var (
	errRuleKind = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The kind of a rule is command, server or file.", Source: "kind"}
	errRules    = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "Name 1 to 80 rules.", Source: "rules"}
)

// serving returns the application of the path as holder of tokens. What gives
// something rests on who asks, and on what they and the application may as it
// was weighed.
func serving(c httpapi.Call, gives bool) (application.Application, token.Holder, error) {
	a, item, err := applicationOf(c)
	if err != nil {
		return a, token.Holder{}, err
	}
	rests := []table.Op{table.Unchanged(c.Who.UserItem).Else(table.ErrTryAgain)}
	if gives {
		head := table.Absent(policy.HeadKey(c.Who.Workspace.ID))
		if c.Who.PolicyItem.Version > 0 {
			head = table.Unchanged(c.Who.PolicyItem)
		}
		rests = append(rests, table.Unchanged(item).Else(table.ErrTryAgain), head.Else(table.ErrTryAgain))
	}
	return a, a.Holder(rests...), nil
}

func (f *Face) serviceTokens(c httpapi.Call, in TokensQuery) (httpapi.Page[TokenDocument], error) {
	_, h, err := serving(c, false)
	if err != nil {
		return httpapi.Page[TokenDocument]{}, err
	}
	return f.tokenPage(c, h, in)
}

// NewServiceToken is the body of a new service token.
type NewServiceToken struct {
	Name string `json:"name" jsonschema:"minLength=1,maxLength=100"`
	// ExpiresAt is the instant at which the token ends; null: never.
	ExpiresAt *time.Time `json:"expires_at,omitempty" jsonschema:"nullable"`
	// Scopes narrow those of the application; none are all of them, as they are
	// at each request.
	Scopes []string `json:"scopes,omitempty" jsonschema:"nullable,maxItems=100"`
}

func (f *Face) createServiceToken(c httpapi.Call, in NewServiceToken) (MadeToken, error) {
	a, h, err := serving(c, true)
	if err != nil {
		return MadeToken{}, err
	}
	if !a.Enabled {
		return MadeToken{}, application.ErrDisabled
	}
	wanted := token.Wanted{Name: in.Name}
	if wanted.ExpiresAt, err = endOf(in.ExpiresAt); err != nil {
		return MadeToken{}, err
	}
	if wanted.Scopes, err = a.Narrow(in.Scopes); err != nil {
		return MadeToken{}, err
	}
	t, key, err := f.keys.Create(c.Context(), c.Allowed, h, wanted)
	return madeToken(h, t, key, err)
}

func (f *Face) patchServiceToken(c httpapi.Call, in TokenPatch) (TokenDocument, error) {
	which, err := tokenID(c, "token")
	if err != nil {
		return TokenDocument{}, err
	}
	on := in.Enabled != nil && *in.Enabled
	if on {
		if c.Allowed, err = c.Fresh(); err != nil {
			return TokenDocument{}, err
		}
	}
	_, h, err := serving(c, on)
	if err != nil {
		return TokenDocument{}, err
	}
	t, err := f.keys.Update(c.Context(), c.Allowed, h, which, token.Patch{Name: in.Name, Enabled: in.Enabled})
	return tokenDocument(t, h), err
}

func (f *Face) deleteServiceToken(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	which, err := tokenID(c, "token")
	if err != nil {
		return httpapi.None{}, err
	}
	_, h, err := serving(c, false)
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.keys.Delete(c.Context(), c.Allowed, h, which)
}

// ServiceRule is a rule of a service token.
type ServiceRule struct {
	ID id.ID[id.Rule] `json:"id"`
	// Kind is command, server or file, and says which of the rest have a meaning.
	Kind      string `json:"kind"`
	Command   string `json:"command"`
	Path      string `json:"path"`
	Action    string `json:"action"`
	Username  string `json:"username"`
	Groupname string `json:"groupname"`
	// Server has a name where the caller may see it.
	Server *RuledServer `json:"server" jsonschema:"nullable"`
}

func serviceRule(c httpapi.Call, k token.Kind, r token.Row) ServiceRule {
	d := ServiceRule{ID: r.ID, Kind: k.String(), Command: r.Command, Path: r.Path, Action: r.Action, Username: r.User, Groupname: r.Group}
	if k == token.KindServer {
		d.Server = &RuledServer{ID: r.Server}
		who := c.Principal()
		if s, _, ok := c.Who.Policy.Server(r.Server.UUID()); ok && authz.May(&who, permission.ReadServer, s.Object(), c.Now()) {
			d.Server.Name = s.Name
		}
	}
	return d
}

func (f *Face) serviceRules(c httpapi.Call, in httpapi.PageQuery) (httpapi.Page[ServiceRule], error) {
	var none httpapi.Page[ServiceRule]
	which, err := tokenID(c, "token")
	if err != nil {
		return none, err
	}
	_, h, err := serving(c, false)
	if err != nil {
		return none, err
	}
	_, rows, err := f.keys.One(c.Context(), c.Allowed, h, which)
	if err != nil {
		return none, err
	}
	var all []ServiceRule
	for _, k := range token.Kinds {
		for _, r := range rows.Rows(k) {
			all = append(all, serviceRule(c, k, r))
		}
	}
	return httpapi.Cut(all, in.Window(), func(r ServiceRule) ServiceRule { return r }), nil
}

// NewServiceRules are rules of one kind for a service token.
type NewServiceRules struct {
	// Kind is command, server or file.
	Kind  string             `json:"kind"`
	Rules []ServiceRuleField `json:"rules" jsonschema:"minItems=1,maxItems=80"`
}

// ServiceRuleField is one rule as clients write it; see the rules of API tokens.
type ServiceRuleField struct {
	Command   string            `json:"command,omitempty" jsonschema:"maxLength=1024"`
	Path      string            `json:"path,omitempty" jsonschema:"maxLength=1024"`
	Action    string            `json:"action,omitempty"`
	Username  string            `json:"username,omitempty" jsonschema:"maxLength=128"`
	Groupname string            `json:"groupname,omitempty" jsonschema:"maxLength=128"`
	Server    *id.ID[id.Server] `json:"server,omitempty"`
}

// row returns the rule as a row of a kind; what its kind does not speak of is
// refused.
func (r ServiceRuleField) row(k token.Kind) (token.Row, error) {
	row := token.Row{Command: r.Command, Path: r.Path, Action: r.Action, User: r.Username, Group: r.Groupname}
	if r.Server != nil {
		row.Server = *r.Server
	}
	var only token.Row
	switch k {
	case token.KindCommand:
		only = token.Row{Command: row.Command, User: row.User, Group: row.Group}
	case token.KindServer:
		only = token.Row{Server: row.Server}
	case token.KindFile:
		only = token.Row{Path: row.Path, Action: row.Action, User: row.User, Group: row.Group}
	}
	if row != only {
		return token.Row{}, token.ErrRule.In("rules").Saying("A rule of this kind does not have these fields.")
	}
	return row, nil
}

func (f *Face) addServiceRules(c httpapi.Call, in NewServiceRules) (ServiceRules, error) {
	which, err := tokenID(c, "token")
	if err != nil {
		return ServiceRules{}, err
	}
	at := slices.IndexFunc(token.Kinds, func(k token.Kind) bool { return k.String() == in.Kind })
	if at < 0 {
		return ServiceRules{}, errRuleKind
	}
	if len(in.Rules) == 0 || len(in.Rules) > token.MaxBulk {
		return ServiceRules{}, errRules
	}
	k, rows := token.Kinds[at], make([]token.Row, len(in.Rules))
	for i, r := range in.Rules {
		if rows[i], err = r.row(k); err != nil {
			return ServiceRules{}, err
		}
	}
	_, h, err := serving(c, true)
	if err != nil {
		return ServiceRules{}, err
	}
	if _, _, err := f.keys.One(c.Context(), c.Allowed, h, which); err != nil {
		return ServiceRules{}, err
	}
	added, err := f.keys.Add(c.Context(), c.Allowed, h, which, k, rows)
	out := ServiceRules{Results: []ServiceRule{}}
	for _, l := range added {
		out.Results = append(out.Results, serviceRule(c, k, l.Row))
	}
	return out, err
}

// ServiceRules lists the rules that were added.
type ServiceRules struct {
	Results []ServiceRule `json:"results"`
}

func (f *Face) removeServiceRule(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	which, err := tokenID(c, "token")
	if err != nil {
		return httpapi.None{}, err
	}
	rule, err := id.Parse[id.Rule](c.PathValue("rule"))
	if err != nil {
		return httpapi.None{}, token.ErrNoRow
	}
	_, h, err := serving(c, false)
	if err != nil {
		return httpapi.None{}, err
	}
	_, rows, err := f.keys.One(c.Context(), c.Allowed, h, which)
	if err != nil {
		return httpapi.None{}, err
	}
	for _, k := range token.Kinds {
		if slices.ContainsFunc(rows.Rows(k), func(r token.Row) bool { return r.ID == rule }) {
			return httpapi.None{}, f.keys.Remove(c.Context(), c.Allowed, h, which, k, rule)
		}
	}
	return httpapi.None{}, token.ErrNoRow
}
