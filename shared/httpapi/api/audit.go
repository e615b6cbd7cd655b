package api

import (
	"net/http"
	"time"

	"paddock/shared/activity"
	"paddock/shared/audit"
	"paddock/shared/httpapi"
	"paddock/shared/id"
)

// Row is an event on the wire. Source: alpacon-wire 6.1; what stands after
// description is ours.
type Row struct {
	ID          string      `json:"id"`
	User        *RowUser    `json:"user"`
	Username    string      `json:"username"`
	IP          string      `json:"ip"`
	App         string      `json:"app"`
	Model       string      `json:"model"`
	Action      string      `json:"action"`
	StatusCode  int         `json:"status_code"`
	AddedAt     time.Time   `json:"added_at"`
	Description string      `json:"description"`
	Code        string      `json:"code"`
	Event       string      `json:"event"`
	Outcome     string      `json:"outcome"`
	Severity    int         `json:"severity"`
	Privileged  bool        `json:"privileged"`
	RequestID   string      `json:"request_id"`
	DecisionID  string      `json:"decision_id,omitempty"`
	Target      string      `json:"target,omitempty"`
	Changes     []RowChange `json:"changes"`
}

// RowUser names who acted.
type RowUser struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// RowChange is one value before and after.
type RowChange struct {
	Path   string `json:"path"`
	Before string `json:"before"`
	After  string `json:"after"`
}

func rowOf(e audit.Event) Row {
	app, model, action := e.Path()
	r := Row{
		ID: e.UID.String(), Username: e.Actor.Username, App: app, Model: model, Action: action, StatusCode: e.HTTP.Status,
		AddedAt: e.Time, Description: e.Description, Code: e.Kind.Code(), Event: e.Kind.Name(), Outcome: e.Outcome.String(),
		Severity: int(e.Kind.Severity()), Privileged: e.Privileged, RequestID: e.RequestID, Target: e.Target.Name, Changes: []RowChange{},
	}
	if e.Source.IP.IsValid() {
		r.IP = e.Source.IP.String()
	}
	if !e.Actor.ID.Zero() {
		r.User = &RowUser{ID: e.Actor.ID.String(), Name: e.Actor.Display}
	}
	if !e.Decision.ID.Zero() {
		r.DecisionID = e.Decision.ID.String()
	}
	for _, c := range e.Changes {
		r.Changes = append(r.Changes, RowChange{Path: c.Path, Before: c.Before, After: c.After})
	}
	return r
}

func (f *Face) audit(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	q := c.URL.Query()
	window, err := httpapi.WindowOf(q)
	if err != nil {
		return 0, nil, err
	}
	filter := activity.Filter{App: q.Get("app"), Model: q.Get("model"), Size: window.Size, Cursor: q.Get("cursor"), Since: c.Who.Workspace.CreatedAt}
	if text := q.Get("user"); text != "" {
		if filter.User, err = id.ParseUUID(text); err != nil {
			return 0, nil, errUser
		}
	}
	events, next, err := f.activity.Page(c.Context(), c.Allowed, filter)
	if err != nil {
		return 0, nil, err
	}
	out := httpapi.Cursor[Row]{Next: next, Results: []Row{}}
	for _, e := range events {
		out.Results = append(out.Results, rowOf(e))
	}
	return http.StatusOK, out, nil
}
