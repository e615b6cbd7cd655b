package api

import (
	"net/http"
	"slices"
	"time"

	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/table"
	"paddock/shared/token"
)

func (f *Face) tokenBindings() []*httpapi.Binding {
	const get, post, patch, remove, ok, made, empty = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete, http.StatusOK, http.StatusCreated, http.StatusNoContent
	create := []*fault.Error{&token.ErrName, &token.ErrTaken, &token.ErrMany, &token.ErrEnd}
	add := []*fault.Error{&token.ErrToken, &token.ErrRows, &token.ErrRow}
	commands, files := token.KindCommand, token.KindFile
	return slices.Concat([]*httpapi.Binding{
		httpapi.Answer(get, "/api/auth/tokens/", ok, f.tokens).Summed("List one's own API tokens."),
		httpapi.Answer(post, "/api/auth/tokens/", made, f.createToken).Summed("Make an API token; its key is shown once. Full access asks for a fresh proof.").
			Refuses(create...).Refuses(&token.ErrScope).Refuses(httpapi.FreshRefusals...),
		httpapi.Answer(get, "/api/auth/tokens/scopes/", ok, scopes).Summed("List the scopes that a token can have."),
		httpapi.Answer(patch, "/api/auth/tokens/{id}/", ok, f.patchToken).Summed("Rename a token, or switch it off and on.").
			Refuses(&token.ErrNoToken, &token.ErrName, &token.ErrTaken, &token.ErrEnded, &token.ErrBlocked).Refuses(httpapi.FreshRefusals...),
		httpapi.Answer(remove, "/api/auth/tokens/{id}/", empty, f.deleteToken).Summed("Revoke a token: it opens nothing any more.").Refuses(&token.ErrNoToken),
		httpapi.Answer(post, "/api/auth/tokens/{id}/duplicate/", made, f.duplicateToken).Summed("Make a token like another, with its rules.").
			Refuses(create...).Refuses(&token.ErrNoToken).Refuses(httpapi.FreshRefusals...),
		httpapi.Answer(get, "/api/iam/users/{id}/tokens/", ok, f.tokensOf).Summed("List the API tokens of an account."),
		httpapi.Answer(patch, "/api/iam/users/{id}/tokens/{token}/", ok, f.blockToken).Summed("Disable a token of an account, or let it be used again.").
			Refuses(&token.ErrNoToken, &token.ErrEnded),
	}, []*httpapi.Binding{
		httpapi.Answer(get, "/api/security/command-acl/", ok, f.commandRules).Summed("List which command lines one's own tokens may run."),
		httpapi.Answer(post, "/api/security/command-acl/", made, f.addCommandRule).Summed("Let a token run command lines.").
			Refuses(add...).Refuses(&token.ErrRule).Refuses(httpapi.FreshRefusals...),
		httpapi.Answer(remove, "/api/security/command-acl/{id}/", empty, f.removeRule(commands)).Summed("Take a rule from a token.").Refuses(&token.ErrNoRow, &token.ErrToken),
		httpapi.Answer(get, "/api/security/server-acl/", ok, f.serverRules).Summed("List which servers one's own tokens reach."),
		httpapi.Answer(post, "/api/security/server-acl/", made, f.addServerRule).Summed("Let a token reach a server.").
			Refuses(add...).Refuses(&token.ErrServer).Refuses(httpapi.FreshRefusals...),
		httpapi.Answer(post, "/api/security/server-acl/bulk/", made, f.addServerRules).Summed("Let a token reach several servers: all or none.").
			Refuses(add...).Refuses(&token.ErrServer, &errServers).Refuses(httpapi.FreshRefusals...),
		httpapi.Answer(post, "/api/security/server-acl/bulk/delete/", empty, f.removeServerRules).Summed("Take several servers from a token: all or none.").
			Refuses(&token.ErrToken, &token.ErrServer, &errServers),
		httpapi.Answer(remove, "/api/security/server-acl/{id}/", empty, f.removeRule(token.KindServer)).Summed("Take a server from a token.").Refuses(&token.ErrNoRow, &token.ErrToken),
		httpapi.Answer(get, "/api/security/file-acl/", ok, f.fileRules).Summed("List which files one's own tokens may move."),
		httpapi.Answer(post, "/api/security/file-acl/", made, f.addFileRule).Summed("Let a token move files.").
			Refuses(add...).Refuses(&token.ErrRule).Refuses(httpapi.FreshRefusals...),
		httpapi.Answer(remove, "/api/security/file-acl/{id}/", empty, f.removeRule(files)).Summed("Take a rule from a token.").Refuses(&token.ErrNoRow, &token.ErrToken),
	})
}

