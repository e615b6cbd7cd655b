package world

import (
	"context"
	"fmt"
	"net/http"
)

// invite invites a person twice, the second time in the place of the first,
// and withdraws it.
func (w *Walk) invite(ctx context.Context) error {
	w.guests++
	guest := fmt.Sprintf("guest%d.%s", w.guests, Colleague)
	for range 2 {
		if err := w.want(ctx, http.StatusCreated, "POST", "/api/workspaces/users/invite/", map[string]string{"email": guest}, nil); err != nil {
			return err
		}
	}
	var open struct {
		Results []struct{ ID, Email string }
	}
	if err := w.want(ctx, http.StatusOK, "GET", "/api/iam/invitations/", nil, &open); err != nil {
		return err
	}
	found := 0
	for _, one := range open.Results {
		if one.Email != guest {
			continue
		}
		found++
		if err := w.want(ctx, http.StatusNoContent, "DELETE", "/api/iam/invitations/"+one.ID+"/", nil, nil, http.StatusNotFound); err != nil {
			return err
		}
	}
	if found != 1 {
		return fmt.Errorf("%d invitations of %s are open", found, guest)
	}
	return nil
}

// hire makes an account, with a password that its owner must replace.
func (w *Walk) hire(ctx context.Context) error {
	w.guests++
	username := fmt.Sprintf("clerk%d", w.guests)
	body := map[string]any{
		"username": username, "email": username + "." + Colleague, "first_name": FirstName, "password": "a-lamp-for-the-new-clerk", "is_staff": true,
	}
	a, failed, err := w.ask(ctx, w.Me, "POST", "/api/iam/users/", body)
	if err != nil {
		return err
	}
	if a.Status != http.StatusCreated && (!failed || a.Status != http.StatusConflict) {
		return fmt.Errorf("make an account: %d %s", a.Status, a.Body)
	}
	var list struct{ Results []struct{ ID string } }
	if err := w.want(ctx, http.StatusOK, "GET", "/api/iam/users/?username="+username, nil, &list); err != nil {
		return err
	}
	if len(list.Results) != 1 {
		return fmt.Errorf("%d accounts are named %s", len(list.Results), username)
	}
	w.clerk = "/api/iam/users/" + list.Results[0].ID + "/"
	return nil
}

// edit changes the newest account, one change after the other; the last one
// leaves what wanted tells.
func (w *Walk) edit(wanted map[string]any, changes ...map[string]any) func(context.Context) error {
	return func(ctx context.Context) error {
		var after map[string]any
		for _, change := range append(changes, wanted) {
			if err := w.want(ctx, http.StatusOK, "PATCH", w.clerk, change, nil); err != nil {
				return fmt.Errorf("%v: %w", change, err)
			}
		}
		if err := w.want(ctx, http.StatusOK, "GET", w.clerk, nil, &after); err != nil {
			return err
		}
		for name, value := range wanted {
			if name == "email" {
				name = "pending_email"
			}
			if after[name] != value {
				return fmt.Errorf("%s is %v, not %v", name, after[name], value)
			}
		}
		return nil
	}
}

// dismiss deletes the newest account.
func (w *Walk) dismiss(ctx context.Context) error {
	return w.want(ctx, http.StatusNoContent, "DELETE", w.clerk, nil, nil, http.StatusNotFound)
}
