package identity

import (
	"context"
	"slices"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/table"
)

// ErrPerson refuses whoever shall be given something and is no account, or a
// disabled one.
var ErrPerson = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such user, or it is disabled.", Source: "owner"}

// Active returns the item of an account that is not disabled; else ErrPerson in
// this field.
func Active(ctx context.Context, store *table.Store, by authz.Allowed, of id.UUID, source string) (table.Item, error) {
	item, ok, err := store.One(ctx, by, UserKey(by.Workspace(), id.Of[id.Principal](of)))
	if err != nil {
		return table.Item{}, err
	}
	if !ok {
		return table.Item{}, ErrPerson.In(source)
	}
	u, err := DecodeUser(item)
	if err == nil && u.Disabled {
		err = ErrPerson.In(source)
	}
	return item, err
}

// Runners are who runs a server or an application.
type Runners struct {
	Owner    id.UUID
	Managers []id.UUID
}

// NewRunners returns the items of the accounts that run something and did not
// before, each once. One that is not there, or disabled, is ErrPerson in
// the field that names it.
func NewRunners(ctx context.Context, store *table.Store, by authz.Allowed, was, is Runners) ([]table.Item, error) {
	var people []table.Item
	add := func(of id.UUID, source string) error {
		item, err := Active(ctx, store, by, of, source)
		people = append(people, item)
		return err
	}
	if is.Owner != was.Owner {
		if err := add(is.Owner, "owner"); err != nil {
			return nil, err
		}
	}
	for _, m := range is.Managers {
		if slices.Contains(was.Managers, m) || m == is.Owner && len(people) > 0 {
			continue
		}
		if err := add(m, "managers"); err != nil {
			return nil, err
		}
	}
	return people, nil
}
