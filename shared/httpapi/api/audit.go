package api

import (
	"errors"
	"time"

	"paddock/shared/activity"
	"paddock/shared/audit"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/permission"
)

// ActivityEvent is an event of the audit log. Source: alpacon-wire 6.1; what stands after
// description is ours.
type ActivityEvent struct {
	ID          string           `json:"id"`
	User        *ActivityUser    `json:"user" jsonschema:"nullable"`
	Username    string           `json:"username"`
	IP          string           `json:"ip"`
	App         string           `json:"app"`
	Model       string           `json:"model"`
	Action      string           `json:"action"`
	StatusCode  int              `json:"status_code"`
	AddedAt     time.Time        `json:"added_at"`
	Description string           `json:"description"`
	Code        string           `json:"code"`
	Event       string           `json:"event"`
	Outcome     string           `json:"outcome"`
	Severity    int              `json:"severity"`
	Privileged  bool             `json:"privileged"`
	RequestID   string           `json:"request_id"`
	DecisionID  string           `json:"decision_id,omitempty"`
	Target      string           `json:"target,omitempty"`
	Changes     []ActivityChange `json:"changes"`
}

// ActivityUser names who acted.
type ActivityUser struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// ActivityChange is one value before and after.
type ActivityChange struct {
	Path   string `json:"path"`
	Before string `json:"before"`
	After  string `json:"after"`
}

func rowOf(e audit.Event) ActivityEvent {
	app, model, action := e.Path()
	r := ActivityEvent{
		ID: e.UID.String(), Username: e.Actor.Username, App: app, Model: model, Action: action, StatusCode: e.HTTP.Status,
		AddedAt: e.Time, Description: e.Description, Code: e.Kind.Code(), Event: e.Kind.Name(), Outcome: e.Outcome.String(),
		Severity: int(e.Kind.Severity()), Privileged: e.Privileged, RequestID: e.RequestID, Target: e.Target.Name, Changes: []ActivityChange{},
	}
	if e.Source.IP.IsValid() {
		r.IP = e.Source.IP.String()
	}
	if !e.Actor.ID.Zero() {
		r.User = &ActivityUser{ID: e.Actor.ID.String(), Name: e.Actor.Display}
	}
	if !e.Decision.ID.Zero() {
		r.DecisionID = e.Decision.ID.String()
	}
	for _, c := range e.Changes {
		r.Changes = append(r.Changes, ActivityChange{Path: c.Path, Before: c.Before, After: c.After})
	}
	return r
}

// ActivityQuery narrows the audit log.
type ActivityQuery struct {
	// User is the id of who did it or whom it concerns.
	User *string `query:"user,omitempty" jsonschema:"format=uuid"`
	// App is the part of the API, such as auth or iam.
	App   string `query:"app,omitempty"`
	Model string `query:"model,omitempty"`
	// Cursor is the next of the page before; it is good for the same filter only.
	Cursor string `query:"cursor,omitempty"`
	httpapi.PageQuery
}

var errUser = fault.Field("user", "invalid_value", "The user must be an id.")

func (f *Face) audit(c httpapi.Call, in ActivityQuery) (httpapi.Cursor[ActivityEvent], error) {
	filter := activity.Filter{App: in.App, Model: in.Model, Size: in.Window().Size, Cursor: in.Cursor, Since: c.Who.Workspace.CreatedAt}
	if in.User != nil {
		user, err := id.ParseUUID(*in.User)
		if err != nil {
			return httpapi.Cursor[ActivityEvent]{}, errUser
		}
		filter.User = user
	}
	events, next, err := f.activity.Page(c.Context(), c.Allowed, filter)
	if errors.Is(err, activity.ErrOthers) {
		err = c.Deny(permission.ReadAudit, activity.ErrOthers)
	}
	if err != nil {
		return httpapi.Cursor[ActivityEvent]{}, err
	}
	out := httpapi.Cursor[ActivityEvent]{Next: next, Results: []ActivityEvent{}}
	for _, e := range events {
		out.Results = append(out.Results, rowOf(e))
	}
	return out, nil
}
