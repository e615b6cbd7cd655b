package archive_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"paddock/shared/archive"
	"paddock/shared/id"
)

func verify(t testing.TB, objects []archive.Stored, known archive.Expectation) archive.Report {
	t.Helper()
	report, err := archive.Verify(each(objects), verifierOf(t, acme), known)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func has(r archive.Report, flaws ...archive.Flaw) bool {
	return slices.ContainsFunc(r.Findings, func(f archive.Finding) bool { return slices.Contains(flaws, f.Flaw) })
}

func TestSoundLogs(t *testing.T) {
	objects, heads := log(t, 1, 7, 1, 16, 40, 3)
	signed := mustParse(t, objects[2].Body).Checkpoint
	for _, c := range []struct {
		name    string
		objects []archive.Stored
		known   archive.Expectation
		size    uint64
	}{
		{"whole", objects, archive.Expectation{}, 68},
		{"with an earlier checkpoint", objects, archive.Expectation{Checkpoints: [][]byte{signed}}, 68},
		{"first events past their retention", objects[3:], archive.Expectation{BeginsLate: true}, 68},
		{"an earlier checkpoint whose events are gone", objects[3:], archive.Expectation{BeginsLate: true, Checkpoints: [][]byte{signed}}, 68},
		{"empty", nil, archive.Expectation{}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := verify(t, c.objects, c.known)
			if !r.Intact() || r.Size != c.size || r.Objects != len(c.objects) {
				t.Fatalf("%+v", r)
			}
			if c.size > 0 && r.Root != heads[5].Root {
				t.Fatal("another root")
			}
		})
	}
}

// TestAnyBatchingGivesOneTree is the law that the root depends on the events
// and not on how they were batched.
func TestAnyBatchingGivesOneTree(t *testing.T) {
	_, heads := log(t, 40)
	rapid.Check(t, func(r *rapid.T) {
		var sizes []int
		for left := 40; left > 0; {
			n := rapid.IntRange(1, left).Draw(r, "size")
			sizes = append(sizes, n)
			left -= n
		}
		objects, parts := log(t, sizes...)
		if parts[len(parts)-1].Root != heads[0].Root {
			t.Fatalf("batches %v give another root", sizes)
		}
		if report := verify(t, objects, archive.Expectation{}); !report.Intact() {
			t.Fatalf("batches %v: %v", sizes, report.Findings)
		}
	})
}

// rounds is how often each mutation is tried. Source: security AU-4.
const rounds = 200

// TestChangesOfStoredBytes changes exported objects in five ways, 200 times
// each, without the signing key; each change is found and named.
func TestChangesOfStoredBytes(t *testing.T) {
	objects, _ := log(t, 5, 12, 1, 9, 20)
	last := mustParse(t, objects[4].Body).Checkpoint
	known := archive.Expectation{Checkpoints: [][]byte{last}}
	for _, c := range []struct {
		name   string
		mutate func(*rand.Rand, []archive.Stored) []archive.Stored
		flaws  []archive.Flaw
	}{
		{"flip a bit", func(r *rand.Rand, o []archive.Stored) []archive.Stored {
			i := r.IntN(len(o))
			o[i].Body[r.IntN(len(o[i].Body))] ^= 1 << r.IntN(8)
			return o
		}, []archive.Flaw{
			archive.Malformed, archive.Misnamed, archive.Gap, archive.Overlap, archive.LeafChanged, archive.BaseMismatch,
			archive.FrontierMismatch, archive.SignatureInvalid, archive.SizeMismatch, archive.RootMismatch, archive.BytesChanged,
		}},
		{"drop an object", func(r *rand.Rand, o []archive.Stored) []archive.Stored {
			i := r.IntN(len(o) - 1)
			return slices.Delete(o, i, i+1)
		}, []archive.Flaw{archive.Gap}},
		{"swap two objects", func(r *rand.Rand, o []archive.Stored) []archive.Stored {
			i := r.IntN(len(o) - 1)
			j := i + 1 + r.IntN(len(o)-i-1)
			o[i].Body, o[j].Body = o[j].Body, o[i].Body
			return o
		}, []archive.Flaw{archive.Misnamed}},
		{"insert an object", func(r *rand.Rand, o []archive.Stored) []archive.Stored {
			i := r.IntN(len(o))
			from := uint64(r.IntN(60))
			return slices.Insert(o, i, archive.Stored{Key: archive.ObjectKey(acme, from), Body: bytes.Clone(o[r.IntN(len(o))].Body)})
		}, []archive.Flaw{archive.Misnamed, archive.Overlap, archive.Gap, archive.Repeated}},
		{"cut the tail", func(r *rand.Rand, o []archive.Stored) []archive.Stored {
			if r.IntN(2) == 0 {
				return o[:r.IntN(len(o))]
			}
			body := o[4].Body
			o[4].Body = body[:r.IntN(len(body))]
			return o
		}, []archive.Flaw{archive.TailCut}},
	} {
		t.Run(c.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(11, 13))
			for range rounds {
				report := verify(t, c.mutate(random, copies(objects)), known)
				if !has(report, c.flaws...) {
					t.Fatalf("not found or not named: %v", report.Findings)
				}
			}
		})
	}
}

