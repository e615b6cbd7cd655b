package world_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"paddock/localstack/authenticator"
	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/seal"
	"paddock/shared/table"
	"paddock/shared/tally"
)

var update = flag.Bool("update", false, "rewrite the golden files") //nolint:gochecknoglobals // a flag

var variable = regexp.MustCompile(`\b([0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32,}|[0-9]{5,}|[0-9a-f]{8}|[0-9]{2})\b`)

// shapeOf returns a key with everything that differs from item to item as "*".
func shapeOf(r table.Record) string {
	of := ""
	if r.Key.Of != "" {
		of = "#" + variable.ReplaceAllString(r.Key.Of, "*")
	}
	sealed := "plain"
	if len(r.Sealed) > 0 {
		sealed = "sealed"
	}
	if r.KeyID == (seal.KeyID{}) && len(r.Sealed) > 0 {
		sealed = "hashes or wrapped keys"
	}
	return r.Key.Table.String() + " " + r.Key.Kind + "#workspace" + of + " / " + variable.ReplaceAllString(r.Key.SK, "*") + "  " + sealed
}

// stored returns what a workspace has stored, by shape of the key.
func stored(t *testing.T, ws id.ID[id.Workspace]) map[string][]table.Record {
	t.Helper()
	records, err := shared.Records(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]table.Record{}
	for _, r := range records {
		out[shapeOf(r)] = append(out[shapeOf(r)], r)
	}
	return out
}

// TestKeysAreTheGoldenOnes holds the list of item kinds, which the tests of
// tampering walk.
func TestKeysAreTheGoldenOnes(t *testing.T) {
	w := tampered(t)
	shapes := slices.Sorted(maps.Keys(stored(t, w.ID)))
	got := strings.Join(shapes, "\n") + "\n"
	file := filepath.Join("testdata", "keys.golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("stored kinds are\n%s\nnot the golden\n%s", got, want)
	}
}

// tampered returns a walk after which an item of each kind is stored.
func tampered(t *testing.T) *world.Walk {
	t.Helper()
	w, _ := planted(t)
	return w
}

// plants are what requests need that read some of the kinds.
type plants struct {
	device  *authenticator.Key
	factor  string // of the device
	passkey asked
	verify  map[string]string
}

