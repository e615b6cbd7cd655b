package world

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// Words of an application that are planted by a walk.
const (
	ApplicationName = "Quarry Crane"
	ApplicationText = "Lifts what the quarry ships."
)

// application makes an application with a role and a token, uses it, changes and
// disables it, and takes all of it away.
func (w *Walk) application(ctx context.Context) error {
	const all, roles = "/api/iam/applications/", "/api/iam/roles/"
	name := fmt.Sprintf("%s %d", ApplicationName, w.guests)
	body := map[string]any{"name": name, "description": ApplicationText, "scopes": []string{"user:read", "command:create"}}
	if err := w.want(ctx, http.StatusCreated, "POST", all, body, nil, http.StatusConflict); err != nil {
		return err
	}
	of, err := w.only(ctx, all+"?name="+name)
	if err != nil {
		return err
	}
	app := all + of + "/"
	if err := w.want(ctx, http.StatusCreated, "POST", roles, map[string]any{"name": name, "permissions": []string{"user:read"}}, nil, http.StatusConflict); err != nil {
		return err
	}
	role, err := w.only(ctx, roles+"?name="+name)
	if err != nil {
		return err
	}
	if err := w.want(ctx, http.StatusCreated, "POST", app+"roles/", map[string]any{"role": role}, nil, http.StatusConflict); err != nil {
		return err
	}
	place, err := w.only(ctx, app+"roles/")
	if err != nil {
		return err
	}
	token, rule, err := w.serviceToken(ctx, app, name)
	if err != nil {
		return err
	}
	return w.retire(ctx, app, role, place, token, rule)
}

// only returns the id of the one thing that a path lists.
func (w *Walk) only(ctx context.Context, path string) (string, error) {
	var found struct{ Results []struct{ ID string } }
	if err := w.want(ctx, http.StatusOK, "GET", strings.ReplaceAll(path, " ", "%20"), nil, &found); err != nil {
		return "", err
	}
	if len(found.Results) != 1 {
		return "", fmt.Errorf("%s lists %d", path, len(found.Results))
	}
	return found.Results[0].ID, nil
}

// serviceToken makes a token of an application with a rule, uses it, and returns
// its path and the rule's.
func (w *Walk) serviceToken(ctx context.Context, app, name string) (token, rule string, err error) {
	var made struct{ Key string }
	if err := w.want(ctx, http.StatusCreated, "POST", app+"tokens/", map[string]any{"name": name}, &made, http.StatusConflict); err != nil {
		return "", "", err
	}
	if made.Key != "" { // where its answer was lost nobody has it
		v := *w.Me
		v.Bearer = made.Key
		a, _, err := w.ask(ctx, v.WithCookie(""), "GET", w.clerk, nil)
		if err != nil || a.Status != http.StatusOK {
			return "", "", fmt.Errorf("a service token opens %d %s, %w", a.Status, a.Body, err)
		}
	}
	of, err := w.only(ctx, app+"tokens/?name="+name)
	if err != nil {
		return "", "", err
	}
	token = app + "tokens/" + of + "/"
	body := map[string]any{"kind": "command", "rules": []map[string]string{{"command": RuleWord + " *"}}}
	if err := w.want(ctx, http.StatusCreated, "POST", token+"rules/", body, nil, http.StatusConflict); err != nil {
		return "", "", err
	}
	rule, err = w.only(ctx, token+"rules/")
	return token, token + "rules/" + rule + "/", err
}

// retire changes and disables an application, and takes all of it away.
func (w *Walk) retire(ctx context.Context, app, role, place, token, rule string) error {
	const roles = "/api/iam/roles/"
	name := fmt.Sprintf("%s %d", ApplicationName, w.guests)
	for _, ask := range []struct {
		method, path string
		body         any
		status       int
		failed       []int
	}{
		{"DELETE", rule, nil, http.StatusNoContent, []int{http.StatusNotFound}},
		{"PATCH", token, map[string]any{"enabled": false}, http.StatusOK, nil},
		{"PATCH", token, map[string]any{"enabled": true, "name": name + " again"}, http.StatusOK, nil},
		{"DELETE", token, nil, http.StatusNoContent, []int{http.StatusNotFound}},
		{"POST", app + "tokens/", map[string]any{"name": name + " too"}, http.StatusCreated, []int{http.StatusConflict}},
		{"DELETE", app + "roles/" + place + "/", nil, http.StatusNoContent, []int{http.StatusNotFound}},
		{"POST", app + "roles/", map[string]any{"role": role}, http.StatusCreated, []int{http.StatusConflict}},
		{"PATCH", app, map[string]any{"name": name + " again", "scopes": []string{"*"}, "managers": []string{strings.Trim(strings.TrimPrefix(w.clerk, "/api/iam/users/"), "/")}}, http.StatusOK, nil},
		{"PATCH", app, map[string]any{"enabled": false}, http.StatusOK, nil},
		{"DELETE", app, nil, http.StatusNoContent, []int{http.StatusNotFound}},
		{"DELETE", roles + role + "/", nil, http.StatusNoContent, []int{http.StatusNotFound}},
	} {
		if err := w.want(ctx, ask.status, ask.method, ask.path, ask.body, nil, ask.failed...); err != nil {
			return err
		}
	}
	return nil
}
