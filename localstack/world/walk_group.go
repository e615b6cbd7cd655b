package world

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// GroupName is a word planted by a walk.
const GroupName = "Quarry Pandas"

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
