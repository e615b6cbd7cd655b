package archive_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"paddock/shared/archive"
	"paddock/shared/audit"
	"paddock/shared/id"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestStoredForms holds the leaf data, the leaf hash and a whole object byte
// for byte: objects are kept up to five years.
func TestStoredForms(t *testing.T) {
	objects, heads := log(t, 3, 10)
	leaf := archive.AppendLeaf(nil, acme, record(acme, 0).Event)
	hash := archive.LeafHash(acme, record(acme, 0).Event)
	if want := archive.Hash(sha256.Sum256(append([]byte{0}, leaf...))); hash != want {
		t.Fatal("the leaf hash is not that of RFC 6962")
	}
	stored, err := heads[1].AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	got := "key " + objects[1].Key + "\nleaf " + hex.EncodeToString(leaf) + "\nhash " + hex.EncodeToString(hash[:]) +
		"\nhead " + hex.EncodeToString(stored) + "\nobject " + hex.EncodeToString(objects[1].Body) +
		"\ncheckpoint\n" + string(mustParse(t, objects[1].Body).Checkpoint)
	const golden = "testdata/stored.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Error("stored forms differ from testdata/stored.golden: stored objects would no longer verify")
	}
}

func TestObjectsReadBack(t *testing.T) {
	objects, _ := log(t, 3, 12)
	o := mustParse(t, objects[1].Body)
	if o.Workspace != acme || o.From != 3 || o.Size() != 15 || len(o.Base) != 2 || len(o.Frontier) != 4 || len(o.Details) != 1 {
		t.Fatalf("%+v", o)
	}
	for i, leaf := range o.Leaves {
		if want := record(acme, 3+i); !reflect.DeepEqual(leaf, want.Event) {
			t.Fatalf("leaf %d is %+v", i, leaf)
		}
	}
	if want := record(acme, 9); o.Details[0].Position != 6 || !reflect.DeepEqual(o.Details[0].Sealed, *want.Detail) {
		t.Fatalf("detail %+v", o.Details[0])
	}
}

func TestParseRefuses(t *testing.T) {
	objects, _ := log(t, 3)
	whole := objects[0].Body
	change := func(at int, to byte) []byte {
		b := bytes.Clone(whole)
		b[at] = to
		return b
	}
	for _, c := range []struct {
		name string
		in   []byte
	}{
		{"nothing", nil},
		{"another version", change(4, '2')},
		{"no leaf", change(32, 0)},
		{"a leaf more than there is", change(32, 4)},
		{"more than 1,000 leaves", change(29, 1)},
		{"beginning beyond 2^63", change(21, 0xff)},
		{"created beyond the year 9999", change(33, 0xff)},
		{"prefix shared with nothing", change(41, 1)},
		{"trailing byte", append(bytes.Clone(whole), 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if o, err := archive.Parse(c.in); !errors.Is(err, archive.ErrObject) || o != nil {
				t.Fatalf("Parse = %+v, %v", o, err)
			}
		})
	}
	for cut := range whole {
		if o, err := archive.Parse(whole[:cut]); !errors.Is(err, archive.ErrObject) || o != nil {
			t.Fatalf("the first %d of %d bytes parse", cut, len(whole))
		}
	}
}

func FuzzParse(f *testing.F) {
	objects, _ := log(f, 1, 12)
	for _, o := range objects {
		f.Add(o.Body)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := archive.Parse(b)
		if err == nil && !bytes.Equal(o.Again(), b) {
			t.Fatalf("%x is written as %x: two texts for one object", b, o.Again())
		}
	})
}

func FuzzParseObjectKey(f *testing.F) {
	f.Add(archive.ObjectKey(acme, 1<<64-1))
	f.Add(acme.String() + "/18446744073709551616")
	f.Fuzz(func(t *testing.T, key string) {
		workspace, from, err := archive.ParseObjectKey(key)
		if err == nil && archive.ObjectKey(workspace, from) != key {
			t.Fatalf("ParseObjectKey(%q) = %s, %d", key, workspace, from)
		}
		if err != nil && (!workspace.Zero() || from != 0) {
			t.Fatalf("%q gives a value and %v", key, err)
		}
	})
}

