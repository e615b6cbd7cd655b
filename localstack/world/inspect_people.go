package world

import (
	"context"
	"fmt"
	"strings"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/identity"
	"paddock/shared/mfa"
	"paddock/shared/session"
	"paddock/shared/table"
)

// people checks that accounts, directory, names, sessions and factors agree.
func (v *inspection) people(ctx context.Context) []error {
	var faults []error
	report := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	users, sessions, unique := map[string]identity.User{}, map[table.Key]session.Session{}, map[table.Key]identity.Unique{}
	var head identity.Head
	taken, listed := map[string]string{}, map[string]identity.Row{} // ids of security keys, accounts
	for k, item := range v.items {
		var err error
		switch {
		case k.Kind == "U" && k.SK == "user":
			users[k.Of], err = identity.DecodeUser(item)
		case k.Kind == "U" && strings.HasPrefix(k.SK, "session#"):
			var s session.Session
			err = table.Decode(item, &s)
			sessions[k] = s
		case k.Kind == "N" && k.SK == "key":
			var u identity.Unique
			err = table.Decode(item, &u)
			taken[k.Of] = u.User.String()
		case k.Kind == "N":
			var u identity.Unique
			err = table.Decode(item, &u)
			unique[k] = u
		case k == identity.HeadKey(v.ws):
			err = table.Decode(item, &head)
		case k.Kind == "D" && k.Of == "user":
			var rows []identity.Row
			err = table.Decode(item, &rows)
			for _, r := range rows {
				listed[r.ID.String()] = r
			}
		}
		if err != nil {
			report("%s: %w", k, err)
		}
	}
	leading := 0
	for k, u := range unique {
		if u.Leads() {
			leading++
		} else if _, ok := users[u.User.String()]; !ok {
			report("name %s is held for nobody", k)
		}
	}
	faults = append(faults, listing(users, listed, head, leading)...)
	faults = append(faults, keysTaken(users, taken)...)
	for _, u := range users {
		faults = append(faults, v.person(ctx, u, unique)...)
	}
	for k, s := range sessions {
		if u, ok := users[k.Of]; ok && s.Epoch > u.Epoch || !ok && !v.deleted(k.Of) {
			report("session %s belongs to nobody", k)
		}
	}
	return faults
}

// keysTaken checks that each id of a security key leads to its owner, and none
// to anybody else.
func keysTaken(users map[string]identity.User, taken map[string]string) (faults []error) {
	held := 0
	for _, u := range users {
		for _, f := range u.Factors {
			if f.Taken == "" {
				continue
			}
			if held++; taken[f.Taken] != u.ID.String() {
				faults = append(faults, fmt.Errorf("the id of key %s of %s leads elsewhere", f.ID, u.ID))
			}
		}
	}
	if held != len(taken) {
		faults = append(faults, fmt.Errorf("%d ids of security keys are taken, the users have %d", len(taken), held))
	}
	return faults
}

// listing checks that the directory tells of the accounts what they are.
func listing(users map[string]identity.User, listed map[string]identity.Row, head identity.Head, taken int) []error {
	var faults []error
	report := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if len(listed) != len(users) || head.Count != len(users) {
		report("the directory lists %d users and counts %d, there are %d", len(listed), head.Count, len(users))
	}
	superusers, names := 0, 0
	for who, u := range users {
		if listed[who] != identity.RowOf(u) {
			report("the directory lists %v for %s", listed[who], who)
		}
		if u.Role == authz.Superuser && !u.Disabled {
			superusers++
		}
		names++
		if u.Username != "" {
			names++
		}
	}
	if superusers != len(head.Superusers) || len(users) > 0 && superusers == 0 {
		report("the directory counts %d superusers, there are %d", len(head.Superusers), superusers)
	}
	if taken != names {
		report("%d names are taken, the users have %d", taken, names)
	}
	return faults
}

// deleted reports whether an event tells that an account was deleted.
func (v *inspection) deleted(user string) bool {
	for _, e := range v.opened {
		if e.Kind == audit.UserDeleted && e.Subject.String() == user {
			return true
		}
	}
	return false
}

func (v *inspection) person(ctx context.Context, u identity.User, unique map[table.Key]identity.Unique) []error {
	var faults []error
	for _, name := range []string{u.Username, u.EmailKey} {
		if name == "" {
			continue
		}
		mac, err := v.store.MAC(ctx, v.by, identity.LoginField, name)
		if at := unique[identity.UniqueKey(v.ws, mac)]; err != nil || at.User != u.ID || !at.Leads() {
			faults = append(faults, fmt.Errorf("a name of %s leads elsewhere: %w", u.ID, err))
		}
	}
	_, password := v.items[session.PasswordKey(v.ws, u.ID)]
	_, link := v.items[identity.LinkKey(v.ws, u.ID, identity.ResetPassword, [32]byte{})]
	if !password && !link {
		faults = append(faults, fmt.Errorf("user %s has no password", u.ID))
	}
	recovery := false
	for _, f := range u.Factors {
		if f.Method == identity.RecoveryCode {
			recovery = true
			continue
		}
		var secret mfa.TOTPSecret
		item, ok := v.items[mfa.FactorKey(v.ws, u.ID, f.ID)]
		if ok {
			ok = table.Decode(item, &secret) == nil && !secret.Pending
		}
		if !ok {
			faults = append(faults, fmt.Errorf("method %s of %s has no confirmed secret", f.ID, u.ID))
		}
	}
	if _, ok := v.items[mfa.RecoveryKey(v.ws, u.ID)]; ok != recovery {
		faults = append(faults, fmt.Errorf("user %s: recovery codes stored %t, listed %t", u.ID, ok, recovery))
	}
	return faults
}
