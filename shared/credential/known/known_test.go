package known_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"paddock/shared/credential/known"
)

// list returns a list of these passwords.
func list(t testing.TB, passwords ...string) *known.List {
	t.Helper()
	var b known.Builder
	for _, p := range passwords {
		if err := b.Add(known.SumOf(p)); err != nil {
			t.Fatal(err)
		}
	}
	l, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// file returns a list as a file.
func file(t testing.TB, l *known.List) []byte {
	t.Helper()
	var out bytes.Buffer
	if n, err := l.WriteTo(&out); err != nil || n != int64(out.Len()) {
		t.Fatalf("%d of %d bytes, %v", n, out.Len(), err)
	}
	return out.Bytes()
}

func read(b []byte) (*known.List, error) { return known.Read(bytes.NewReader(b), int64(len(b))) }

func words(n int, form string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(form, i)
	}
	return out
}

// TestAListOfManyWords holds that nothing is forgotten, and that what was not
// put in is found about once in 65,536 times: of a million fewer than 40, where
// 15 are to be expected.
func TestAListOfManyWords(t *testing.T) {
	in := words(100_000, "generated word %d")
	built := list(t, in...)
	text := file(t, built)
	back, err := read(text)
	if err != nil {
		t.Fatal(err)
	}
	if back.Count() != len(in) || len(text) > 240_000 {
		t.Errorf("%d passwords in %d bytes", back.Count(), len(text))
	}
	for _, l := range []*known.List{built, back} {
		for _, word := range in {
			if !l.Has(known.SumOf(word)) {
				t.Fatalf("%q was forgotten", word)
			}
		}
		falsely := 0
		for i := range 1_000_000 {
			if l.Has(known.SumOf(fmt.Sprintf("another word %d", i))) {
				falsely++
			}
		}
		if falsely > 40 {
			t.Errorf("%d of a million other words were found", falsely)
		}
		t.Logf("%d of a million other words were found", falsely)
	}
	if again := file(t, back); !bytes.Equal(again, text) {
		t.Error("the list reads as another one")
	}
}

func TestOrderAndRepetitionsDoNotMatter(t *testing.T) {
	want := file(t, list(t, "one", "two", "three"))
	if got := file(t, list(t, "three", "one", "two", "one", "two")); !bytes.Equal(got, want) {
		t.Error("another file for the same passwords")
	}
}

func TestSmallLists(t *testing.T) {
	for n := 1; n < 40; n++ {
		in := words(n, "word %d")
		back, err := read(file(t, list(t, in...)))
		if err != nil {
			t.Fatalf("%d words: %v", n, err)
		}
		for _, word := range in {
			if !back.Has(known.SumOf(word)) {
				t.Errorf("of %d words %q was forgotten", n, word)
			}
		}
	}
	if l, err := new(known.Builder).Build(); !errors.Is(err, known.ErrEmpty) || l != nil {
		t.Errorf("of no words: %v", err)
	}
}