// errServers refuses a list of servers that is none, or too long for one
// request.
var errServers = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "Name 1 to 80 servers, each once.", Source: "servers"}

// TokenDocument is an API token on the wire. Source: alpacon-wire 3.4; what
// stands after scopes is ours.
type TokenDocument struct {
	ID   id.ID[id.Token] `json:"id"`
	Name string          `json:"name"`
	// Enabled tells that nothing but its end keeps the token from being used.
	Enabled   bool      `json:"enabled"`
	UpdatedAt time.Time `json:"updated_at"`
	// ExpiresAt is the instant at which the token ends; null: never.
	ExpiresAt *time.Time `json:"expires_at" jsonschema:"nullable"`
	Scopes    []string   `json:"scopes"`
	// Permissions are what the scopes stood for when the token was made: what came
	// to the catalogue since is in none.
	Permissions []string  `json:"permissions"`
	CreatedAt   time.Time `json:"created_at"`
	// LastUsedAt is to the minute; null: never.
	LastUsedAt *time.Time `json:"last_used_at" jsonschema:"nullable"`
	// Blocked tells that an administrator disabled the token.
	Blocked bool `json:"blocked"`
	// Ended tells that the token ended with the sessions of its owner.
	Ended bool `json:"ended"`
}

// MadeToken is a new token with its key, which is shown this once.
type MadeToken struct {
	TokenDocument

	Key string `json:"key"`
}

// holding returns a person as holder of tokens; what changes rests on who asks.
func holding(c httpapi.Call, u identity.User) token.Holder {
	return token.HolderOf(u, table.Unchanged(c.Who.UserItem).Else(table.ErrTryAgain))
}

func mine(c httpapi.Call) token.Holder { return holding(c, c.Who.User) }

func tokenDocument(t token.Token, owner token.Holder) TokenDocument {
	d := TokenDocument{
		ID: t.ID, Name: t.Name, Enabled: t.Good(owner), UpdatedAt: t.UpdatedAt, Scopes: t.Scopes, Permissions: permissionTexts(t.Holds), CreatedAt: t.CreatedAt, Blocked: t.Blocked, Ended: t.Epoch != owner.Epoch,
	}
	if !t.ExpiresAt.IsZero() {
		d.ExpiresAt = &t.ExpiresAt
	}
	if !t.UsedAt.IsZero() {
		d.LastUsedAt = &t.UsedAt
	}
	return d
}

// TokensQuery narrows a list of tokens.
type TokensQuery struct {
	// Name matches exactly.
	Name string `query:"name,omitempty"`
	httpapi.PageQuery
}

func (f *Face) tokens(c httpapi.Call, in TokensQuery) (httpapi.Page[TokenDocument], error) {
	return f.tokenPage(c, mine(c), in)
}

func (f *Face) tokenPage(c httpapi.Call, owner token.Holder, in TokensQuery) (httpapi.Page[TokenDocument], error) {
	all, err := f.keys.All(c.Context(), c.Allowed, owner, in.Name)
	return httpapi.Cut(all, in.Window(), func(t token.Token) TokenDocument { return tokenDocument(t, owner) }), err
}

// NewToken is the body of a new token. Source: alpacon-wire 3.4.
type NewToken struct {
	Name string `json:"name" jsonschema:"minLength=1,maxLength=100"`
	// ExpiresAt is the instant at which the token ends; null: never.
	ExpiresAt *time.Time `json:"expires_at,omitempty" jsonschema:"nullable"`
	// Scopes are of the list of scopes; none at all is full access.
	Scopes []string `json:"scopes,omitempty" jsonschema:"nullable,maxItems=100"`
}

func (f *Face) createToken(c httpapi.Call, in NewToken) (MadeToken, error) {
	wanted := token.Wanted{Name: in.Name}
	var err error
	if wanted.ExpiresAt, err = endOf(in.ExpiresAt); err != nil {
		return MadeToken{}, err
	}
	if wanted.Scopes, err = token.Parse(in.Scopes); err != nil {
		return MadeToken{}, err
	}
	if c.Allowed, err = mint(c, wanted.Scopes); err != nil {
		return MadeToken{}, err
	}
	t, key, err := f.keys.Create(c.Context(), c.Allowed, mine(c), wanted)
	return madeToken(mine(c), t, key, err)
}

