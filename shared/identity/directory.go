package identity

import (
	"cmp"
	"slices"

	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/table"
)

// MaxUsers bounds the people of a workspace: as many as one item holds, with
// the longest names.
const MaxUsers = 4_000

// ErrTooManyUsers refuses the account that would pass MaxUsers.
var ErrTooManyUsers = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "A workspace has at most 10,000 users.", Source: "users"}

// A Row is what the directory holds of a user: enough to filter and sort a
// page without reading the accounts.
type Row struct {
	ID       id.ID[id.Principal] `json:"i"`
	Username string              `json:"u"`
	Disabled bool                `json:"d,omitempty"`
}

// A Directory lists the users of a workspace by username.
type Directory struct {
	Rows []Row `json:"rows"`
	// LastUID is the highest POSIX user id ever given; ids are not reused.
	LastUID int `json:"last_uid"`
}

// FirstUID is where POSIX user ids of people begin, above those that Linux
// distributions give by themselves.
const FirstUID = 2000

// DirectoryKey places the directory of users.
func DirectoryKey(ws id.ID[id.Workspace]) table.Key {
	return table.Key{Table: table.Data, Kind: "D", Workspace: ws, Of: "user", SK: "chunk#0"}
}

// DecodeDirectory reads the directory item.
func DecodeDirectory(item table.Item) (Directory, error) {
	var d Directory
	if err := table.Decode(item, &d); err != nil {
		return Directory{}, err
	}
	return d, nil
}

// Add returns d with one more user and the POSIX user id given to it, or
// ErrTooManyUsers.
func (d Directory) Add(user id.ID[id.Principal], username string) (Directory, int, error) {
	if len(d.Rows) >= MaxUsers {
		return Directory{}, 0, ErrTooManyUsers
	}
	row := Row{ID: user, Username: username}
	at, _ := slices.BinarySearchFunc(d.Rows, row, func(a, b Row) int { return cmp.Compare(a.Username, b.Username) })
	d.Rows = slices.Insert(slices.Clone(d.Rows), at, row)
	d.LastUID = max(d.LastUID+1, FirstUID)
	return d, d.LastUID, nil
}
