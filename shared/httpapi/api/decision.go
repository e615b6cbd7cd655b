package api

import (
	"errors"
	"slices"
	"time"

	"paddock/shared/access"
	"paddock/shared/activity"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/permission"
)

// DecisionDocument is a decision that refused a request.
type DecisionDocument struct {
	ID               string    `json:"id"`
	At               time.Time `json:"at"`
	Actor            string    `json:"actor"`
	Permission       string    `json:"permission"`
	FailingCondition string    `json:"failing_condition"`
	ErrorCode        string    `json:"error_code"`
	Method           string    `json:"method"`
	Route            string    `json:"route"`
	// Object is the id of what was asked for; empty for none.
	Object string `json:"object"`
	// Explanation says how it would be decided now; null for what the caller may
	// not ask, or does not see.
	Explanation *ExplainAnswer `json:"explanation" jsonschema:"nullable"`
}

func (f *Face) decision(c httpapi.Call, _ httpapi.None) (DecisionDocument, error) {
	of, err := id.ParseUUID(c.PathValue("id"))
	if err != nil {
		return DecisionDocument{}, activity.ErrNoDecision
	}
	who := c.Principal()
	e, err := f.activity.Decision(c.Context(), c.Allowed, of, authz.May(&who, permission.ReadAudit, authz.Object{}, c.Now()))
	if err != nil {
		return DecisionDocument{}, err
	}
	d := DecisionDocument{ID: of.String(), At: e.Time, Actor: e.Actor.ID.String(), FailingCondition: e.Decision.FailingCondition, Method: e.HTTP.Method, Route: e.HTTP.Route}
	for _, field := range e.Fields {
		switch field.Name() {
		case "permission":
			d.Permission = field.Text()
		case "error_code":
			d.ErrorCode = field.Text()
		case "object":
			d.Object = field.Text()
		}
	}
	if d.Explanation, err = f.decidedNow(c, d, e.Actor.ID); err != nil {
		return DecisionDocument{}, err
	}
	return d, f.activity.Explained(c.Context(), c.Allowed, of, "deny")
}

// decidedNow explains the question of a decision as it stands now. It is nil
// where explain would refuse it.
func (f *Face) decidedNow(c httpapi.Call, d DecisionDocument, actor id.UUID) (*ExplainAnswer, error) {
	what, err := permission.Parse(d.Permission)
	if err != nil || slices.Contains([]string{authz.ErrScope.Code, authz.ErrACL.Code, access.ErrRoot.Code}, d.ErrorCode) {
		return nil, nil //nolint:nilerr // it was about none, about a token, or about a setting
	}
	who := c.Principal()
	if actor != c.Who.User.ID.UUID() {
		if !authz.May(&who, permission.ReadPolicy, authz.Object{}, c.Now()) {
			return nil, nil // not the caller's business
		}
		who, err = f.principal(c, id.Of[id.Principal](actor))
	}
	var o authz.Object
	if err == nil && d.Object != "" {
		o, err = f.asked(c, &d.Object)
	}
	if errors.Is(err, errUserOf) || errors.Is(err, errObject) {
		return nil, nil // gone, or not theirs to see
	}
	if err != nil {
		return nil, err
	}
	now, err := f.explanation(c, &who, "", what, o)
	if refusal, ok := errors.AsType[fault.Error](err); ok && refusal.Code == activity.ErrQuestions.Code {
		return nil, nil //nolint:nilnil // the decision itself may be read
	}
	return &now, err
}
