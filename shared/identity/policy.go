package identity

import (
	"context"
	"fmt"
	"slices"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// Refusals of changes to the policy of sign-in methods.
var (
	// ErrAffected asks to acknowledge how many people lose their last method;
	// its sentence tells the number.
	ErrAffected = fault.Error{Kind: fault.Conflict, Code: "mfa_users_affected", Detail: "People would lose their last sign-in method.", Source: "acknowledge_affected"}
	// ErrNoSuperuser refuses what would leave no superuser who can sign in and
	// change the settings back.
	ErrNoSuperuser = fault.Error{Kind: fault.Conflict, Code: "mfa_no_superuser", Detail: "No active superuser has a sign-in method that would be allowed for protected actions. Set one up first."}
)

// A PolicyImpact is what a change of the policy means for people.
type PolicyImpact struct {
	// Affected have a method that is allowed now, and none that would be: they
	// sign in with the old one once more, to set up an allowed one.
	Affected []Row
	// Without have no method that would be allowed, where the change begins to
	// demand one: they can do nothing but set one up.
	Without []Row
	// Superusers is how many active superusers could open protected actions.
	Superusers int
}

// Weigh is the rule of what a change of the policy means. Disabled accounts do
// not count.
func Weigh(rows []Row, head Head, now, next workspace.Security) PolicyImpact {
	var out PolicyImpact
	for _, r := range rows {
		if r.Disabled {
			continue
		}
		if r.Holds(now.AllowedMFAMethods) && !r.Holds(next.AllowedMFAMethods) {
			out.Affected = append(out.Affected, r)
		}
		if next.MFARequired && !now.MFARequired && !r.Holds(next.AllowedMFAMethods) {
			out.Without = append(out.Without, r)
		}
		if r.Holds(next.StepsUp()) && slices.Contains(head.Superusers, r.ID) {
			out.Superusers++
		}
	}
	return out
}

// PolicyImpact reads whom a change of the policy affects, by name. The item is
// the directory's head: while it stands unchanged, so does the answer.
func (s *Service) PolicyImpact(ctx context.Context, by authz.Allowed, now, next workspace.Security) (PolicyImpact, table.Item, error) {
	keys := []table.Key{HeadKey(by.Workspace())}
	for n := range Chunks {
		keys = append(keys, chunkAt(by.Workspace(), n))
	}
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return PolicyImpact{}, table.Item{}, err
	}
	var item table.Item
	var head Head
	var chunks []table.Item
	for _, one := range items {
		if one.Key != HeadKey(by.Workspace()) {
			chunks = append(chunks, one)
			continue
		}
		item = one
		if err := table.Decode(one, &head); err != nil {
			return PolicyImpact{}, table.Item{}, err
		}
	}
	rows, err := sorted(chunks)
	return Weigh(rows, head, now, next), item, err
}

// WeighPolicy refuses a change of the policy that leaves no superuser able to
// change it back, or that affects people whose number was not acknowledged.
func (s *Service) WeighPolicy(ctx context.Context, by authz.Allowed, now, next workspace.Security, acknowledged int) (workspace.Impact, error) {
	if slices.Equal(now.AllowedMFAMethods, next.AllowedMFAMethods) && slices.Equal(now.StepUpMethods, next.StepUpMethods) {
		return workspace.Impact{}, nil
	}
	impact, head, err := s.PolicyImpact(ctx, by, now, next)
	if err != nil {
		return workspace.Impact{}, err
	}
	if impact.Superusers == 0 {
		return workspace.Impact{}, ErrNoSuperuser
	}
	if n := len(impact.Affected); n > 0 && n != acknowledged {
		return workspace.Impact{}, ErrAffected.Saying(fmt.Sprintf("%d people would lose their last sign-in method. Send this number as acknowledge_affected to go on: they can sign in with the old one only to set up another.", n))
	}
	return workspace.Impact{Affected: len(impact.Affected), Ops: []table.Op{table.Unchanged(head).Else(table.ErrTryAgain)}}, nil
}
