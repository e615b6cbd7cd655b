package httpapi

import (
	"net/url"
	"strconv"

	"paddock/shared/fault"
)

// MaxPageSize caps a page. Source: alpacon-wire 2.1.
const MaxPageSize = 100

var errPage = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The value must be a whole number of at least 1."}

// A Page is the page-number envelope of lists. Source: alpacon-wire 2.1: next
// and previous are page numbers, 0 for none.
type Page[T any] struct {
	Count    int `json:"count"`
	Current  int `json:"current"`
	Next     int `json:"next"`
	Previous int `json:"previous"`
	Last     int `json:"last"`
	Results  []T `json:"results"`
}

// A Cursor is the cursor envelope of logs. Source: alpacon-wire 2.2.
type Cursor[T any] struct {
	Next    string `json:"next"`
	Results []T    `json:"results"`
}

// A Window is which page of a list is asked for. Asked tells whether the
// request named a page or a size at all.
type Window struct {
	Number, Size int
	Asked        bool
}

// WindowOf reads page and page_size. Sizes beyond MaxPageSize are capped, as
// the wire has it; anything that is not a positive number is refused.
func WindowOf(q url.Values) (Window, error) {
	w := Window{Number: 1, Size: 25, Asked: q.Has("page") || q.Has("page_size")}
	if !w.Asked {
		w.Size = MaxPageSize
	}
	for name, into := range map[string]*int{"page": &w.Number, "page_size": &w.Size} {
		text := q.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1<<31 {
			return Window{}, errPage.In(name)
		}
		*into = n
	}
	w.Size = min(w.Size, MaxPageSize)
	return w, nil
}

// Cut returns the window of all as a page, with what is in it turned into T.
func Cut[S, T any](all []S, w Window, turn func(S) T) Page[T] {
	last := max(1, (len(all)+w.Size-1)/w.Size)
	p := Page[T]{Count: len(all), Current: w.Number, Last: last, Results: []T{}}
	if w.Number > 1 {
		p.Previous = min(w.Number-1, last)
	}
	if w.Number < last {
		p.Next = w.Number + 1
	}
	if w.Number > last {
		return p
	}
	for _, s := range all[(w.Number-1)*w.Size : min(w.Number*w.Size, len(all))] {
		p.Results = append(p.Results, turn(s))
	}
	return p
}
