// Package table is the one way to read and write stored data. A read or write
// needs an authz.Allowed and stays in its workspace; a change commits together
// with its audit events and outgoing messages in one conditional transaction,
// fenced by the workspace being alive. The package knows no AWS SDK: an Engine
// does what it says.
package table

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"paddock/shared/id"
	"paddock/shared/seal"
)

// A Name is one of the four tables. Source: design, section 2.
type Name uint8

// The tables.
const (
	Data Name = iota + 1
	Credentials
	DataKeyring
	CredentialKeyring
)

// Names lists every table.
var Names = []Name{Data, Credentials, DataKeyring, CredentialKeyring}

// String returns the table's name, which sealed payloads are bound to.
func (n Name) String() string {
	switch n {
	case Data:
		return "data"
	case Credentials:
		return "credentials"
	case DataKeyring:
		return "data-keyring"
	case CredentialKeyring:
		return "credential-keyring"
	}
	return "unknown"
}

// Purpose returns which data key seals the payloads of the table.
func (n Name) Purpose() seal.Purpose {
	if n == Credentials || n == CredentialKeyring {
		return seal.Credentials
	}
	return seal.Data
}

// A Key places one item. Its partition key is "<Kind>#<workspace>", followed
// by "#<Of>" when Of is not empty, so that every partition belongs to one
// workspace.
type Key struct {
	Table     Name
	Kind      string // one capital letter, see docs/architecture.md
	Workspace id.ID[id.Workspace]
	Of        string
	SK        string
}

// PK returns the partition key.
func (k Key) PK() string {
	pk := k.Kind + "#" + k.Workspace.String()
	if k.Of != "" {
		pk += "#" + k.Of
	}
	return pk
}

// String returns both keys, for logs: they name no person.
func (k Key) String() string { return k.Table.String() + ":" + k.PK() + "/" + k.SK }

func (k Key) check() error {
	if k.Workspace.Zero() || k.Kind == "" || k.SK == "" || strings.Contains(k.Of, "#") {
		return fmt.Errorf("table: malformed key %s", k)
	}
	return nil
}

// An Attribute is a plain attribute of an item: what conditions and indexes
// need. It names nobody, and no decision reads it back.
type Attribute struct {
	Name  string
	Text  string
	Num   int64
	IsNum bool
}

// Text returns a plain text attribute.
func Text(name, value string) Attribute { return Attribute{Name: name, Text: value} }

// Num returns a plain number attribute.
func Num(name string, value int64) Attribute { return Attribute{Name: name, Num: value, IsNum: true} }

// A Record is an item as it is stored.
type Record struct {
	Key     Key
	Version uint64
	KeyID   seal.KeyID
	Sealed  []byte
	TTL     time.Time // zero for none; collects garbage and decides nothing
	Plain   []Attribute
}

// Attr returns the plain attribute with this name, or the zero Attribute.
func (r Record) Attr(name string) Attribute {
	for _, a := range r.Plain {
		if a.Name == name {
			return a
		}
	}
	return Attribute{}
}

// An Item is a stored item with its payload opened.
type Item struct {
	Record
	Payload []byte
}

// A Verb is what an operation does.
type Verb uint8

// The verbs.
const (
	Put    Verb = iota + 1 // write the whole item
	Delete                 // remove it
	Check                  // only hold the condition
)

// A Write is one operation with its condition, as an Engine carries it out.
type Write struct {
	Verb   Verb
	Record Record // the key always, the rest for Put
	// Expect is the version that the stored item must have; 0 means that no
	// item may be there.
	Expect uint64
	// Where are plain attributes that the stored item must have.
	Where []Attribute
}

// ErrStale is returned when a condition of a transaction did not hold: what
// was read has changed since, or is already there.
var ErrStale = errors.New("table: a condition did not hold")

// ErrContended is returned when another transaction held an item. The same
// transaction may succeed when tried again.
var ErrContended = errors.New("table: another transaction is in the way")

// A Failed condition says which writes of a transaction were refused.
type Failed struct{ Writes []int }

// Error names the positions.
func (f *Failed) Error() string { return fmt.Sprintf("%v: write %v", ErrStale, f.Writes) }

// Unwrap makes errors.Is(err, ErrStale) hold.
func (f *Failed) Unwrap() error { return ErrStale }

// A Query asks for the items of one partition, or of one index partition, by
// sort key.
type Query struct {
	Index    string // "" for the table itself
	HashName string // attribute of the index, "" for the table itself
	Key      Key    // table and partition; SK is ignored
	Hash     string // value of HashName
	Prefix   string // of the sort key
	From     string // inclusive lower bound of the sort key, "" for none
	Before   string // exclusive upper bound of the sort key, "" for none
	Backward bool
	Limit    int
}

// An Engine stores records. Implementations return ErrStale (as *Failed) and
// ErrContended as said there, and everything else unclassified.
type Engine interface {
	// Get reads consistently, in one round trip for up to 100 keys. Absent
	// items are left out. It fails when a key stays unprocessed.
	Get(ctx context.Context, keys []Key) ([]Record, error)
	Query(ctx context.Context, q Query) ([]Record, error)
	// Size returns how many records Query would.
	Size(ctx context.Context, q Query) (int, error)
	// Transact does all writes or none; token makes a repeat harmless.
	Transact(ctx context.Context, token string, writes []Write) error
	// Write does one write.
	Write(ctx context.Context, w Write) error
	// Add adds n to a number of an item, creating it, unless that would pass
	// limit or, for a negative n, fall below nothing, and returns the sum. Beyond
	// the bound it returns ErrStale.
	Add(ctx context.Context, key Key, attribute string, n, limit int64, ttl time.Time) (int64, error)
}

// HashText returns bytes as they stand in keys and indexes.
func HashText(b []byte) string { return hex.EncodeToString(b) }