func TestAListIsBounded(t *testing.T) {
	b := known.Filled(known.MaxPasswords - 1)
	for _, want := range []error{nil, known.ErrLarge, known.ErrLarge} {
		if err := b.Add(known.SumOf("word")); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

func TestSumsAreOfTheComposedForm(t *testing.T) {
	l := list(t, "Gru\u0308\u00dfe aus Mu\u0308nchen!")
	if !l.Has(known.SumOf("Gr\u00fc\u00dfe aus M\u00fcnchen!")) {
		t.Error("the composed form was not found")
	}
	var log bytes.Buffer
	sum := known.SumOf("password")
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "sum", sum)
	if all := strings.ToLower(log.String() + fmt.Sprintf("%v %x %+v %s", sum, sum, []any{sum}, sum)); strings.Contains(all, "5baa61") || strings.Contains(all, "91 170") {
		t.Errorf("the sum is printed: %s", all)
	}
}

// summed puts a right checksum behind what was changed.
func summed(b []byte) []byte {
	body := b[:len(b)-sha256.Size]
	sum := sha256.Sum256(body)
	return append(bytes.Clone(body), sum[:]...)
}

func TestDamagedFilesAreRefused(t *testing.T) {
	good := file(t, list(t, words(200, "word %d")...))
	number32 := func(at int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[at:], v); return summed(b) }
	}
	number16 := func(at int, v uint16) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint16(b[at:], v); return summed(b) }
	}
	for name, c := range map[string]struct {
		damage func([]byte) []byte
		want   error
	}{
		"empty":                       {func([]byte) []byte { return nil }, known.ErrSize},
		"another magic":               {func(b []byte) []byte { b[0]++; return summed(b) }, known.ErrFormat},
		"a later version":             {number16(8, 2), known.ErrFormat},
		"another kind":                {number16(10, 2), known.ErrFormat},
		"no passwords":                {number32(12, 0), known.ErrSize},
		"more passwords than room":    {number32(12, 1<<31), known.ErrSize},
		"segments of no length":       {number32(24, 0), known.ErrSize},
		"segments of length 3":        {number32(24, 3), known.ErrSize},
		"segments of odd length":      {number32(24, 48), known.ErrSize},
		"segments of the top length":  {number32(24, 1<<31), known.ErrSize},
		"no segments":                 {number32(28, 0), known.ErrSize},
		"more segments than the file": {number32(28, 1_000), known.ErrSize},
		"four billion segments":       {number32(28, 1<<32-1), known.ErrSize},
		"segments that wrap to none":  {number32(28, 1<<32-2), known.ErrSize},
		"a byte more":                 {func(b []byte) []byte { return append(b, 0) }, known.ErrSize},
		"another seed":                {func(b []byte) []byte { b[16]++; return b }, known.ErrChecksum},
		"a fingerprint":               {func(b []byte) []byte { b[100] ^= 1; return b }, known.ErrChecksum},
		"the checksum":                {func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, known.ErrChecksum},
	} {
		t.Run(name, func(t *testing.T) {
			if l, err := read(c.damage(bytes.Clone(good))); !errors.Is(err, c.want) || l != nil {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
	for n := range good {
		if l, err := read(good[:n]); !errors.Is(err, known.ErrSize) || l != nil {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
		if l, err := known.Read(bytes.NewReader(good[:n]), int64(len(good))); !errors.Is(err, known.ErrSize) || l != nil {
			t.Fatalf("cut to %d bytes while it is read: %v", n, err)
		}
	}
	for bit := range 8 * len(good) {
		b := bytes.Clone(good)
		b[bit/8] ^= 1 << (bit % 8)
		if l, err := read(b); err == nil || l != nil {
			t.Fatalf("taken with bit %d of byte %d turned", bit%8, bit/8)
		}
	}
}

// TestAHeaderTakesNoMemory reads headers that promise the largest list there is,
// without the file to go with them.
func TestAHeaderTakesNoMemory(t *testing.T) {
	b := file(t, list(t, "word"))
	binary.LittleEndian.PutUint32(b[24:], 1<<17)
	binary.LittleEndian.PutUint32(b[28:], 574)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 10 {
		if _, err := read(b); !errors.Is(err, known.ErrSize) {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("it took %d bytes", took)
	}
}

func TestFilesAreOpened(t *testing.T) {
	name := filepath.Join(t.TempDir(), "passwords.filter")
	if err := os.WriteFile(name, file(t, list(t, "word")), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := known.Open(name)
	if err != nil || !l.Has(known.SumOf("word")) {
		t.Errorf("%v, %v", l, err)
	}
	if l, err := known.Open(filepath.Dir(name)); !errors.Is(err, known.ErrFormat) || l != nil {
		t.Errorf("a folder: %v", err)
	}
	if l, err := known.Open(name + "x"); !errors.Is(err, os.ErrNotExist) || l != nil {
		t.Errorf("no file: %v", err)
	}
	if l, err := known.Read(failing{}, 1<<20); !errors.Is(err, errDisk) || l != nil {
		t.Errorf("a disk that fails: %v", err)
	}
}

var errDisk = errors.New("disk")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errDisk }

// FuzzRead holds that a file is refused, or is the one text of its list and
// leads no question outside of it.
func FuzzRead(f *testing.F) {
	f.Add(file(f, list(f, "word")))
	f.Add(file(f, list(f, words(100, "word %d")...)))
	f.Add([]byte("PDKknown"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64 {
			b = summed(b) // else nothing passes the checksum
		}
		l, err := read(b)
		if err != nil {
			if l != nil {
				t.Fatal("a list beside a refusal")
			}
			return
		}
		for i := range 64 {
			l.Has(known.SumOf(fmt.Sprint(i)))
		}
		if !bytes.Equal(file(t, l), b) {
			t.Fatal("two texts of one list")
		}
	})
}

func BenchmarkHas(b *testing.B) {
	l := list(b, words(100_000, "word %d")...)
	sum := known.SumOf("another word")
	b.ReportAllocs()
	for b.Loop() {
		l.Has(sum)
	}
}

func BenchmarkRead(b *testing.B) {
	text := file(b, list(b, words(1_000_000, "word %d")...))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := known.Read(bytes.NewReader(text), int64(len(text))); err != nil {
			b.Fatal(err)
		}
	}
}

var _ io.WriterTo = (*known.List)(nil)
