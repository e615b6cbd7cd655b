package httpapi

import "paddock/shared/fault"

// MaxPageSize caps a page. Source: alpacon-wire 2.1.
const MaxPageSize = 100

// defaultPageSize is the size of a page when only its number is asked for.
const defaultPageSize = 25

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

// A PageQuery is which page of a list a request asks for.
type PageQuery struct {
	// Page counts from 1.
	Page *int `query:"page,omitempty" jsonschema:"minimum=1,maximum=2147483648"`
	// PageSize beyond 100 is taken as 100.
	PageSize *int `query:"page_size,omitempty" jsonschema:"minimum=1,maximum=2147483648"`
}

// Window returns the window that is asked for. Sizes beyond MaxPageSize are
// capped, as the wire has it.
func (p PageQuery) Window() Window {
	w := Window{Number: 1, Size: MaxPageSize}
	if p.Page != nil {
		w.Number, w.Size, w.Asked = *p.Page, defaultPageSize, true
	}
	if p.PageSize != nil {
		w.Size, w.Asked = min(*p.PageSize, MaxPageSize), true
	}
	return w
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