// TestChangesByWhoKnowsTheFormat rebuilds objects with changed records and
// right hashes, frontiers and sizes, 200 times each way, by a writer of the
// bucket who lacks the signing key: signing by another key, or keeping the old
// signature.
func TestChangesByWhoKnowsTheFormat(t *testing.T) {
	const events = 60
	objects, _ := log(t, 10, 20, 30)
	sound := records(acme, 0, events)
	last := mustParse(t, objects[2].Body).Checkpoint
	stranger := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32))
	v, err := archive.NewVerifier(domain, acme, stranger.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	forger := archive.NewSigner(v, func(m []byte) ([]byte, error) { return ed25519.Sign(stranger, m), nil })
	for _, c := range []struct {
		name   string
		mutate func(*rand.Rand, []archive.Record) []archive.Record
	}{
		{"flip a bit of a record", func(r *rand.Rand, rs []archive.Record) []archive.Record {
			text := bytes.Clone(rs[r.IntN(len(rs))].Event.Ciphertext)
			text[r.IntN(len(text))] ^= 1 << r.IntN(8)
			rs[r.IntN(len(rs))].Event.Ciphertext = text
			return rs
		}},
		{"drop a record", func(r *rand.Rand, rs []archive.Record) []archive.Record {
			i := r.IntN(len(rs))
			return slices.Delete(rs, i, i+1)
		}},
		{"swap two records", func(r *rand.Rand, rs []archive.Record) []archive.Record {
			i := r.IntN(len(rs) - 1)
			rs[i], rs[i+1] = rs[i+1], rs[i]
			return rs
		}},
		{"insert a record", func(r *rand.Rand, rs []archive.Record) []archive.Record {
			return slices.Insert(rs, r.IntN(len(rs)+1), record(acme, events+r.IntN(1000)))
		}},
		{"cut the tail of the records", func(r *rand.Rand, rs []archive.Record) []archive.Record {
			return rs[:1+r.IntN(len(rs)-1)]
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(17, 19))
			for range rounds {
				rs := c.mutate(random, slices.Clone(sound))
				forged, err := archive.Append(archive.Head{Workspace: acme}, rs, moment, forger)
				if err != nil {
					t.Fatal(err)
				}
				whole := []archive.Stored{{Key: forged.Key, Body: forged.Object}}
				if r := verify(t, whole, archive.Expectation{}); !has(r, archive.SignatureInvalid) {
					t.Fatalf("signed by a stranger: %v", r.Findings)
				}
				whole[0].Body = archive.WithCheckpoint(t, forged.Object, last)
				if r := verify(t, whole, archive.Expectation{}); !has(r, archive.RootMismatch) || !has(r, archive.BytesChanged) {
					t.Fatalf("under the old signature: %v", r.Findings)
				}
			}
		})
	}
}

