package authz_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

var update = flag.Bool("update", false, "rewrite the golden files") //nolint:gochecknoglobals // a flag

// drawn draws a chunk.
func drawn(t *rapid.T) authz.Chunk {
	uuid := rapid.Custom(func(t *rapid.T) (u id.UUID) {
		copy(u[:], rapid.SliceOfN(rapid.Byte(), len(u), len(u)).Draw(t, "id"))
		return u
	})
	list := rapid.Custom(func(t *rapid.T) []id.UUID {
		if list := rapid.SliceOfN(uuid, 0, 3).Draw(t, "ids"); len(list) > 0 {
			return list
		}
		return nil
	})
	name := rapid.Custom(func(t *rapid.T) pattern.Pattern {
		p, err := pattern.Parse(pattern.Name, rapid.StringMatching(`[a-zé*-]{1,12}`).Draw(t, "pattern"))
		if err != nil {
			t.Fatal(err)
		}
		return p
	})
	names := rapid.Custom(func(t *rapid.T) []pattern.Pattern {
		if list := rapid.SliceOfN(name, 0, 3).Draw(t, "names"); len(list) > 0 {
			return list
		}
		return nil
	})
	access := rapid.Map(rapid.ByteRange(0, 15), func(b byte) authz.Access { return authz.Access(b) })
	until := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "ends") {
			return time.Time{}
		}
		return time.Unix(rapid.Int64Range(-62135596799, 253402300799).Draw(t, "s"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC()
	})
	return authz.Chunk{
		Roles: some0(t, func(t *rapid.T) authz.Role {
			set := permission.Set{rapid.Uint64().Draw(t, "set"), rapid.Uint64().Draw(t, "set")}
			return authz.Role{ID: uuid.Draw(t, "id"), Name: rapid.String().Draw(t, "name"), Permissions: set, Scope: authz.Scope{Objects: list.Draw(t, "objects"), Names: names.Draw(t, "names")}}
		}),
		Groups: some0(t, func(t *rapid.T) authz.Group {
			return authz.Group{ID: uuid.Draw(t, "id"), Name: rapid.String().Draw(t, "name"), Roles: list.Draw(t, "roles"), Access: access.Draw(t, "access"), Servers: list.Draw(t, "servers"), Names: names.Draw(t, "names")}
		}),
		Servers: some0(t, func(t *rapid.T) authz.Server {
			return authz.Server{ID: uuid.Draw(t, "id"), Name: rapid.String().Draw(t, "name"), Owner: uuid.Draw(t, "owner"), Managers: list.Draw(t, "managers")}
		}),
		Applications: some0(t, func(t *rapid.T) authz.Application {
			return authz.Application{ID: uuid.Draw(t, "id"), Name: rapid.String().Draw(t, "name"), Owner: uuid.Draw(t, "owner"), Managers: list.Draw(t, "managers")}
		}),
		Assignments: some0(t, func(t *rapid.T) authz.Assignment {
			a := authz.Assignment{ID: uuid.Draw(t, "id"), Subject: uuid.Draw(t, "subject"), Group: rapid.Bool().Draw(t, "group"), Access: access.Draw(t, "access"), Until: until.Draw(t, "until")}
			if rapid.Bool().Draw(t, "by name") {
				a.Name = name.Draw(t, "name")
			} else {
				a.Server = uuid.Draw(t, "server")
			}
			return a
		}),
	}
}

// some0 draws up to three rows, nil for none.
func some0[T any](t *rapid.T, row func(*rapid.T) T) []T {
	if rows := rapid.SliceOfN(rapid.Custom(row), 0, 3).Draw(t, "rows"); len(rows) > 0 {
		return rows
	}
	return nil
}

func TestChunksAreReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, more := drawn(t), drawn(t)
		stored := c.Append([]byte("before"))
		if !bytes.HasPrefix(stored, []byte("before")) {
			t.Fatal("what was there is gone")
		}
		var got authz.Chunk
		if err := got.Read(stored[6:]); err != nil || !reflect.DeepEqual(got, c) {
			t.Fatalf("%v\n%+v\n%+v", err, got, c)
		}
		if err := got.Read(more.Append(nil)); err != nil || len(got.Roles) != len(c.Roles)+len(more.Roles) || len(got.Assignments) != len(c.Assignments)+len(more.Assignments) {
			t.Fatalf("%v: chunks do not add up", err)
		}
		cut := rapid.IntRange(6, len(stored)-1).Draw(t, "cut")
		before := got
		if err := got.Read(stored[6:cut]); !errors.Is(err, authz.ErrChunk) || !reflect.DeepEqual(got, before) {
			t.Fatalf("%d of %d bytes are read: %v", cut, len(stored), err)
		}
	})
}

