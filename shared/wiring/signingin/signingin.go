// Package signingin builds the entry of the signin function.
package signingin

import (
	"net/http"
	"sync"

	"paddock/shared/credential"
	"paddock/shared/credential/breach"
	"paddock/shared/credential/known"
	"paddock/shared/httpapi"
	"paddock/shared/httpapi/signin"
	"paddock/shared/outgoing"
	"paddock/shared/passkey"
	"paddock/shared/policy"
	"paddock/shared/route"
	"paddock/shared/session"
	"paddock/shared/table"
	"paddock/shared/token"
	"paddock/shared/usage"
	"paddock/shared/wiring"
)

// New builds the HTTP handler of the signin function.
func New(c wiring.Config) (http.Handler, error) {
	store, err := c.Store(c.Keys(), table.DataKeyring, table.CredentialKeyring)
	if err != nil {
		return nil, err
	}
	hosts, err := c.BaseHosts()
	if err != nil {
		return nil, err
	}
	parts := session.Config{
		Store: store, Random: c.Random, BaseHosts: hosts, DefaultWorkspace: c.Default,
		Hasher: credential.NewHasher(hashesAtOnce(c.MemoryMB)), Keys: passkey.Ceremonies{}, SMS: c.SMSSender != "", Voice: c.VoiceOrigin != "",
	}
	if err := passwords(c, &parts); err != nil {
		return nil, err
	}
	sessions, err := session.New(parts)
	if err != nil {
		return nil, err
	}
	policies, err := policy.New(store)
	if err != nil {
		return nil, err
	}
	tokens, err := token.New(store, c.Random)
	if err != nil {
		return nil, err
	}
	used, err := usage.New(store)
	if err != nil {
		return nil, err
	}
	return httpapi.New(httpapi.Config{Function: route.Signin, Sessions: sessions, Policies: policies, Store: store, Usage: used, Now: c.Now, Bindings: signin.New(sessions, tokens).Bindings()})
}

// passwords adds what new passwords are compared with to a service's parts.
func passwords(c wiring.Config, own *session.Config) error {
	if name := c.PasswordFilter; name != "" {
		// A cold start that signs nobody in does not pay for it.
		own.List = sync.OnceValues(func() (*known.List, error) { return known.Open(name) })
	}
	if c.PasswordRangeURL == "" {
		return nil
	}
	out := c.Outgoing
	if out == nil {
		out = outgoing.Transport(own.BaseHosts)
	}
	ranges, err := breach.New(breach.Config{URL: c.PasswordRangeURL, Transport: out})
	if err != nil {
		return err
	}
	own.Ranges = ranges
	return nil
}

// hashesAtOnce is how many passwords are hashed side by side: each takes 19
// MiB while it runs, and half of the memory is left for everything else.
func hashesAtOnce(memoryMB int) int { return max(1, memoryMB/2/24) }