func planted(t *testing.T) (*world.Walk, plants) {
	t.Helper()
	w := walk(t, "tamper-"+strings.ToLower(strings.TrimPrefix(t.Name(), "Test")), 8)
	// One open challenge, one method being set up, one tally of refusals.
	strangers(t, w, "203.0.113.8", tally.Each+1)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string]map[string]string{
		"/api/auth/mfa/challenges/": {"method": "otp", "purpose": "step_up"},
		"/api/auth/mfa/factors/":    {"method": "otp", "name": "Pending"},
	} {
		if err := w.Me.Want(t.Context(), 201, "POST", path, body, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Me.Want(t.Context(), 201, "POST", "/api/auth/mfa/factors/", map[string]string{"method": "phone", "name": "Pending", "phone": world.PhoneNumber}, nil); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, 200, "GET", reachPath, nil) // counts what is asked of why
	anyone := w.Entries.Visitor(w.Slug, "203.0.113.9")
	for _, ask := range []struct {
		v      *visitor.Visitor
		status int
		method string
		path   string
		body   map[string]string
	}{
		{w.Me, 201, "POST", "/api/workspaces/users/invite/", map[string]string{"email": "guest1." + world.Colleague}},
		{w.Me, 200, "POST", change, map[string]string{"current": world.Password, "password": "the-lamp-after-the-first"}},
		{w.Me, 200, "PATCH", "/api/iam/users/-/", map[string]string{"email": "second." + world.Colleague}},
		{anyone, 204, "POST", "/api/auth/email/confirm/", map[string]string{"token": "/confirm-email"}},
		{w.Me, 200, "PATCH", "/api/iam/users/-/", map[string]string{"email": "third." + world.Colleague}},
		{anyone, 202, "POST", forgot, map[string]string{"login": world.Username}},
		{anyone, 202, "POST", "/api/auth/unlock/", map[string]string{"login": world.Username}},
	} {
		if page := ask.body["token"]; page != "" {
			ask.body["token"] = mailed(t, w, "second."+world.Colleague, page)
		}
		want(t, ask.v, ask.status, ask.method, ask.path, ask.body)
	}
	// A security key, a sign-in by passkey that waits, and a command line that
	// waits for a verification.
	var p plants
	p.device, p.factor = keyed(t, w, w.Me, "biometric")
	p.passkey = ask(t, anyone, passkeys, nil)
	p.verify = link(t, line(t, w).Visit)
	// A group that its maker is in.
	var self, group struct{ ID string }
	if err := w.Me.Want(t.Context(), 200, "GET", "/api/iam/users/-/", nil, &self); err != nil {
		t.Fatal(err)
	}
	if err := w.Me.Want(t.Context(), 201, "POST", groupsPath, map[string]string{"name": world.GroupName}, &group); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, 201, "POST", membersPath, map[string]string{"group": group.ID, "user": self.ID, "role": "owner"})
	// A role that the group has, and its maker.
	var role struct{ ID string }
	if err := w.Me.Want(t.Context(), 201, "POST", rolesPath, map[string]any{"name": world.GroupName, "permissions": []string{"user:read"}}, &role); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, 201, "POST", assignedPath, map[string]string{"role": role.ID, "group": group.ID})
	want(t, w.Me, 201, "POST", assignedPath, map[string]string{"role": role.ID, "user": self.ID})
	plantServer(t, w, self.ID)
	// A token with a rule, in use.
	var made struct{ ID, Key string }
	if err := w.Me.Want(t.Context(), 201, "POST", apiTokens, scope(world.TokenName, "user:read"), &made); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, 201, "POST", commandACL, map[string]string{"token": made.ID, "command": world.RuleWord})
	want(t, clientOf(w, made.ID, made.Key).Visitor, 200, "GET", "/api/iam/users/", nil)
	// An application that has a token with a rule.
	app := newApp(t, w.Me, world.ApplicationName, "user:read")
	bot := service(t, w, w.Me, app, called(world.TokenName))
	want(t, w.Me, 201, "POST", app+"tokens/"+bot.id+"/rules/", map[string]any{"kind": "command", "rules": []map[string]string{{"command": world.RuleWord}}})
	// A device login that waits, and a wrong guess at one.
	body := map[string]string{"client_id": "paddock-cli", "scope": world.Scope(w.Slug, world.Device)}
	if err := w.Me.Want(t.Context(), 200, "POST", "/oauth/device/code/", body, nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Me.Want(t.Context(), 404, "POST", "/api/auth/device/lookup/", map[string]string{"user_code": "BBBB-BBBB"}, nil); err != nil {
		t.Fatal(err)
	}
	return w, p
}

// A forger is an engine that answers reads from memory with records that were
// tampered with.
type forger struct {
	table.Engine

	records map[table.Key]table.Record
	forge   func(table.Record) table.Record
}

func (f forger) Get(_ context.Context, keys []table.Key) ([]table.Record, error) {
	var out []table.Record
	for _, k := range keys {
		if r, ok := f.records[k]; ok {
			out = append(out, f.forge(r))
		}
	}
	return out, nil
}