// TestAnEndIsAnEnd has ends that a number of nanoseconds cannot tell from none, or
// not at all.
func TestAnEndIsAnEnd(t *testing.T) {
	for _, until := range []time.Time{time.Unix(0, 0).UTC(), time.Date(2300, 1, 2, 3, 4, 5, 6, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), {}} {
		c, got := authz.Chunk{Assignments: []authz.Assignment{{ID: named('a', 1), Until: until}}}, authz.Chunk{}
		if err := got.Read(c.Append(nil)); err != nil || !got.Assignments[0].Until.Equal(until) || got.Assignments[0].Until.IsZero() != until.IsZero() {
			t.Errorf("%v is read as %v, %v", until, got.Assignments, err)
		}
	}
}

// TestDamagedChunksAreRefused damages each byte that is no part of an id, a name
// or a set, of which each value is one.
func TestDamagedChunksAreRefused(t *testing.T) {
	one := authz.Chunk{Assignments: []authz.Assignment{{Access: authz.Sudo, Group: true, Until: now}}}
	good := one.Append(nil)
	const at = 1 + 4 + 1 + 16 + 16 + 1 // of the access: behind format, counts, ids and the kind of subject
	for name, b := range map[string][]byte{
		"nothing":                 {},
		"another format":          append([]byte{2}, good[1:]...),
		"more behind":             append(bytes.Clone(good), 0),
		"an access that is none":  changed(good, at, 0x10),
		"a subject of what kind":  changed(good, at-1, 2),
		"an end or not":           changed(good, at+18, 2),
		"more rows than bytes":    {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
		"a number too long":       {1, 0x80, 0x00, 0, 0, 0, 0},
		"a number without an end": {1, 0x80},
	} {
		var c authz.Chunk
		if err := c.Read(b); !errors.Is(err, authz.ErrChunk) || !reflect.DeepEqual(c, authz.Chunk{}) {
			t.Errorf("%s: %v, %+v", name, err, c)
		}
	}
	var c authz.Chunk
	if err := c.Read(changed(good, at, byte(authz.Terminal))); err != nil {
		t.Errorf("%v: the bytes that are damaged are others", err)
	}
}

func changed(b []byte, at int, to byte) []byte {
	b = bytes.Clone(b)
	b[at] = to
	return b
}

// TestStoredChunkIsGolden holds the bytes of one row of each kind, and that they
// are still read.
func TestStoredChunkIsGolden(t *testing.T) {
	web := parsed(t, "web-*")
	c := authz.Chunk{
		Roles:        []authz.Role{{ID: named('r', 1), Name: "viewer", Permissions: permission.SetOf(permission.ReadServer, permission.CreateTunnel), Scope: authz.Scope{Objects: ids('s', 1), Names: []pattern.Pattern{web}}}},
		Groups:       []authz.Group{{ID: named('g', 1), Name: "ops", Roles: ids('r', 1), Access: authz.Terminal | authz.Sudo, Servers: ids('s', 2), Names: []pattern.Pattern{web}}},
		Servers:      []authz.Server{{ID: named('s', 1), Name: "web-1", Owner: named('u', 1), Managers: ids('u', 2)}},
		Applications: []authz.Application{{ID: named('p', 1), Name: "deploy", Owner: named('u', 1), Managers: ids('u', 1)}},
		Assignments: []authz.Assignment{
			{ID: named('a', 1), Subject: named('u', 1), Server: named('s', 1), Access: authz.Terminal},
			{ID: named('a', 2), Subject: named('g', 1), Group: true, Name: web, Access: authz.FileAccess | authz.DeployShell, Until: now.Add(time.Nanosecond)},
		},
	}
	const file = "testdata/chunk.golden"
	if *update {
		if err := os.WriteFile(file, []byte(hex.Dump(c.Append(nil))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.Dump(c.Append(nil)); got != string(want) {
		t.Errorf("stored chunks have another form; got\n%s", got)
	}
	var stored []byte
	for line := range strings.Lines(string(want)) {
		part, _, _ := strings.Cut(line[min(10, len(line)):], "|")
		b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(part), " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, b...)
	}
	var got authz.Chunk
	if err := got.Read(stored); err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("%v: %+v", err, got)
	}
}

// FuzzRead holds that there is one stored form, and that what is kept is not much
// more than what came.
func FuzzRead(f *testing.F) {
	for seed := range uint64(3) {
		m, _ := randomly(rand.New(rand.NewPCG(seed, 11)), func(text string) pattern.Pattern { return parsed(f, text) })
		f.Add(m.rows.Append(nil))
	}
	f.Add([]byte{1, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var c authz.Chunk
		if err := c.Read(b); err != nil {
			if !errors.Is(err, authz.ErrChunk) || !reflect.DeepEqual(c, authz.Chunk{}) {
				t.Fatalf("%v, and rows: %+v", err, c)
			}
			return
		}
		if again := c.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("two forms of one chunk:\n%x\n%x", b, again)
		}
		rows := cap(c.Roles) + cap(c.Groups) + cap(c.Servers) + cap(c.Applications) + cap(c.Assignments)
		if rows > len(b) {
			t.Fatalf("room for %d rows of %d bytes", rows, len(b))
		}
		c.Policy()
	})
}
