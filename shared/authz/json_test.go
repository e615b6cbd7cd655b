package authz_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// The rows of a policy as one would store them in JSON: the floor of the cold
// load.
type (
	roleJSON struct {
		ID          string   `json:"id"`
		Name        string   `json:"name"`
		Permissions []string `json:"permissions"`
		Objects     []string `json:"objects,omitempty"`
		Names       []string `json:"names,omitempty"`
	}
	groupJSON struct {
		ID      string   `json:"id"`
		Name    string   `json:"name"`
		Roles   []string `json:"roles,omitempty"`
		Access  uint8    `json:"access"`
		Servers []string `json:"servers,omitempty"`
		Names   []string `json:"names,omitempty"`
	}
	serverJSON struct {
		ID       string   `json:"id"`
		Name     string   `json:"name"`
		Owner    string   `json:"owner,omitempty"`
		Managers []string `json:"managers,omitempty"`
	}
	assignmentJSON struct {
		ID      string    `json:"id"`
		Subject string    `json:"subject"`
		Group   bool      `json:"group,omitempty"`
		Server  string    `json:"server,omitempty"`
		Name    string    `json:"pattern,omitempty"`
		Access  uint8     `json:"access"`
		Until   time.Time `json:"until,omitzero"`
	}
	chunkJSON struct {
		Roles       []roleJSON       `json:"roles,omitempty"`
		Groups      []groupJSON      `json:"groups,omitempty"`
		Servers     []serverJSON     `json:"servers,omitempty"`
		Assignments []assignmentJSON `json:"assignments,omitempty"`
	}
)

// storedChunks returns a policy in chunks of 100 rows, in both forms.
func storedChunks(tb testing.TB, p *authz.Policy) (chunks, documents [][]byte) {
	tb.Helper()
	parts := map[int]*authz.Chunk{}
	part := func(i int) *authz.Chunk {
		if parts[i/100] == nil {
			parts[i/100] = &authz.Chunk{}
		}
		return parts[i/100]
	}
	for i, r := range p.Roles() {
		part(i).Roles = append(part(i).Roles, r)
	}
	for i, g := range p.Groups() {
		part(i).Groups = append(part(i).Groups, g)
	}
	for i, s := range p.Servers() {
		part(i).Servers = append(part(i).Servers, s)
	}
	for i, a := range p.Assignments() {
		part(i).Assignments = append(part(i).Assignments, a)
	}
	for i := range len(parts) {
		chunks = append(chunks, parts[i].Append(nil))
		documents = append(documents, writeJSON(tb, parts[i]))
	}
	return chunks, documents
}

func uuids(list []id.UUID) (out []string) {
	for _, u := range list {
		out = append(out, u.String())
	}
	return out
}

func patternTexts(list []pattern.Pattern) (out []string) {
	for _, n := range list {
		out = append(out, n.String())
	}
	return out
}

func given(u id.UUID) string {
	if u.Zero() {
		return ""
	}
	return u.String()
}

func writeJSON(tb testing.TB, c *authz.Chunk) []byte {
	tb.Helper()
	var out chunkJSON
	for _, r := range c.Roles {
		row := roleJSON{ID: r.ID.String(), Name: r.Name, Objects: uuids(r.Scope.Objects), Names: patternTexts(r.Scope.Names)}
		for _, what := range r.Permissions.Permissions() {
			row.Permissions = append(row.Permissions, what.String())
		}
		out.Roles = append(out.Roles, row)
	}
	for _, g := range c.Groups {
		out.Groups = append(out.Groups, groupJSON{g.ID.String(), g.Name, uuids(g.Roles), uint8(g.Access), uuids(g.Servers), patternTexts(g.Names)})
	}
	for _, s := range c.Servers {
		out.Servers = append(out.Servers, serverJSON{s.ID.String(), s.Name, given(s.Owner), uuids(s.Managers)})
	}
	for _, a := range c.Assignments {
		out.Assignments = append(out.Assignments, assignmentJSON{a.ID.String(), a.Subject.String(), a.Group, given(a.Server), a.Name.String(), uint8(a.Access), a.Until})
	}
	b, err := json.Marshal(out)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// readJSON adds the rows of a document to c.
func readJSON(tb testing.TB, document []byte, c *authz.Chunk) {
	tb.Helper()
	var failed error
	uuid := func(text string) (u id.UUID) {
		if text == "" {
			return u
		}
		u, err := id.ParseUUID(text)
		if err != nil {
			failed = err
		}
		return u
	}
	list := func(texts []string) (out []id.UUID) {
		for _, text := range texts {
			out = append(out, uuid(text))
		}
		return out
	}
	name := func(text string) (p pattern.Pattern) {
		p, err := pattern.Parse(pattern.Name, text)
		if err != nil {
			failed = err
		}
		return p
	}
	names := func(texts []string) (out []pattern.Pattern) {
		for _, text := range texts {
			out = append(out, name(text))
		}
		return out
	}
	var in chunkJSON
	if err := json.Unmarshal(document, &in); err != nil {
		tb.Fatal(err)
	}
	for _, r := range in.Roles {
		row := authz.Role{ID: uuid(r.ID), Name: r.Name, Scope: authz.Scope{Objects: list(r.Objects), Names: names(r.Names)}}
		for _, text := range r.Permissions {
			what, err := permission.Parse(text)
			if err != nil {
				failed = err
			}
			row.Permissions = row.Permissions.Union(permission.SetOf(what))
		}
		c.Roles = append(c.Roles, row)
	}
	for _, g := range in.Groups {
		c.Groups = append(c.Groups, authz.Group{ID: uuid(g.ID), Name: g.Name, Roles: list(g.Roles), Access: authz.Access(g.Access), Servers: list(g.Servers), Names: names(g.Names)})
	}
	for _, s := range in.Servers {
		c.Servers = append(c.Servers, authz.Server{ID: uuid(s.ID), Name: s.Name, Owner: uuid(s.Owner), Managers: list(s.Managers)})
	}
	for _, a := range in.Assignments {
		row := authz.Assignment{ID: uuid(a.ID), Subject: uuid(a.Subject), Group: a.Group, Server: uuid(a.Server), Access: authz.Access(a.Access), Until: a.Until}
		if a.Name != "" {
			row.Name = name(a.Name)
		}
		c.Assignments = append(c.Assignments, row)
	}
	if failed != nil {
		tb.Fatal(fmt.Errorf("a document: %w", failed))
	}
}