// mint demands the proof that a token with these scopes asks for: who holds a
// session for a moment does not get a credential that lasts.
func mint(c httpapi.Call, scopes []string) (authz.Allowed, error) {
	if token.Strong(scopes) {
		return c.Fresh()
	}
	return c.FreshIfAble()
}

func madeToken(owner token.Holder, t token.Token, key credential.Secret, err error) (MadeToken, error) {
	if err != nil {
		return MadeToken{}, err
	}
	return MadeToken{TokenDocument: tokenDocument(t, owner), Key: key.Reveal()}, nil
}

// CopyToken names the copy of a token; without a name it gets one.
type CopyToken struct {
	Name string `json:"name,omitempty" jsonschema:"maxLength=100"`
}

func (f *Face) duplicateToken(c httpapi.Call, in CopyToken) (MadeToken, error) {
	which, err := tokenID(c, "id")
	if err != nil {
		return MadeToken{}, err
	}
	source, _, err := f.keys.One(c.Context(), c.Allowed, mine(c), which)
	if err != nil {
		return MadeToken{}, err
	}
	if c.Allowed, err = mint(c, source.Scopes); err != nil {
		return MadeToken{}, err
	}
	t, key, err := f.keys.Duplicate(c.Context(), c.Allowed, mine(c), which, in.Name)
	return madeToken(mine(c), t, key, err)
}

func tokenID(c httpapi.Call, name string) (id.ID[id.Token], error) {
	which, err := id.Parse[id.Token](c.PathValue(name))
	if err != nil {
		return which, token.ErrNoToken
	}
	return which, nil
}

// TokenPatch is a change of one's own token.
type TokenPatch struct {
	Name    *string `json:"name,omitempty" jsonschema:"minLength=1,maxLength=100"`
	Enabled *bool   `json:"enabled,omitempty"`
}

func (f *Face) patchToken(c httpapi.Call, in TokenPatch) (TokenDocument, error) {
	which, err := tokenID(c, "id")
	if err != nil {
		return TokenDocument{}, err
	}
	if in.Enabled != nil && *in.Enabled {
		source, _, err := f.keys.One(c.Context(), c.Allowed, mine(c), which)
		if err != nil {
			return TokenDocument{}, err
		}
		if c.Allowed, err = mint(c, source.Scopes); err != nil {
			return TokenDocument{}, err
		}
	}
	t, err := f.keys.Update(c.Context(), c.Allowed, mine(c), which, token.Patch{Name: in.Name, Enabled: in.Enabled})
	return tokenDocument(t, mine(c)), err
}

func (f *Face) deleteToken(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	which, err := tokenID(c, "id")
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.keys.Delete(c.Context(), c.Allowed, mine(c), which)
}

func (f *Face) tokensOf(c httpapi.Call, in TokensQuery) (httpapi.Page[TokenDocument], error) {
	u, _, err := c.Named()
	if err != nil {
		return httpapi.Page[TokenDocument]{}, err
	}
	return f.tokenPage(c, holding(c, u), in)
}

// TokenSwitch disables a token of somebody else, or lets it be used again.
type TokenSwitch struct {
	Enabled bool `json:"enabled"`
}

func (f *Face) blockToken(c httpapi.Call, in TokenSwitch) (TokenDocument, error) {
	which, err := tokenID(c, "token")
	if err != nil {
		return TokenDocument{}, err
	}
	u, _, err := c.Named()
	if err != nil {
		return TokenDocument{}, err
	}
	t, err := f.keys.Update(c.Context(), c.Allowed, holding(c, u), which, token.Patch{Enabled: &in.Enabled})
	return tokenDocument(t, holding(c, u)), err
}

// ScopeResource is what scopes may say of one resource.
type ScopeResource struct {
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
	// ACL names the kinds of rules that are asked besides: without a rule a
	// token reaches nothing of the kind.
	ACL []string `json:"acl"`
}

// Scopes are all scopes. Source: alpacon-wire 3.4.
type Scopes struct {
	Resources []ScopeResource `json:"resources"`
	Wildcards []string        `json:"wildcards"`
}

func scopes(httpapi.Call, httpapi.None) (Scopes, error) {
	out := Scopes{Resources: []ScopeResource{}, Wildcards: []string{token.Everything}}
	for _, r := range token.Catalogue() {
		out.Resources = append(out.Resources, ScopeResource(r))
	}
	return out, nil
}
