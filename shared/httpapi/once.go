package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"

	"paddock/shared/once"
	"paddock/shared/route"
	"paddock/shared/table"
)

// KeyHeader is the header with which a client makes a repeat of a creating
// request harmless.
const KeyHeader = "Idempotency-Key"

// A Keep returns the operations that keep an answer beside the work that it
// tells of; none when the client sent no key. They go in front of the others.
type Keep[Out any] func(answer Out) ([]table.Op, error)

// maxRaces bounds how often a request looks again for the answer of a faster
// one.
const maxRaces = 3

// Create is Answer for a row that makes an object. A client may send a key: the
// same fields under the same key are answered as the first time and make
// nothing, other fields are refused. A refused request keeps nothing.
func Create[In, Out any](method, path string, status int, handler func(Call, In, Keep[Out]) (Out, error)) *Binding {
	b := Answer(method, path, status, func(c Call, in In) (Out, error) {
		return created(c, path, in, handler)
	})
	b.Keyed = true
	return b.Refuses(&once.ErrKey, &once.ErrReused, &table.ErrTryAgain)
}

func created[In, Out any](c Call, path string, in In, handler func(Call, In, Keep[Out]) (Out, error)) (Out, error) {
	var none Out
	key, err := keyOf(c)
	if err != nil {
		return none, err
	}
	if key == "" || c.Seen.DryRun {
		return handler(c, in, func(Out) ([]table.Op, error) { return nil, nil })
	}
	fields, err := json.Marshal(in)
	if err != nil {
		return none, err
	}
	for range maxRaces {
		ticket, err := once.Look(c.Context(), c.store, c.Allowed, once.Request{Route: route.Row{Method: c.Method, Path: path}.Pattern(), Key: key, Fields: fields})
		if err != nil {
			return none, fmt.Errorf("look up a key: %w", err)
		}
		if ticket.Answer != nil {
			var out Out
			err := json.Unmarshal(ticket.Answer, &out)
			return out, err
		}
		out, err := handler(c, in, func(answer Out) ([]table.Op, error) {
			op, err := ticket.Keep(answer)
			return []table.Op{op}, err
		})
		if !errors.Is(err, once.ErrRaced) {
			return out, err
		}
	}
	return none, table.ErrTryAgain
}

// keyOf returns the key of a request, "" for none.
func keyOf(c Call) (string, error) {
	switch sent := c.Header.Values(KeyHeader); len(sent) {
	case 0:
		return "", nil
	case 1:
		return once.ParseKey(sent[0])
	}
	return "", once.ErrKey
}
