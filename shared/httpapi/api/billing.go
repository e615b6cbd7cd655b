package api

import (
	"net/http"

	"paddock/shared/httpapi"
	"paddock/shared/identity"
	"paddock/shared/workspace"
)

func (f *Face) billingBindings() []*httpapi.Binding {
	const path = "/api/workspaces/billing/-/"
	return []*httpapi.Binding{
		httpapi.Answer(http.MethodGet, path, http.StatusOK, f.billing).Summed("Show plan, invoice contact and seats."),
		httpapi.Answer(http.MethodPatch, path, http.StatusOK, f.patchBilling).Summed("Change plan, invoice contact and seats.").
			Refuses(&workspace.ErrPlan, &workspace.ErrContact, &workspace.ErrSeats, &identity.ErrEmail),
	}
}

// BillingDocument is the plan of a workspace, whom invoices go to, and its seats.
type BillingDocument struct {
	Plan         workspace.Plan `json:"plan"`
	ContactName  string         `json:"contact_name"`
	ContactEmail string         `json:"contact_email"`
	// Seats is how many accounts there may be; null: no limit.
	Seats *int `json:"seats" jsonschema:"nullable"`
	// SeatsUsed is how many there are, those that are disabled too.
	SeatsUsed int `json:"seats_used"`
	// Features are those that plans differ in and this plan has.
	Features []workspace.Feature `json:"features"`
}

func (f *Face) billing(c httpapi.Call, _ httpapi.None) (BillingDocument, error) {
	used, err := f.people.Seats(c.Context(), c.Allowed)
	return billingDocument(c.Who.Workspace.Billing, used), err
}

func billingDocument(b workspace.Billing, used int) BillingDocument {
	d := BillingDocument{Plan: b.Plan, ContactName: b.ContactName, ContactEmail: b.ContactEmail, SeatsUsed: used, Features: b.Plan.Has()}
	if b.Seats > 0 {
		d.Seats = &b.Seats
	}
	return d
}

func (f *Face) patchBilling(c httpapi.Call, in workspace.BillingPatch) (BillingDocument, error) {
	if in.ContactEmail != nil && *in.ContactEmail != "" {
		email, err := identity.ParseEmail(*in.ContactEmail)
		if err != nil {
			return BillingDocument{}, identity.ErrEmail.In("contact_email")
		}
		in.ContactEmail = &email.Address
	}
	used, err := f.people.Seats(c.Context(), c.Allowed)
	if err != nil {
		return BillingDocument{}, err
	}
	b, err := f.settings.UpdateBilling(c.Context(), c.Allowed, readOf(c), in, func(address string) string {
		return identity.Mask(identity.Email{Key: address})
	})
	return billingDocument(b, used), err
}