// TestEachFlawIsNamed builds the flaws that need the signing key.
func TestEachFlawIsNamed(t *testing.T) {
	objects, heads := log(t, 4, 4, 4)
	next := func(head archive.Head, rs []archive.Record) archive.Stored {
		b, err := archive.Append(head, rs, moment, signerOf(t, acme))
		if err != nil {
			t.Fatal(err)
		}
		return archive.Stored{Key: b.Key, Body: b.Object}
	}
	other, _ := archive.Append(archive.Head{Workspace: acme}, records(acme, 50, 54), moment, signerOf(t, acme))
	checkpoint := func(s archive.Stored) [][]byte { return [][]byte{mustParse(t, s.Body).Checkpoint} }
	for _, c := range []struct {
		name    string
		objects []archive.Stored
		known   archive.Expectation
		want    archive.Flaw
	}{
		{"name of no batch", append(copies(objects), archive.Stored{Key: "readme"}), archive.Expectation{}, archive.Foreign},
		{"name of another workspace", append(copies(objects), archive.Stored{Key: archive.ObjectKey(id.UUID{9}, 12)}), archive.Expectation{}, archive.Foreign},
		{"first object missing", objects[1:], archive.Expectation{}, archive.Gap},
		{"an event archived twice", append(copies(objects), next(heads[2], records(acme, 2, 3))), archive.Expectation{}, archive.Repeated},
		{"first batch replaced under the key", append([]archive.Stored{{Key: other.Key, Body: other.Object}}, objects[1:]...), archive.Expectation{}, archive.BaseMismatch},
		{"an object repeated", append(copies(objects), objects[2]), archive.Expectation{}, archive.Overlap},
		{"history rewritten under the key", objects[:1], archive.Expectation{Checkpoints: checkpoint(archive.Stored{Body: other.Object})}, archive.Fork},
		{"known checkpoint inside a batch", objects, archive.Expectation{Checkpoints: checkpoint(next(heads[0], records(acme, 60, 62)))}, archive.Fork},
		{"nothing left of a known log", nil, archive.Expectation{Checkpoints: checkpoint(objects[0])}, archive.TailCut},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := verify(t, c.objects, c.known)
			if !has(r, c.want) || r.Intact() || r.Findings[0].String() == "" {
				t.Fatalf("%v", r.Findings)
			}
		})
	}
	for f := archive.Foreign; f <= archive.Fork; f++ {
		if f.String() == "invalid" || (f+1).String() == f.String() {
			t.Errorf("flaw %d has no name of its own", f)
		}
	}
}

// TestFlawsInsideAnObject changes one part of a stored object each and holds
// that exactly what it contradicts is found.
func TestFlawsInsideAnObject(t *testing.T) {
	objects, _ := log(t, 4, 4)
	for _, c := range []struct {
		name   string
		change func(*archive.Object)
		want   []archive.Flaw
	}{
		{"a record", func(o *archive.Object) {
			o.Leaves[1].Ciphertext = append(bytes.Clone(o.Leaves[1].Ciphertext), 0)
		}, []archive.Flaw{archive.LeafChanged, archive.FrontierMismatch, archive.RootMismatch, archive.BytesChanged}},
		{"the hash of a record", func(o *archive.Object) { o.Hashes[1][0] ^= 1 }, []archive.Flaw{archive.LeafChanged, archive.BytesChanged}},
		{"the frontier", func(o *archive.Object) { o.Frontier[0][31] ^= 1 }, []archive.Flaw{archive.FrontierMismatch, archive.BytesChanged}},
		{"when it was made", func(o *archive.Object) { o.Created = o.Created.Add(1e6) }, []archive.Flaw{archive.BytesChanged}},
		{"the checkpoint, for a later one", func(o *archive.Object) {
			o.Checkpoint = mustParse(t, objects[1].Body).Checkpoint
		}, []archive.Flaw{archive.SizeMismatch, archive.RootMismatch, archive.BytesChanged}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := mustParse(t, objects[0].Body)
			c.change(o)
			var got []archive.Flaw
			for _, f := range verify(t, []archive.Stored{{Key: objects[0].Key, Body: o.Again()}}, archive.Expectation{}).Findings {
				got = append(got, f.Flaw)
			}
			if !slices.Equal(got, c.want) {
				t.Fatalf("found %v, want %v", got, c.want)
			}
		})
	}
}

