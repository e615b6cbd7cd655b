package httpapi

import (
	"context"
	"errors"
	"strings"

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
	var value string
	if !asked.Zero() {
		value = asked.String()
	}
	events := []audit.Event{a.denial(p, row, d, value, refusal)}
	if errors.Is(err, authz.ErrACL) {
		events = append(events, a.unlisted(p, d, token.KindServer, value))
	}
	return a.refused(ctx, p, d, refusal, events)
}

// outside is denied for what the rules of a token, of another kind than servers,
// do not name on a server.
func (a *App) outside(ctx context.Context, p authz.Principal, row route.Row, d audit.Decision, on id.UUID, k token.Kind, value string) error {
	refusal := authz.ErrACL.Saying("No " + k.String() + " rule of this token allows it as this account.")
	events := []audit.Event{a.denial(p, row, d, on.String(), refusal), a.unlisted(p, d, k, value)}
	return a.refused(ctx, p, d, refusal, events)
}

// refused writes the events of a refusal and returns it with its decision's id.
func (a *App) refused(ctx context.Context, p authz.Principal, d audit.Decision, refusal fault.Error, events []audit.Event) error {
	if err := a.store.Commit(ctx, authz.ForCeremony(p.Workspace, "guard", p), table.Change{Events: events}); err != nil {
		return err
	}
	if refusal.Kind == fault.NotFound { // answers as what is not there
		return refusal
	}
	return &denial{fault: refusal, decision: d.ID}
}

// denial returns PD4040W, with the object that was asked for, "" for none.
func (a *App) denial(p authz.Principal, row route.Row, d audit.Decision, asked string, refusal fault.Error) audit.Event {
	e := authz.ForCeremony(p.Workspace, "guard", p).Refusal(audit.AccessDenied, a.now(), refusal).WithDecision(d).
		With(audit.ID("decision_id", d.ID), audit.Text("permission", row.Rule.Permission.String()), audit.Text("failing_condition", d.FailingCondition),
			audit.Text("error_code", refusal.Code)).
		WithPath(appOf(row), row.Rule.Permission.Resource.String(), "deny").WithDescription("An access was refused.")
	if asked != "" {
		e = e.With(audit.Text("object", asked))
	}
	return e
}

// unlisted returns PD7022W of a token that asked for what its rules do not name:
// of a server only the id that was asked for, for whose token it is may not see
// it, and there may be none.
func (a *App) unlisted(p authz.Principal, d audit.Decision, k token.Kind, value string) audit.Event {
	e := authz.ForCeremony(p.Workspace, "guard", p).Refusal(audit.ACLDenied, a.now(), authz.ErrACL).WithDecision(d).With(audit.Text("kind", k.String())).
		WithPath("security", k.String()+"_acl", "deny").WithDescription("A token asked for what its rules do not name.")
	if value != "" {
		e = e.With(audit.Text("value", value))
	}
	if p.Limits != nil {
		e = e.With(audit.ID("token_id", p.Limits.Token)).WithTarget(audit.Target{Type: "token", ID: p.Limits.Token})
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
