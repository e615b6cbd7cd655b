package route

import (
	"net/url"
	"slices"
	"strings"
)

// Find returns which of Rows, by its place, answers a method and a path of a
// function, or -1. The path is as it was sent, escapes and all. Where two rows
// fit, the one that leaves less open wins. Source: net/http.ServeMux, which a
// test compares; it would redirect, and answer HEAD for GET.
func Find(f Function, method, path string) int {
	found, open := -1, 0
	for i := range Rows {
		row := &Rows[i]
		if row.Function != f || row.Method != method || !row.Fits(path, nil) {
			continue
		}
		if n := strings.Count(row.Path, "{"); found < 0 || n < open {
			found, open = i, n
		}
	}
	return found
}

// Methods returns the methods, in order, that a path of a function answers.
func Methods(f Function, path string) []string {
	var out []string
	for i := range Rows {
		if row := &Rows[i]; row.Function == f && row.Fits(path, nil) {
			out = append(out, row.Method)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Fits reports whether the row's path stands for a path as it was sent. Values,
// if not nil, is told what stands in each of the row's braces, unescaped, also
// where a later part does not fit.
func (r *Row) Fits(path string, values func(name, value string)) bool {
	pattern := r.Path
	for more := true; more; {
		var want, got string
		var longer bool
		want, pattern, more = strings.Cut(pattern, "/")
		got, path, longer = strings.Cut(path, "/")
		if more != longer {
			return false
		}
		if strings.Contains(got, "%") {
			var err error
			if got, err = url.PathUnescape(got); err != nil {
				return false
			}
		}
		name, variable := strings.CutPrefix(want, "{")
		switch {
		case !variable && got != want, variable && got == "":
			return false
		case variable && values != nil:
			values(strings.TrimSuffix(name, "}"), got)
		}
	}
	return true
}
