package httpapi

import (
	"net/http"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/ingress"
	"paddock/shared/permission"
	"paddock/shared/route"
	"paddock/shared/session"
	"paddock/shared/table"
)

// Refusals returns what a row can refuse: what follows from its method and
// rule, and what its handler declares. The description of the API lists them,
// and holds the deployed functions to the list.
func Refusals(row route.Row, b *Binding) []fault.Error {
	out := []fault.Error{errInternal, ingress.ErrMalformed, errURL, errMedia, errTooLarge}
	out = append(out, fieldRefusals(row, b)...)
	if row.Method != http.MethodGet {
		out = append(out, errCrossSite, table.ErrTryAgain, dryRefusal(row))
	}
	out = append(out, ruleRefusals(row)...)
	for _, f := range b.Refusals {
		out = append(out, *f)
	}
	return out
}

func dryRefusal(row route.Row) fault.Error {
	if row.Rule.DryRun {
		return errDryRunValue
	}
	return errDryRun
}

func fieldRefusals(row route.Row, b *Binding) []fault.Error {
	switch {
	case row.Method == http.MethodGet && b.In.NumField() == 0:
		return nil
	case row.Method == http.MethodGet:
		return []fault.Error{errPage}
	case row.OAuth():
		return []fault.Error{errBadJSON, errField, errForm}
	case row.Wire:
		return []fault.Error{errBadJSON, errField}
	}
	return []fault.Error{errBadJSON, errField, errUnknown}
}

func ruleRefusals(row route.Row) []fault.Error {
	r := row.Rule
	if r.Form == route.Public {
		return nil
	}
	out := []fault.Error{errHeaders, session.ErrNoCredential, session.ErrInvalid}
	if row.Method != http.MethodGet {
		out = append(out, table.ErrGone)
	}
	if !r.Half {
		out = append(out, session.ErrHalf, session.ErrEnrolOnly, session.ErrChangePassword, errCLIStep, errStepUp)
	}
	if r.Console {
		out = append(out, errConsole)
	}
	if r.Console || r.Form == route.Self && !r.Token || r.Person {
		out = append(out, errToken)
	}
	if r.Form != route.Self && r.Form != route.Public {
		out = append(out, authz.ErrScope)
	}
	if r.Device {
		out = append(out, session.ErrNotDevice, session.ErrSession)
	}
	if r.Fresh {
		out = append(out, errStepUp)
	}
	if r.Fresh && r.Form != route.Self {
		out = append(out, errTokenStep)
	}
	if r.Fresh && !r.CLI {
		out = append(out, errCLIStep)
	}
	switch r.Form {
	case route.Everywhere, route.Body:
		out = append(out, authz.ErrDenied)
	case route.Path:
		out = append(out, errNotFound)
		if r.Permission.Action != permission.Read {
			out = append(out, authz.ErrDenied)
		}
	case route.Public, route.Self, route.List:
	}
	return out
}

// StatusOf returns the status that a refusal is answered with.
func StatusOf(f fault.Error) int { return statusOf(f.Kind) }
