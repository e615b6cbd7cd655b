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

// Places of applications and of the roles that they get.
const (
	applications = "/api/iam/applications/"
	roles        = "/api/iam/roles/"
)

// crane returns what the application of the newest account, and its role, are
// called.
func (w *Walk) crane() string { return fmt.Sprintf("%s %d", ApplicationName, w.guests) }

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

// roleOfCrane makes an account, and a role for an application.
func (w *Walk) roleOfCrane(ctx context.Context) error {
	if err := w.hire(ctx); err != nil {
		return err
	}
	return w.want(ctx, http.StatusCreated, "POST", roles, map[string]any{"name": w.crane(), "permissions": []string{"user:read"}}, nil)
}

// application makes an application, gives it a role and managers, disables it,
// and takes the role away.
func (w *Walk) application(ctx context.Context) error {
	body := map[string]any{"name": w.crane(), "description": ApplicationText, "scopes": []string{"user:read", "command:create"}}
	if err := w.want(ctx, http.StatusCreated, "POST", applications, body, nil, http.StatusConflict); err != nil {
		return err
	}
	of, err := w.only(ctx, applications+"?name="+w.crane())
	if err != nil {
		return err
	}
	role, err := w.only(ctx, roles+"?name="+w.crane())
	if err != nil {
		return err
	}
	app := applications + of + "/"
	if err := w.want(ctx, http.StatusCreated, "POST", app+"roles/", map[string]any{"role": role}, nil, http.StatusConflict); err != nil {
		return err
	}
	place, err := w.only(ctx, app+"roles/")
	if err != nil {
		return err
	}
	clerk := strings.Trim(strings.TrimPrefix(w.clerk, "/api/iam/users/"), "/")
	change := map[string]any{"enabled": false, "scopes": []string{"*"}, "managers": []string{clerk}}
	if err := w.want(ctx, http.StatusOK, "PATCH", app, change, nil); err != nil {
		return err
	}
	return w.want(ctx, http.StatusNoContent, "DELETE", app+"roles/"+place+"/", nil, nil, http.StatusNotFound)
}

// rigged makes an application that has a role.
func (w *Walk) rigged(ctx context.Context) error {
	if err := w.roleOfCrane(ctx); err != nil {
		return err
	}
	var role, app struct{ ID string }
	var err error
	if role.ID, err = w.only(ctx, roles+"?name="+w.crane()); err != nil {
		return err
	}
	if err := w.want(ctx, http.StatusCreated, "POST", applications, map[string]any{"name": w.crane(), "scopes": []string{"*"}}, &app); err != nil {
		return err
	}
	return w.want(ctx, http.StatusCreated, "POST", applications+app.ID+"/roles/", map[string]any{"role": role.ID}, nil)
}

// serviceToken makes a token of the application with a rule, uses and changes it,
// and deletes the application with all that it has.
func (w *Walk) serviceToken(ctx context.Context) error {
	of, err := w.only(ctx, applications+"?name="+w.crane())
	if err != nil {
		return err
	}
	app := applications + of + "/"
	var made struct{ Key string }
	if err := w.want(ctx, http.StatusCreated, "POST", app+"tokens/", map[string]any{"name": w.crane()}, &made, http.StatusConflict); err != nil {
		return err
	}
	if made.Key != "" { // where its answer was lost nobody has it
		v := *w.Me
		v.Bearer = made.Key
		a, _, err := w.ask(ctx, v.WithCookie(""), "GET", w.clerk, nil)
		if err != nil || a.Status != http.StatusOK {
			return fmt.Errorf("a service token opens %d %s, %w", a.Status, a.Body, err)
		}
	}
	if of, err = w.only(ctx, app+"tokens/"); err != nil {
		return err
	}
	token := app + "tokens/" + of + "/"
	body := map[string]any{"kind": "command", "rules": []map[string]string{{"command": RuleWord + " *"}}}
	if err := w.want(ctx, http.StatusCreated, "POST", token+"rules/", body, nil, http.StatusConflict); err != nil {
		return err
	}
	if err := w.want(ctx, http.StatusOK, "PATCH", token, map[string]any{"name": w.crane() + " again"}, nil); err != nil {
		return err
	}
	return w.want(ctx, http.StatusNoContent, "DELETE", app, nil, nil, http.StatusNotFound)
}
