package world

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// GroupName is a word planted by a walk.
const GroupName = "Quarry Pandas"

// role makes a role, gives it to the newest account, changes it, and takes it
// away.
func (w *Walk) role(ctx context.Context) error {
	const roles, given = "/api/iam/roles/", "/api/iam/role-assignments/"
	name := fmt.Sprintf("%s %d", GroupName, w.guests)
	body := map[string]any{"name": name, "permissions": []string{"server:read"}, "scope": map[string]any{"patterns": []string{"quarry-*"}}}
	if err := w.want(ctx, http.StatusCreated, "POST", roles, body, nil, http.StatusConflict); err != nil {
		return err
	}
	var found, held struct{ Results []struct{ ID string } }
	if err := w.want(ctx, http.StatusOK, "GET", roles+"?name="+strings.ReplaceAll(name, " ", "%20"), nil, &found); err != nil {
		return err
	}
	if len(found.Results) != 1 {
		return fmt.Errorf("%d roles are named %s", len(found.Results), name)
	}
	role, user := found.Results[0].ID, strings.Trim(strings.TrimPrefix(w.clerk, "/api/iam/users/"), "/")
	if err := w.want(ctx, http.StatusCreated, "POST", given, map[string]any{"role": role, "user": user}, nil, http.StatusConflict); err != nil {
		return err
	}
	if err := w.want(ctx, http.StatusOK, "GET", given+"?role="+role, nil, &held); err != nil {
		return err
	}
	if len(held.Results) != 1 {
		return fmt.Errorf("%d have the role", len(held.Results))
	}
	for _, ask := range []struct {
		method, path string
		body         any
		status       int
		failed       []int
	}{
		{"PATCH", roles + role + "/", map[string]any{"permissions": []string{"server:read", "server:update"}}, http.StatusOK, nil},
		{"DELETE", given + held.Results[0].ID + "/", nil, http.StatusNoContent, []int{http.StatusNotFound}},
		{"DELETE", roles + role + "/", nil, http.StatusNoContent, []int{http.StatusNotFound}},
	} {
		if err := w.want(ctx, ask.status, ask.method, ask.path, ask.body, nil, ask.failed...); err != nil {
			return err
		}
	}
	return nil
}

// group makes a group, puts the newest account into it, makes it more of it,
// opens servers to it, and takes all of that away.
func (w *Walk) group(ctx context.Context) error {
	const groups, places = "/api/iam/groups/", "/api/iam/memberships/"
	name := fmt.Sprintf("%s %d", GroupName, w.guests)
	if err := w.want(ctx, http.StatusCreated, "POST", groups, map[string]any{"name": name, "server_patterns": []string{"quarry-*"}}, nil, http.StatusConflict); err != nil {
		return err
	}
	var found, joined struct{ Results []struct{ ID string } }
	if err := w.want(ctx, http.StatusOK, "GET", groups+"?name="+strings.ReplaceAll(name, " ", "%20"), nil, &found); err != nil {
		return err
	}
	if len(found.Results) != 1 {
		return fmt.Errorf("%d groups are named %s", len(found.Results), name)
	}
	group, user := found.Results[0].ID, strings.Trim(strings.TrimPrefix(w.clerk, "/api/iam/users/"), "/")
	if err := w.want(ctx, http.StatusCreated, "POST", places, map[string]any{"group": group, "user": user, "role": "member"}, nil, http.StatusConflict); err != nil {
		return err
	}
	if err := w.want(ctx, http.StatusOK, "GET", places+"?page=1&group="+group, nil, &joined); err != nil {
		return err
	}
	if len(joined.Results) != 1 {
		return fmt.Errorf("%d are in the group", len(joined.Results))
	}
	place := places + joined.Results[0].ID + "/"
	for _, ask := range []struct {
		method, path string
		body         any
		status       int
		failed       []int
	}{
		{"PATCH", place, map[string]any{"role": "owner"}, http.StatusOK, nil},
		{"PATCH", groups + group + "/", map[string]any{"server_patterns": []string{"quarry-*", "*-pandas"}}, http.StatusOK, nil},
		{"DELETE", place, nil, http.StatusNoContent, []int{http.StatusNotFound}},
		{"DELETE", groups + group + "/", nil, http.StatusNoContent, []int{http.StatusNotFound}},
	} {
		if err := w.want(ctx, ask.status, ask.method, ask.path, ask.body, nil, ask.failed...); err != nil {
			return err
		}
	}
	return nil
}
