package activity_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"paddock/shared/activity"
	"paddock/shared/audit"
	"paddock/shared/id"
)

// walked looks through a list, newest first, as a walk does through an index:
// until size are kept or so many were looked at.
func walked(list []audit.Event, before string, size, looks int, kept map[id.UUID]bool) (events []audit.Event, end string) {
	for _, e := range list {
		if before != "" && e.UID.String() >= before {
			continue
		}
		if looks == 0 {
			return events, end
		}
		looks--
		end = e.UID.String()
		if kept[e.UID] {
			events = append(events, e)
			if len(events) == size {
				return events, end
			}
		}
	}
	return events, ""
}

// TestPagesListEachEventOnce is the law of merged lists: page by page, whatever
// the walks leave off at, every kept event of either comes once, newest first.
func TestPagesListEachEventOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		kept := map[id.UUID]bool{}
		var lists [2][]audit.Event
		var want []string
		for n := range rapid.IntRange(0, 60).Draw(r, "events") {
			e := audit.Event{UID: id.UUID{4: byte(n), 6: 0x70, 8: 0x80}}
			kept[e.UID] = rapid.Bool().Draw(r, "kept")
			in := rapid.IntRange(1, 3).Draw(r, "in")
			for i := range lists {
				if in&(i+1) != 0 {
					lists[i] = append(lists[i], e)
				}
			}
			if kept[e.UID] {
				want = append(want, e.UID.String())
			}
		}
		for i := range lists {
			slices.Reverse(lists[i])
		}
		slices.Reverse(want)
		size, looks := rapid.IntRange(1, 9).Draw(r, "size"), rapid.IntRange(1, 12).Draw(r, "looks")
		var got []string
		for before, pages := "", 0; ; pages++ {
			if pages > 200 {
				r.Fatal("the pages do not end")
			}
			var merged []audit.Event
			cut := ""
			for _, list := range lists {
				events, end := walked(list, before, size, looks, kept)
				merged, cut = append(merged, events...), max(cut, end)
			}
			events, last := activity.Page(merged, cut, size)
			for _, e := range events {
				got = append(got, e.UID.String())
			}
			if before = last; last == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			r.Fatalf("listed\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}
