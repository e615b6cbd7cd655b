package route_test

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"paddock/shared/route"
)

// TestFindIsTheMuxOfTheStandardLibrary asks Find and net/http's mux, which also
// refuses rows of which none is the narrower, for what the rows' paths say and
// for what lies beside them.
func TestFindIsTheMuxOfTheStandardLibrary(t *testing.T) {
	for _, f := range []route.Function{route.API, route.Signin} {
		var pattern string
		var values map[string]string
		mux := http.NewServeMux()
		var rows []route.Row
		parts := map[string]bool{"": true, "x": true, "%2D": true, "a%2Fb": true, "%7Bid%7D": true, "%25": true}
		for _, row := range route.Rows {
			if row.Function != f {
				continue
			}
			rows = append(rows, row)
			mux.HandleFunc(row.Pattern(), func(_ http.ResponseWriter, r *http.Request) {
				pattern, values = row.Pattern(), map[string]string{}
				for part := range strings.SplitSeq(row.Path, "/") {
					if name, variable := strings.CutPrefix(part, "{"); variable {
						name = strings.TrimSuffix(name, "}")
						values[name] = r.PathValue(name)
					}
				}
			})
			for part := range strings.SplitSeq(row.Path, "/") {
				parts[part] = true
			}
		}
		delete(parts, "{id}") // a path has it escaped only
		all := slices.Sorted(maps.Keys(parts))
		methods := []string{"DELETE", "GET", "PATCH", "POST", "PUT", "OPTIONS", "BREW"}
		random := rand.New(rand.NewPCG(1, 2))
		found := 0
		for range 20_000 {
			row := rows[random.IntN(len(rows))]
			split := strings.Split(row.Path, "/")
			for i, part := range split {
				if strings.HasPrefix(part, "{") || i > 0 && random.IntN(6) == 0 {
					split[i] = all[random.IntN(len(all))]
				}
			}
			if random.IntN(8) == 0 {
				split = split[:len(split)-1]
			}
			path := strings.Join(split, "/")
			if path == "" || strings.Contains(path, "//") {
				continue // the mux redirects; package httpapi refuses them before
			}
			method := row.Method
			if random.IntN(3) == 0 {
				method = methods[random.IntN(len(methods))]
			}
			r, err := http.NewRequestWithContext(t.Context(), method, path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			pattern, values = "", nil
			mux.ServeHTTP(httptest.NewRecorder(), r)
			place := route.Find(f, method, r.URL.EscapedPath())
			if (place < 0) != (pattern == "") {
				t.Fatalf("%s %s: place %d, the mux has %q", method, path, place, pattern)
			}
			if has := slices.Contains(route.Methods(f, r.URL.EscapedPath()), method); has != (place >= 0) {
				t.Fatalf("%s %s: place %d, and among the methods: %t", method, path, place, has)
			}
			if place < 0 {
				continue
			}
			found++
			got := map[string]string{}
			row = route.Rows[place]
			row.Fits(r.URL.EscapedPath(), func(name, value string) { got[name] = value })
			if row.Pattern() != pattern || !maps.Equal(got, values) {
				t.Fatalf("%s %s: %q %q, the mux has %q %q", method, path, row.Pattern(), got, pattern, values)
			}
		}
		if found < 5_000 || found > 15_000 {
			t.Errorf("%s: %d of 20,000 requests were for a row", f, found)
		}
	}
}

// TestFindAllocatesNothing holds what a lookup costs beside the walk.
func TestFindAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { route.Find(route.API, "GET", "/api/iam/users/0198a5b0-0000-7000-8000-000000000001/") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFind(b *testing.B) {
	for b.Loop() {
		route.Find(route.API, "GET", "/api/iam/users/0198a5b0-0000-7000-8000-000000000001/")
	}
}
