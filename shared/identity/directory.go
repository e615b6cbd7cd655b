package identity

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// Bounds of a workspace's people. Source: design, section 5.
const (
	MaxUsers      = 10_000
	MaxSuperusers = 500
)

// Refusals of changes to who is in a workspace.
var (
	// ErrTooManyUsers refuses the account that would pass MaxUsers.
	ErrTooManyUsers = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "A workspace has at most 10,000 users.", Source: "users"}
	// ErrTooManySuperusers refuses the superuser that would pass MaxSuperusers.
	ErrTooManySuperusers = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "A workspace has at most 500 superusers.", Source: "is_superuser"}
	// ErrLastSuperuser refuses what would leave nobody who can run the
	// workspace (security, RB-7).
	ErrLastSuperuser = fault.Error{Kind: fault.Conflict, Code: "last_superuser", Detail: "This is the last active superuser. Make another one first."}
)

// ErrDirectoryMoved tells that another account was changed in between: read
// again and repeat.
var ErrDirectoryMoved = errors.New("identity: the directory has changed")

// FirstUID is where POSIX user ids of people begin, above those that Linux
// distributions give by themselves.
const FirstUID = 2000

// A Head is what the directory says of all people together. Each change of a
// row writes it too, so that its version tells whether rows held in memory are
// still those stored.
type Head struct {
	Count int `json:"count"`
	// LastUID is the highest POSIX user id ever given; ids are not reused.
	LastUID int `json:"last_uid"`
	// Superusers are those that are not disabled. Two that demote each other
	// at once both write this list, so that one of them fails.
	Superusers []id.ID[id.Principal] `json:"superusers"`
}

// A Row is what the directory holds of a user: enough to filter and sort a
// page without reading the accounts.
type Row struct {
	ID       id.ID[id.Principal] `json:"i"`
	Name     string              `json:"u"` // username, or the address while there is none
	Disabled bool                `json:"d,omitempty"`
	// Methods are the confirmed sign-in methods apart from recovery codes, a
	// letter each.
	Methods string `json:"m,omitempty"`
}

// letters are the methods that a row tells of.
var letters = []struct {
	method Method
	letter string
}{{HardwareKey, "h"}, {Biometric, "b"}, {OTP, "o"}, {MailedCode, "e"}, {Phone, "p"}}

// lettersOf returns the methods of an account as its row tells them.
func lettersOf(u User) string {
	var out strings.Builder
	for _, l := range letters {
		if slices.ContainsFunc(u.Factors, func(f Factor) bool { return f.Method == l.method }) {
			out.WriteString(l.letter)
		}
	}
	return out.String()
}

// Holds reports whether the account has one of these methods.
func (r Row) Holds(methods []string) bool {
	for _, l := range letters {
		if strings.Contains(r.Methods, l.letter) && slices.Contains(methods, string(l.method)) {
			return true
		}
	}
	return false
}

// RowOf returns the row of an account.
func RowOf(u User) Row {
	name := u.Username
	if name == "" {
		name = u.EmailKey
	}
	return Row{ID: u.ID, Name: name, Disabled: u.Disabled, Methods: lettersOf(u)}
}

// Chunks is over how many items the rows are spread: with MaxUsers people and
// the longest names each stays far below what an item holds.
const Chunks = 64

const chunkPrefix = "chunk#"

// HeadKey places the head of the directory of users.
func HeadKey(ws id.ID[id.Workspace]) table.Key {
	return table.Key{Table: table.Data, Kind: "D", Workspace: ws, Of: "user", SK: "head"}
}

// chunkKey places the chunk that lists a user: identifiers end in random bits.
func chunkKey(ws id.ID[id.Workspace], user id.ID[id.Principal]) table.Key {
	u := user.UUID()
	return chunkAt(ws, int(u[len(u)-1]%Chunks))
}

