// Package once lets a request be repeated without doing its work twice: what
// the first one was answered is kept, under a key that the client chose, in the
// same transaction as the work. It knows no HTTP and no objects.
package once

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/table"
)

// Life is how long an answer is kept. At this age the key is free again.
// Source: design, section 4.
const Life = 24 * time.Hour

// MaxKey bounds a key, in bytes.
const MaxKey = 255

// Refusals of keys.
var (
	ErrKey = fault.Error{
		Kind: fault.Invalid, Code: "idempotency_key_invalid",
		Detail: "The key has 1 to 255 printable ASCII characters, and is sent once.", Source: "Idempotency-Key",
	}
	ErrReused = fault.Error{
		Kind: fault.Conflict, Code: "idempotency_key_reused",
		Detail: "This key was used for another request.", Source: "Idempotency-Key",
	}
)

// ErrRaced tells that another request with the same key was faster: look again.
var ErrRaced = errors.New("once: another request with this key was faster")

// ParseKey accepts a key of a client.
func ParseKey(s string) (string, error) {
	if len(s) < 1 || len(s) > MaxKey {
		return "", ErrKey
	}
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return "", ErrKey
		}
	}
	return s, nil
}

// A Request is what a key stands for: the same fields on the same route, as
// JSON.
type Request struct {
	Route  string
	Key    string
	Fields []byte
}

// A Record is the stored answer. It is sealed like everything else.
type Record struct {
	Request   string          `json:"request"` // hash of the fields
	Answer    json.RawMessage `json:"answer"`
	ExpiresAt time.Time       `json:"expires_at"`
}

// A Ticket is the right to do the work of one request, or what it was answered
// before.
type Ticket struct {
	// Answer is what the first request was answered; nil when this is the first.
	Answer json.RawMessage

	key  table.Key
	old  table.Item // an expired record that was not collected yet
	hash string
	now  time.Time
}

// Place returns where the answer to a request of a principal is kept. The key
// itself is stored nowhere.
func Place(ws id.ID[id.Workspace], who id.ID[id.Principal], route, key string) table.Key {
	sum := sha256.Sum256([]byte(route + "\x00" + key))
	return table.Key{Table: table.Data, Kind: "I", Workspace: ws, Of: who.String(), SK: "once#" + hex.EncodeToString(sum[:])}
}

// Look returns the ticket of a request. It fails with ErrReused when the key
// was used for other fields.
func Look(ctx context.Context, store *table.Store, by authz.Allowed, r Request) (Ticket, error) {
	sum := sha256.Sum256(r.Fields)
	t := Ticket{key: Place(by.Workspace(), by.Principal().ID, r.Route, r.Key), hash: hex.EncodeToString(sum[:]), now: store.Now()}
	item, ok, err := store.One(ctx, by, t.key)
	if err != nil || !ok {
		return t, err
	}
	var kept Record
	if err := table.Decode(item, &kept); err != nil {
		return Ticket{}, err
	}
	if !t.now.Before(kept.ExpiresAt) {
		t.old = item
		return t, nil
	}
	if kept.Request != t.hash {
		return Ticket{}, ErrReused
	}
	t.Answer = kept.Answer
	return t, nil
}

// Keep returns the operation that keeps the answer. It belongs in front of the
// operations that do the work: of several requests with one key, one commits
// and the others get ErrRaced.
func (t Ticket) Keep(answer any) (table.Op, error) {
	text, err := json.Marshal(answer)
	if err != nil {
		return table.Op{}, err
	}
	kept := Record{Request: t.hash, Answer: text, ExpiresAt: t.now.Add(Life)}
	write := table.Insert(t.key, kept)
	if t.old.Version > 0 {
		write = table.Replace(t.old, kept)
	}
	return write.Until(kept.ExpiresAt).Else(ErrRaced), nil
}