func FuzzParseHead(f *testing.F) {
	_, heads := log(f, 13)
	stored, err := heads[0].AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stored)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := archive.ParseHead(acme, 1, b)
		if err != nil {
			return
		}
		if again, err := h.AppendBinary(nil); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x is written as %x", b, again)
		}
	})
}

func TestHeadsReadBack(t *testing.T) {
	_, heads := log(t, 5, 8, 1)
	for _, h := range append(heads, archive.Head{Workspace: acme, Version: 1}) {
		stored, err := h.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		back, err := archive.ParseHead(h.Workspace, h.Version, stored)
		if err != nil || back.Size != h.Size || back.Root != h.Root || back.Version != h.Version {
			t.Fatalf("ParseHead = %+v, %v, want %+v", back, err, h)
		}
		stored[9] ^= 1
		if got, err := archive.ParseHead(h.Workspace, h.Version, stored); !errors.Is(err, archive.ErrHead) || got.Size != 0 {
			t.Fatalf("a changed head is taken: %+v, %v", got, err)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	_, heads := log(t, 5)
	bent := heads[0]
	bent.Root[0] ^= 1
	noDetail := record(acme, 9)
	noDetail.Detail = &archive.Sealed{}
	for _, c := range []struct {
		name    string
		head    archive.Head
		records []archive.Record
		want    error
	}{
		{"no record", heads[0], nil, archive.ErrRecord},
		{"more than 1,000 records", heads[0], records(acme, 0, archive.MaxLeaves+1), archive.ErrRecord},
		{"record of another workspace", heads[0], records(id.UUID{9}, 0, 1), archive.ErrRecord},
		{"event twice", heads[0], append(records(acme, 0, 1), records(acme, 0, 1)...), archive.ErrRecord},
		{"empty detail", heads[0], []archive.Record{noDetail}, archive.ErrRecord},
		{"head that does not hold together", bent, records(acme, 0, 1), archive.ErrHead},
		{"events without a stored head", archive.Head{Workspace: acme, Size: 5, Frontier: heads[0].Frontier, Root: heads[0].Root}, records(acme, 0, 1), archive.ErrHead},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := archive.Append(c.head, c.records, moment, signerOf(t, acme))
			if !errors.Is(err, c.want) || b.Object != nil {
				t.Fatalf("Append = %d bytes, %v", len(b.Object), err)
			}
		})
	}
	wrong := archive.NewSigner(verifierOf(t, acme), func([]byte) ([]byte, error) { return make([]byte, 64), nil })
	if b, err := archive.Append(heads[0], records(acme, 5, 6), moment, wrong); !errors.Is(err, archive.ErrSigningKey) || b.Object != nil {
		t.Fatalf("Append = %d bytes, %v", len(b.Object), err)
	}
}

func TestOpenCheckpointRefuses(t *testing.T) {
	objects, _ := log(t, 3)
	signed := string(mustParse(t, objects[0].Body).Checkpoint)
	beta := id.UUID{0xbe}
	for _, c := range []struct{ name, in string }{
		{"nothing", ""},
		{"text without a signature", signed[:strings.Index(signed, "\n\n")+1]},
		{"another size", strings.Replace(signed, "\n3\n", "\n4\n", 1)},
		{"line breaks of another system", strings.ReplaceAll(signed, "\n", "\r\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := archive.OpenCheckpoint([]byte(c.in), verifierOf(t, acme)); !errors.Is(err, archive.ErrCheckpoint) || got.Size != 0 {
				t.Fatalf("OpenCheckpoint = %+v, %v", got, err)
			}
		})
	}
	if _, err := archive.OpenCheckpoint([]byte(signed), verifierOf(t, beta)); !errors.Is(err, archive.ErrCheckpoint) {
		t.Fatalf("a checkpoint opens for another workspace: %v", err)
	}
}