// forging returns a store over what these workspaces have stored, tampered
// with by forge.
func forging(t *testing.T, kinds []map[string][]table.Record, forge func(table.Record) table.Record) *table.Store {
	t.Helper()
	f := forger{records: map[table.Key]table.Record{}, forge: forge}
	for _, workspace := range kinds {
		for _, records := range workspace {
			for _, r := range records {
				f.records[r.Key] = r
			}
		}
	}
	store, err := shared.StoreOver(f)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// TestTamperedPayloadsNeverOpen tampers with one item of every sealed kind in
// every way that storage allows, and reads it.
func TestTamperedPayloadsNeverOpen(t *testing.T) {
	w, other := tampered(t), walk(t, "tamper-neighbour", 3)
	kinds, foreign := stored(t, w.ID), stored(t, other.ID)
	sealed := 0
	head, chunk := kinds["data W#workspace / head#0  sealed"][0], kinds["data D#workspace#user / chunk#*  sealed"][0]
	for shape, records := range kinds {
		if !strings.HasSuffix(shape, "  sealed") {
			continue
		}
		sealed++
		r := records[0]
		read := func(what string, by id.ID[id.Workspace], key table.Key, forge func(table.Record) table.Record) {
			store := forging(t, []map[string][]table.Record{kinds, foreign}, forge)
			item, ok, err := store.One(t.Context(), authz.ForTask(by, "inspection"), key)
			if err == nil && item.Payload == nil { // nothing to open: nobody may take it for an object
				ok, err = false, table.Decode(item, new(any))
			}
			if !errors.Is(err, table.ErrDamaged) || ok || item.Payload != nil {
				t.Errorf("%s, %s: opened %t, %v", shape, what, ok, err)
			}
		}
		own := func(what string, forge func(table.Record) table.Record) {
			read(what, w.ID, r.Key, func(got table.Record) table.Record {
				if got.Key == r.Key {
					return forge(got)
				}
				return got
			})
		}
		flips(t, shape, r, kinds)
		previous := chunk
		if chunk.Key == r.Key {
			previous = head
		}
		own("the payload of another kind", func(got table.Record) table.Record {
			got.KeyID, got.Sealed = previous.KeyID, previous.Sealed
			return got
		})
		if len(records) > 1 {
			own("the payload of another item of its kind", func(got table.Record) table.Record {
				got.KeyID, got.Sealed = records[1].KeyID, records[1].Sealed
				return got
			})
		}
		own("an older payload under the present version", func(got table.Record) table.Record { got.Version++; return got })
		own("a payload under an older version", func(got table.Record) table.Record { got.Version--; return got })
		own("no key id", func(got table.Record) table.Record { got.KeyID = seal.KeyID{}; return got })
		own("no payload", func(got table.Record) table.Record { got.Sealed = nil; return got })
		own("half of the payload", func(got table.Record) table.Record { got.Sealed = got.Sealed[:len(got.Sealed)/2]; return got })
		moved := other.Anchor()
		read("moved to another workspace", other.ID, moved, func(got table.Record) table.Record {
			if got.Key == moved {
				got.KeyID, got.Sealed, got.Version = r.KeyID, r.Sealed, r.Version
			}
			return got
		})
		previous = r
	}
	if sealed < 10 {
		t.Errorf("only %d sealed kinds were found", sealed)
	}
}

// flips reads an item with each bit position of its payload and key id flipped
// in turn, one bit a byte.
func flips(t *testing.T, shape string, r table.Record, kinds map[string][]table.Record) {
	t.Helper()
	at := 0
	store := forging(t, []map[string][]table.Record{kinds}, func(got table.Record) table.Record {
		if got.Key != r.Key {
			return got
		}
		bit := byte(1) << (at % 8)
		if at < len(got.KeyID) {
			got.KeyID[at] ^= bit
			return got
		}
		got.Sealed = bytes.Clone(r.Sealed)
		got.Sealed[at-len(got.KeyID)] ^= bit
		return got
	})
	for ; at < len(r.KeyID)+len(r.Sealed); at++ {
		if _, ok, err := store.One(t.Context(), authz.ForTask(r.Key.Workspace, "inspection"), r.Key); !errors.Is(err, table.ErrDamaged) || ok {
			t.Fatalf("%s, byte %d flipped: %v", shape, at, err)
		}
	}
}

// TestTamperedKeyringsOpenNothing flips each byte of a keyring and exchanges it
// for another workspace's: the account does not open, or as it was.
func TestTamperedKeyringsOpenNothing(t *testing.T) {
	w, other := walk(t, "ring", 3), walk(t, "ring-neighbour", 1)
	key, by := w.Anchor(), authz.ForTask(w.ID, "inspection")
	kinds := stored(t, w.ID)
	opened := func(forge func(table.Record) table.Record) (table.Item, error) {
		item, _, err := forging(t, []map[string][]table.Record{kinds}, func(r table.Record) table.Record {
			if r.Key.Table == table.DataKeyring {
				return forge(r)
			}
			return r
		}).One(t.Context(), by, key)
		return item, err
	}
	right, err := opened(func(r table.Record) table.Record { return r })
	if err != nil || right.Payload == nil {
		t.Fatal(err)
	}
	refused, size := 0, 1
	for at := 0; at < size; at++ {
		item, err := opened(func(r table.Record) table.Record {
			size = len(r.Sealed)
			r.Sealed = bytes.Clone(r.Sealed)
			r.Sealed[at] ^= 1
			return r
		})
		if err != nil {
			refused++
		} else if !bytes.Equal(item.Payload, right.Payload) {
			t.Fatalf("byte %d flipped: another account opened", at)
		}
	}
	if refused == 0 {
		t.Error("no flip was refused")
	}
	for shape, records := range stored(t, other.ID) {
		if !strings.HasPrefix(shape, "data-keyring ") {
			continue
		}
		if _, err := opened(func(r table.Record) table.Record {
			r.Sealed, r.Plain = records[0].Sealed, records[0].Plain
			return r
		}); err == nil {
			t.Error("another workspace's keyring opened an account")
		}
		return
	}
	t.Error("no keyring was found")
}