func chunkAt(ws id.ID[id.Workspace], n int) table.Key {
	return table.Key{Table: table.Data, Kind: "D", Workspace: ws, Of: "user", SK: fmt.Sprintf("%s%02d", chunkPrefix, n)}
}

// ListingKeys returns the keys that Listed wants read.
func ListingKeys(ws id.ID[id.Workspace], user id.ID[id.Principal]) []table.Key {
	return []table.Key{HeadKey(ws), chunkKey(ws, user)}
}

// A Listing is the part of the directory that a change of one account writes.
type Listing struct {
	Head      Head
	headItem  table.Item
	rows      []Row
	chunkItem table.Item
	chunkKey  table.Key
}

// Listed returns the listing of a user out of items read at ListingKeys.
func Listed(ws id.ID[id.Workspace], user id.ID[id.Principal], items []table.Item) (Listing, error) {
	l := Listing{chunkKey: chunkKey(ws, user)}
	for _, item := range items {
		switch item.Key {
		case HeadKey(ws):
			l.headItem = item
			if err := table.Decode(item, &l.Head); err != nil {
				return Listing{}, err
			}
		case l.chunkKey:
			l.chunkItem = item
			if err := table.Decode(item, &l.rows); err != nil {
				return Listing{}, err
			}
		}
	}
	return l, nil
}

// Add returns l with one more account, to which it gave a POSIX user id. There
// must be a seat for it.
func (l Listing) Add(u User, b workspace.Billing) (Listing, User, error) {
	if l.Head.Count >= MaxUsers {
		return Listing{}, User{}, ErrTooManyUsers
	}
	if err := b.Room(l.Head.Count); err != nil {
		return Listing{}, User{}, err
	}
	l.Head.Count++
	l.Head.LastUID = max(l.Head.LastUID+1, FirstUID)
	u.UID = l.Head.LastUID
	next, err := l.Change(User{}, u)
	return next, u, err
}

// Change returns l with an account as it is after a change; before is the zero
// User for a new one, after for one that is deleted. It refuses to leave a
// workspace without an active superuser.
func (l Listing) Change(before, after User) (Listing, error) {
	who := cmp.Or(after.ID, before.ID)
	l.rows = slices.DeleteFunc(slices.Clone(l.rows), func(r Row) bool { return r.ID == who })
	if !after.ID.Zero() {
		l.rows = append(l.rows, RowOf(after))
	}
	was, is := runs(before), runs(after)
	if was == is {
		return l, nil
	}
	l.Head.Superusers = slices.DeleteFunc(slices.Clone(l.Head.Superusers), func(s id.ID[id.Principal]) bool { return s == who })
	if is {
		l.Head.Superusers = append(l.Head.Superusers, who)
	}
	switch {
	case len(l.Head.Superusers) == 0:
		return Listing{}, ErrLastSuperuser
	case len(l.Head.Superusers) > MaxSuperusers:
		return Listing{}, ErrTooManySuperusers
	}
	return l, nil
}

// Drop returns l without an account.
func (l Listing) Drop(u User) (Listing, error) {
	l.Head.Count--
	return l.Change(u, User{})
}

// runs reports whether an account is a superuser that can act.
func runs(u User) bool { return u.Role == authz.Superuser && !u.Disabled }

// Save returns the operations that write l; when another account was changed
// in between they fail with ErrDirectoryMoved.
func (l Listing) Save() []table.Op {
	chunk := table.Insert(l.chunkKey, l.rows)
	if l.chunkItem.Version > 0 {
		chunk = table.Replace(l.chunkItem, l.rows)
	}
	return []table.Op{table.Replace(l.headItem, l.Head).Else(ErrDirectoryMoved), chunk.Else(ErrDirectoryMoved)}
}

// sorted returns the rows of all chunks by name.
func sorted(chunks []table.Item) ([]Row, error) {
	var out []Row
	for _, item := range chunks {
		var rows []Row
		if err := table.Decode(item, &rows); err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	slices.SortFunc(out, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	return out, nil
}