// TestBytesPerEvent archives 5,000 sign-ins, commands and refusals of several
// people and clients in batches as the stream brings them, and holds the bar on
// storage. Source: design, Numbers to keep.
func TestBytesPerEvent(t *testing.T) {
	const events, batch, bar = 5000, 100, 450
	head, stored := archive.Head{Workspace: acme}, 0
	for from := 0; from < events; from += batch {
		var all []archive.Record
		for n := from; n < from+batch; n++ {
			r := record(acme, n)
			text, err := audit.Encode(event(n))
			if err != nil {
				t.Fatal(err)
			}
			r.Event.Ciphertext, r.Detail = append(text, make([]byte, sealing)...), nil
			all = append(all, r)
		}
		b, err := archive.Append(head, all, moment, signerOf(t, acme))
		if err != nil {
			t.Fatal(err)
		}
		head = b.Head
		stored += len(b.Object)
	}
	if got := stored / events; got > bar || head.Size != events {
		t.Errorf("%d bytes an event, %d events", got, head.Size)
	} else {
		t.Logf("%d bytes an event", got)
	}
}

// sealing is what AES-256-GCM adds: nonce and tag.
const sealing = 12 + 16

// event returns a realistic event.
func event(n int) audit.Event {
	at := moment.Add(time.Duration(n) * time.Second)
	uid := id.UUID{0x01, 0x93, 0x5d, byte(n >> 8), byte(n), 6: 0x70, 8: 0x80, 15: byte(n)}
	person := []struct{ name, display string }{
		{"maria.lopez", "María López"}, {"j.doe", "John Doe"}, {"park-minseo", "박민서"}, {"deploy-production-eu-west-1", "Deployment Frankfurt"},
	}[n/3%4]
	agents := []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0", "alpacon-cli/1.4.2",
	}
	var e audit.Event
	switch n % 3 {
	case 0:
		e = audit.New(audit.AuthLogin, at).WithDescription(person.display+" signed in with a password and a one-time code.").
			With(audit.Text("method", "password"), audit.List("factors", "password", "totp"), audit.ID("session_id", uid), audit.Flag("new_device", false))
	case 1:
		e = audit.New(audit.CommandExecuted, at).WithDescription(person.display+" ran a command on web-03.").
			With(audit.ID("command_id", uid), audit.ID("server_id", uid), audit.Text("line", "systemctl restart nginx.service"),
				audit.Text("username", "deploy"), audit.Number("exit_code", 0), audit.Number("elapsed_s", 2), audit.ID("work_session_id", uid))
	case 2:
		e = audit.New(audit.AccessDenied, at).WithPath("servers", "server", "").WithDescription(person.display+" may not reboot web-03.").
			With(audit.ID("decision_id", uid), audit.Text("permission", "server:reboot"), audit.Text("object", "server:"+uid.String()),
				audit.Text("failing_condition", "no_grant"), audit.Text("error_code", "permission_denied"))
	}
	return e.WithUID(uid, at.Add(9*time.Millisecond)).
		WithActor(audit.Actor{Type: audit.UserActor, ID: uid, Username: person.name, Display: person.display, RoleSetting: "staff", SessionID: uid}).
		WithAuth(audit.Auth{Method: "password", Factors: []string{"totp"}, MFAAge: 40 * time.Second, ProofID: uid}).
		WithSource(audit.Source{IP: netip.MustParseAddr("203.0.113.42"), ClientType: "web", UserAgent: agents[n%len(agents)]}).
		WithRequest("JZ3xKgQ3IAMEMrw=", audit.HTTP{Method: "POST", Route: "/api/servers/servers/{id}/", Status: 403})
}
