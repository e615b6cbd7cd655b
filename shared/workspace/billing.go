package workspace

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/permission"
)

// A Plan is what a workspace was subscribed to. Who runs their own deployment
// has everything: a new workspace is on Enterprise.
type Plan string

// The plans. Source: specification, "Single sign-on", "IP allowlisting", "Log
// retention".
const (
	Essentials Plan = "essentials"
	Enterprise Plan = "enterprise"
)

// Plans lists them, the smaller first.
var Plans = []Plan{Essentials, Enterprise}

// A Feature is something that a plan has or has not. What is no feature, every
// plan has.
type Feature string

// The features that the specification binds to a plan.
const (
	IPAllowlist   Feature = "ip_allowlist"   // "available in Essentials plan or higher"
	SSO           Feature = "sso"            // "available in Enterprise plan"
	LongRetention Feature = "long_retention" // the log kept longer than 90 days; "Enterprise: up to 5 years"
)

// Features lists them.
var Features = []Feature{IPAllowlist, SSO, LongRetention}

// Includes reports whether the plan has a feature. What is no plan has none.
func (p Plan) Includes(f Feature) bool {
	switch f {
	case IPAllowlist:
		return slices.Contains(Plans, p)
	case SSO, LongRetention:
		return p == Enterprise
	}
	return false
}

// Has returns the features of the plan, in the order of Features.
func (p Plan) Has() []Feature {
	return slices.DeleteFunc(slices.Clone(Features), func(f Feature) bool { return !p.Includes(f) })
}

// Billing is the plan of a workspace, whom invoices go to, and how many accounts
// it may have. Source: specification, "Built-in roles"; design, section 14.
type Billing struct {
	Plan         Plan   `json:"plan"`
	ContactName  string `json:"contact_name,omitempty"`
	ContactEmail string `json:"contact_email,omitempty"`
	// Seats is how many accounts the workspace may have, those that are disabled
	// too; 0: as many as there is room for.
	Seats int `json:"seats,omitempty"`
}

// MaxSeats bounds Billing.Seats; no workspace has room for more accounts.
const MaxSeats = 10_000

// maxContact bounds Billing.ContactName, in characters.
const maxContact = 100

// Refusals of billing.
var (
	ErrPlan    = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The plan must be essentials or enterprise.", Source: "plan"}
	ErrContact = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The name has at most 100 characters, without control characters.", Source: "contact_name"}
	ErrSeats   = fault.Error{Kind: fault.Invalid, Code: "out_of_range", Detail: "The seats must be from 1 to 10,000, or null for no limit.", Source: "seats"}
	// ErrSeatsUsed refuses an account, or an invitation to one, beyond the seats.
	// Accounts that are there stay.
	ErrSeatsUsed = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "Every seat of this workspace has an account. Delete one, or have a superuser raise the number of seats.", Source: "seats_used"}
)

// Room refuses one more account where used seats have one.
func (b Billing) Room(used int) error {
	if b.Seats > 0 && used >= b.Seats {
		return ErrSeatsUsed
	}
	return nil
}

// A BillingPatch is a change of billing: nil means "as it is".
type BillingPatch struct {
	Plan        *Plan   `json:"plan,omitempty"`
	ContactName *string `json:"contact_name,omitempty" jsonschema:"maxLength=100"`
	// ContactEmail is an address, or empty for none. Whoever decodes it checks it.
	ContactEmail *string `json:"contact_email,omitempty" jsonschema:"maxLength=254"`
	// Seats is how many accounts there may be; null: no limit.
	Seats Seats `json:"seats,omitzero" jsonschema:"nullable"`
}

// Seats is a limit on the wire: a whole number, or null for none. The zero Seats
// was not named.
type Seats struct {
	Named bool
	Most  int // 0: no limit
}

// UnmarshalJSON accepts null and what Whole accepts.
func (s *Seats) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*s = Seats{Named: true}
		return nil
	}
	var w Whole
	if err := w.UnmarshalJSON(b); err != nil {
		return err
	}
	if w < 1 || w > MaxSeats {
		return ErrSeats
	}
	*s = Seats{Named: true, Most: int(w)}
	return nil
}

// Apply returns billing after a patch, and what changed; of the address the
// change tells what mask returns.
func (b Billing) Apply(p BillingPatch, mask func(address string) string) (Billing, []audit.Change, error) {
	var changes []audit.Change
	if p.Plan != nil {
		if !slices.Contains(Plans, *p.Plan) {
			return Billing{}, nil, ErrPlan
		}
		changes = note(changes, "plan", &b.Plan, *p.Plan)
	}
	if p.ContactName != nil {
		if len([]rune(*p.ContactName)) > maxContact || strings.ContainsFunc(*p.ContactName, func(r rune) bool { return control(r) || r >= 0x80 && r < 0xa0 }) {
			return Billing{}, nil, ErrContact
		}
		changes = note(changes, "contact_name", &b.ContactName, *p.ContactName)
	}
	if p.ContactEmail != nil && *p.ContactEmail != b.ContactEmail {
		changes = append(changes, audit.Change{Path: "contact_email", Before: masked(b.ContactEmail, mask), After: masked(*p.ContactEmail, mask)})
		b.ContactEmail = *p.ContactEmail
	}
	if p.Seats.Named && p.Seats.Most != b.Seats {
		changes = append(changes, audit.Change{Path: "seats", Before: limit(b.Seats), After: limit(p.Seats.Most)})
		b.Seats = p.Seats.Most
	}
	return b, changes, nil
}

// masked returns an address as events hold it, "" for none.
func masked(address string, mask func(string) string) string {
	if address == "" {
		return ""
	}
	return mask(address)
}

// limit returns a number of seats as events hold it.
func limit(n int) string {
	if n == 0 {
		return "no limit"
	}
	return strconv.Itoa(n)
}

// UpdateBilling applies a patch to billing; mask is that of Apply. Seats below
// the accounts that are there take none away.
func (s *Service) UpdateBilling(ctx context.Context, by authz.Allowed, r Read, p BillingPatch, mask func(address string) string) (Billing, error) {
	next, changes, err := r.Workspace.Billing.Apply(p, mask)
	if err != nil || len(changes) == 0 {
		return next, err
	}
	r.Workspace.Billing = next
	e := by.Event(audit.BillingChanged, s.store.Now()).WithDescription("Plan, invoice contact or seats were changed.")
	return next, s.save(ctx, by, r, permission.UpdateBilling, e, changes)
}