func TestFindingsAreBounded(t *testing.T) {
	var objects []archive.Stored
	for i := range archive.MaxFindings + 7 {
		objects = append(objects, archive.Stored{Key: fmt.Sprint(i)})
	}
	if r := verify(t, objects, archive.Expectation{}); len(r.Findings) != archive.MaxFindings || r.Unlisted != 7 {
		t.Fatalf("%d findings, %d unlisted", len(r.Findings), r.Unlisted)
	}
}

func TestVerifyFails(t *testing.T) {
	broken := func(yield func(archive.Stored, error) bool) { yield(archive.Stored{}, errLost) }
	_, vkey, err := note.GenerateKey(nil, "paddock.example.com")
	if err != nil {
		t.Fatal(err)
	}
	nameless, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		objects  iter.Seq2[archive.Stored, error]
		verifier note.Verifier
		known    archive.Expectation
		want     error
	}{
		{"objects cannot be read", broken, verifierOf(t, acme), archive.Expectation{}, errLost},
		{"key of no workspace", each(nil), nameless, archive.Expectation{}, id.ErrMalformed},
		{"checkpoint of a stranger", each(nil), verifierOf(t, acme), archive.Expectation{Checkpoints: [][]byte{[]byte("x\n")}}, archive.ErrCheckpoint},
	} {
		t.Run(c.name, func(t *testing.T) {
			if r, err := archive.Verify(c.objects, c.verifier, c.known); !errors.Is(err, c.want) || r.Objects != 0 {
				t.Fatalf("Verify = %+v, %v", r, err)
			}
		})
	}
}

func TestInclusionProofs(t *testing.T) {
	objects, _ := log(t, 6, 11, 1, 30)
	for first := range objects {
		tree := archive.Tree{}
		var signed []byte
		for i, s := range objects[first:] {
			o := mustParse(t, s.Body)
			if i == 0 {
				tree.From, tree.Base = o.From, o.Base
			}
			tree.Leaves = append(tree.Leaves, o.Hashes...)
			signed = o.Checkpoint
		}
		for index := tree.From; index < tree.Size(); index++ {
			path, err := tree.Inclusion(index)
			if err != nil {
				t.Fatal(err)
			}
			leaf := archive.LeafHash(acme, record(acme, int(index)).Event)
			if err := archive.CheckInclusion(signed, verifierOf(t, acme), index, leaf, path); err != nil {
				t.Fatalf("event %d from %d: %v", index, tree.From, err)
			}
			other := archive.LeafHash(acme, record(acme, int(index)+1).Event)
			if err := archive.CheckInclusion(signed, verifierOf(t, acme), index, other, path); !errors.Is(err, archive.ErrProof) {
				t.Fatalf("another event is proved: %v", err)
			}
			if err := archive.CheckInclusion(signed, verifierOf(t, acme), index^1, leaf, path); !errors.Is(err, archive.ErrProof) {
				t.Fatalf("another number is proved: %v", err)
			}
		}
		for _, outside := range []uint64{tree.From - 1, tree.Size()} {
			if path, err := tree.Inclusion(outside); !errors.Is(err, archive.ErrProof) || path != nil {
				t.Fatalf("Inclusion(%d) = %v, %v", outside, path, err)
			}
		}
	}
	if err := archive.CheckInclusion(nil, verifierOf(t, acme), 0, archive.Hash{}, nil); !errors.Is(err, archive.ErrCheckpoint) {
		t.Fatal(err)
	}
}

func copies(objects []archive.Stored) []archive.Stored {
	var all []archive.Stored
	for _, o := range objects {
		all = append(all, archive.Stored{Key: o.Key, Body: bytes.Clone(o.Body)})
	}
	return all
}

func mustParse(t testing.TB, b []byte) *archive.Object {
	t.Helper()
	o, err := archive.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
