package once_test

import (
	"errors"
	"strings"
	"testing"

	"paddock/shared/id"
	"paddock/shared/once"
)

func TestKeysAreBounded(t *testing.T) {
	for _, c := range []struct {
		name, key string
		ok        bool
	}{
		{"none", "", false},
		{"one character", "k", true},
		{"255 characters", strings.Repeat("k", once.MaxKey), true},
		{"256 characters", strings.Repeat("k", once.MaxKey+1), false},
		{"the ends of printable ASCII", " ~", true},
		{"a control character", "a\x1f", false},
		{"delete", "a\x7f", false},
		{"a letter beyond ASCII", "é", false},
	} {
		got, err := once.ParseKey(c.key)
		if (err == nil) != c.ok || err == nil && got != c.key || err != nil && (got != "" || !errors.Is(err, once.ErrKey)) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

// TestPlacesAreApart holds that a key of one person, route or workspace is
// nothing to another.
func TestPlacesAreApart(t *testing.T) {
	ws, other := id.Of[id.Workspace](id.UUID{15: 1}), id.Of[id.Workspace](id.UUID{15: 2})
	mia, stan := id.Of[id.Principal](id.UUID{15: 3}), id.Of[id.Principal](id.UUID{15: 4})
	seen := map[string]bool{}
	for _, place := range []string{
		once.Place(ws, mia, "/a/", "k").String(), once.Place(other, mia, "/a/", "k").String(), once.Place(ws, stan, "/a/", "k").String(),
		once.Place(ws, mia, "/b/", "k").String(), once.Place(ws, mia, "/a/", "l").String(),
	} {
		if seen[place] || strings.Contains(place, "/a/") {
			t.Errorf("%s", place)
		}
		seen[place] = true
	}
}
