package world

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// Words of a token that are planted by a walk.
const (
	TokenName = "Quarry Robot"
	RuleWord  = "quarry-report"
)

// token makes a token with a rule, uses it, copies it, switches it off and takes
// all of it away.
func (w *Walk) token(ctx context.Context) error {
	const tokens, rules = "/api/auth/tokens/", "/api/security/command-acl/"
	name := fmt.Sprintf("%s %d", TokenName, w.guests)
	var made struct{ Key string }
	var first, second, row struct{ Results []struct{ ID string } }
	find := func(path string, out *struct{ Results []struct{ ID string } }) error {
		out.Results = nil
		err := w.want(ctx, http.StatusOK, "GET", strings.ReplaceAll(path, " ", "%20"), nil, out)
		if err == nil && len(out.Results) != 1 {
			err = fmt.Errorf("%s lists %d", path, len(out.Results))
		}
		return err
	}
	body := map[string]any{"name": name, "scopes": []string{"user:read", "command:create"}}
	if err := w.want(ctx, http.StatusCreated, "POST", tokens, body, &made, http.StatusConflict); err != nil {
		return err
	}
	if err := find(tokens+"?name="+name, &first); err != nil {
		return err
	}
	if made.Key != "" { // where its answer was lost nobody has it
		v := *w.Me
		v.Bearer = made.Key
		a, _, err := w.ask(ctx, v.WithCookie(""), "GET", "/api/iam/users/", nil)
		if err != nil || a.Status != http.StatusOK {
			return fmt.Errorf("a token opens %d %s, %w", a.Status, a.Body, err)
		}
	}
	token := tokens + first.Results[0].ID + "/"
	body = map[string]any{"token": first.Results[0].ID, "command": RuleWord + " *"}
	if err := w.want(ctx, http.StatusCreated, "POST", rules, body, nil, http.StatusConflict); err != nil {
		return err
	}
	if err := w.want(ctx, http.StatusCreated, "POST", token+"duplicate/", map[string]string{"name": name + " too"}, nil, http.StatusConflict); err != nil {
		return err
	}
	if err := find(tokens+"?name="+name+" too", &second); err != nil {
		return err
	}
	if err := find(rules+"?token="+first.Results[0].ID, &row); err != nil {
		return err
	}
	for _, ask := range []struct {
		method, path string
		body         any
		status       int
		failed       []int
	}{
		{"PATCH", token, map[string]any{"enabled": false}, http.StatusOK, nil},
		{"PATCH", token, map[string]any{"enabled": true, "name": name + " again"}, http.StatusOK, nil},
		{"DELETE", rules + row.Results[0].ID + "/", nil, http.StatusNoContent, []int{http.StatusNotFound}},
		{"DELETE", token, nil, http.StatusNoContent, []int{http.StatusNotFound}},
		{"DELETE", tokens + second.Results[0].ID + "/", nil, http.StatusNoContent, []int{http.StatusNotFound}},
	} {
		if err := w.want(ctx, ask.status, ask.method, ask.path, ask.body, nil, ask.failed...); err != nil {
			return err
		}
	}
	return nil
}
