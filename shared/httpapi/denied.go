package httpapi

import (
	"context"
	"errors"
	"strings"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/route"
	"paddock/shared/table"
	"paddock/shared/token"
)

// denied writes PD4040W, with the object that was asked for if it was one, and
// returns the refusal with the decision's id. What the rules of a token do not
// name is PD7022W besides.
func (a *App) denied(ctx context.Context, p authz.Principal, row route.Row, d audit.Decision, asked id.UUID, err error) error {
	refusal, ok := errors.AsType[fault.Error](err)
	if !ok {
		return err
	}
	e := authz.ForCeremony(p.Workspace, "guard", p).Refusal(audit.AccessDenied, a.now(), refusal).WithDecision(d).
		With(audit.ID("decision_id", d.ID), audit.Text("permission", row.Rule.Permission.String()), audit.Text("failing_condition", d.FailingCondition),
			audit.Text("error_code", refusal.Code)).
		WithPath(appOf(row), row.Rule.Permission.Resource.String(), "deny").WithDescription("An access was refused.")
	if !asked.Zero() {
		e = e.With(audit.Text("object", asked.String()))
	}
	events := []audit.Event{e}
	if errors.Is(err, authz.ErrACL) {
		events = append(events, outside(authz.ForCeremony(p.Workspace, "guard", p), a.now(), refusal, d, asked))
	}
	if err := a.store.Commit(ctx, authz.ForCeremony(p.Workspace, "guard", p), table.Change{Events: events}); err != nil {
		return err
	}
	if refusal.Kind == fault.NotFound { // answers as what is not there
		return refusal
	}
	return &denial{fault: refusal, decision: d.ID}
}

// outside returns the event of a token that asked for a server which its rules
// do not name. It names no server: whose token it is may not see it, and there
// may be none.
func outside(by authz.Allowed, now time.Time, refusal fault.Error, d audit.Decision, asked id.UUID) audit.Event {
	kind := token.KindServer.String()
	e := by.Refusal(audit.ACLDenied, now, refusal).WithDecision(d).With(audit.Text("kind", kind)).
		WithPath("security", kind+"_acl", "deny").WithDescription("A token asked for a server that its rules do not name.")
	if !asked.Zero() {
		e = e.With(audit.Text("value", asked.String()))
	}
	if l := by.Principal().Limits; l != nil {
		e = e.With(audit.ID("token_id", l.Token)).WithTarget(audit.Target{Type: "token", ID: l.Token})
	}
	return e
}

// appOf returns the app of a route in the CLI's sense: the part after /api/.
func appOf(row route.Row) string {
	parts := strings.Split(row.Path, "/")
	if len(parts) < 3 {
		return "api"
	}
	return parts[2]
}
