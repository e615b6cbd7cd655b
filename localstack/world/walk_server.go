package world

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Words planted by a walk.
const (
	ServerName  = "quarry-otters"
	NoteContent = "the otters of the quarry bite"
)

const (
	serversPath = "/api/servers/servers/"
	fleetPath   = "/api/servers/registration-tokens/"
)

// A machine is a server that a walk registered, with the token it did it by.
type machine struct{ server, token string }

// enlist makes a registration token and registers a server by it.
func (w *Walk) enlist(ctx context.Context) error {
	_, err := w.enlisted(ctx)
	return err
}

func (w *Walk) enlisted(ctx context.Context) (machine, error) {
	w.guests++
	var token struct{ ID, Key string }
	for try := 0; token.Key == ""; try++ { // of a lost answer the key is lost
		if try == tries {
			return machine{}, errors.New("no registration token was made")
		}
		name := fmt.Sprintf("fleet %d %d", w.guests, try)
		if err := w.want(ctx, http.StatusCreated, "POST", fleetPath, map[string]any{"name": name}, &token, http.StatusConflict); err != nil {
			return machine{}, err
		}
	}
	agent := w.Entries.Visitor(w.Slug, "198.51.100.9")
	agent.Bearer = token.Key
	name := fmt.Sprintf("%s-%d", ServerName, w.guests)
	a, failed, err := w.ask(ctx, agent, "POST", serversPath+"register/", map[string]string{"name": name, "platform": "debian"})
	if err != nil {
		return machine{}, err
	}
	if a.Status != http.StatusCreated && (!failed || a.Status != http.StatusConflict) {
		return machine{}, fmt.Errorf("register: status %d: %s", a.Status, a.Body)
	}
	var found struct{ Results []struct{ ID string } }
	if err := w.want(ctx, http.StatusOK, "GET", serversPath+"?name="+name, nil, &found); err != nil {
		return machine{}, err
	}
	if len(found.Results) != 1 {
		return machine{}, fmt.Errorf("%d servers are named %s", len(found.Results), name)
	}
	return machine{server: found.Results[0].ID, token: token.ID}, nil
}

// enlistKept is enlist for a step that goes on with the server.
func (w *Walk) enlistKept(ctx context.Context) (err error) {
	w.machine, err = w.enlisted(ctx)
	return err
}

// run renames a server, assigns it, writes a note on it, and deletes it with
// the token by which it registered.
func (w *Walk) run(ctx context.Context) error {
	var self struct{ ID string }
	if err := w.want(ctx, http.StatusOK, "GET", "/api/iam/users/-/", nil, &self); err != nil {
		return err
	}
	server := serversPath + w.machine.server + "/"
	for _, ask := range []struct {
		method, path string
		body         any
		status       int
		failed       []int
	}{
		{"PATCH", server, map[string]any{"name": fmt.Sprintf("%s-once-%d", ServerName, w.guests)}, http.StatusOK, nil},
		{"POST", "/api/servers/assignments/", map[string]any{"user": self.ID, "server": w.machine.server}, http.StatusCreated, []int{http.StatusConflict}},
		{"POST", "/api/servers/notes/", map[string]any{"server": w.machine.server, "content": NoteContent}, http.StatusCreated, nil},
		{"DELETE", server, nil, http.StatusNoContent, []int{http.StatusNotFound}},
		{"DELETE", fleetPath + w.machine.token + "/", nil, http.StatusNoContent, []int{http.StatusNotFound}},
	} {
		if err := w.want(ctx, ask.status, ask.method, ask.path, ask.body, nil, ask.failed...); err != nil {
			return err
		}
	}
	return nil
}
