package credential_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"paddock/shared/credential"
)

// readVectors decodes a published table from testdata.
func readVectors[T any](t *testing.T, name string) T {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func password(t testing.TB, typed string) credential.Password {
	t.Helper()
	p, err := credential.NewPassword(typed)
	if err != nil {
		t.Fatalf("%q: %v", typed, err)
	}
	return p
}

// cheap are costs that tests can afford; the format is the same.
var cheap = credential.Params{MemoryKiB: 64, Time: 1, Threads: 1}

func hash(t testing.TB, p credential.Password) credential.Hash {
	t.Helper()
	phc, err := credential.HashPassword(rand.Reader, p, cheap)
	if err != nil {
		t.Fatal(err)
	}
	h, ok := credential.ParseHash(phc)
	if !ok {
		t.Fatalf("%q does not parse", phc)
	}
	return h
}

type argonVectors struct {
	Vectors []struct {
		Password, PHC string
		Memory        int    `json:"m_kib"`
		TagHex        string `json:"tag_hex"`
	}
	Bad []struct{ PHC, Why string } `json:"bad_phc"`
}

func TestArgon2idKnownAnswers(t *testing.T) {
	v := readVectors[argonVectors](t, "argon2id.json")
	if len(v.Vectors) == 0 {
		t.Fatal("no rows")
	}
	for _, row := range v.Vectors {
		t.Run(row.PHC, func(t *testing.T) {
			h, ok := credential.ParseHash(row.PHC)
			if !ok || !h.Matches(password(t, row.Password)) {
				t.Fatalf("parses %v, tag %s", ok, row.TagHex)
			}
			if row.Memory <= 256 && h.Matches(password(t, row.Password+"x")) { // once is dear enough
				t.Fatal("another password matches")
			}
		})
	}
}

func TestHashesOutsideTheBoundsAreRefusedWithoutHashing(t *testing.T) {
	v := readVectors[argonVectors](t, "argon2id.json")
	bad := map[string]string{
		"memory one over":  "$argon2id$v=19$m=1048577,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"time one over":    "$argon2id$v=19$m=65536,t=11,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"threads one over": "$argon2id$v=19$m=65536,t=2,p=17$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"memory below 8p":  "$argon2id$v=19$m=15,t=2,p=2$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"loose last bits":  "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHR$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"newline in salt":  "$argon2id$v=19$m=65536,t=2,p=1$c29tZ\nXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	}
	for _, row := range v.Bad {
		bad[row.Why] = row.PHC
	}
	for why, phc := range bad {
		t.Run(why, func(t *testing.T) {
			h, ok := credential.ParseHash(phc)
			if ok || h.Matches(password(t, "password")) {
				t.Fatalf("%q was taken", phc)
			}
		})
	}
}

func TestNewHashesClearTheFloor(t *testing.T) {
	phc, err := credential.HashPassword(bytes.NewReader(make([]byte, 16)), password(t, "correct horse battery staple lamp"), credential.Current)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`).MatchString(phc) {
		t.Fatal(phc)
	}
	h, ok := credential.ParseHash(phc)
	if !ok || h.Weaker(credential.Current) || !h.Weaker(credential.Params{MemoryKiB: 65536, Time: 2, Threads: 1}) || !h.Weaker(credential.Params{MemoryKiB: 19456, Time: 3, Threads: 1}) {
		t.Fatalf("parses %v", ok)
	}
	if _, err := credential.HashPassword(bytes.NewReader(make([]byte, 15)), password(t, "x"), cheap); err == nil {
		t.Fatal("a short salt was taken")
	}
}

func TestDummyHasTheCurrentCostsAndNoPassword(t *testing.T) {
	d := credential.Dummy()
	if d.Weaker(credential.Current) {
		t.Fatal("cheaper than a real one")
	}
	if d.Matches(password(t, "password")) || d.Matches(credential.Password{}) {
		t.Fatal("a password matches")
	}
}

func TestWhatCountsAsTheSamePassword(t *testing.T) {
	a := strings.Repeat("A", 72)
	long := strings.Repeat("q7Zp!m2Lw9xTe4vB", 64) // 1,024 bytes
	for name, c := range map[string]struct {
		set, typed string
		same       bool
	}{
		"composed and decomposed":  {"Gr\u00fc\u00dfe aus M\u00fcnchen!", "Gru\u0308\u00dfe aus Mu\u0308nchen!", true},
		"difference at byte 73":    {a + "X", a + "Y", false},
		"difference at byte 1,024": {long, long[:1023] + "x", false},
		"trailing blank":           {"trailing blank stays ", "trailing blank stays", false},
		"two blanks":               {"two  blanks in the middle", "two blanks in the middle", false},
		"compatibility forms":      {"\uff50assword", "password", false},
		"letter case":              {"Password", "password", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := hash(t, password(t, c.set)).Matches(password(t, c.typed)); got != c.same {
				t.Fatalf("same: %v", got)
			}
		})
	}
}

func TestTextThatIsNoPassword(t *testing.T) {
	for name, c := range map[string]struct {
		typed string
		want  error
	}{
		"1,025 bytes":             {strings.Repeat("a", 1025), credential.ErrPasswordLong},
		"1 MiB":                   {strings.Repeat("a", 1<<20), credential.ErrPasswordLong},
		"longer than NFC allows":  {strings.Repeat("\u0958", 342), credential.ErrPasswordLong}, // two code points each in NFC
		"NUL":                     {"abc\x00defghijklmnop", credential.ErrPasswordCharacter},
		"newline":                 {"abcdefgh\nijklmnop", credential.ErrPasswordCharacter},
		"C1 control":              {"abcdefgh\u0085ijklmnop", credential.ErrPasswordCharacter},
		"lone surrogate":          {"abcdefgh\xed\xa0\x80ijklmnop", credential.ErrPasswordCharacter},
		"what decoders put there": {"abcdefgh\ufffdijklmnop", credential.ErrPasswordCharacter},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := credential.NewPassword(c.typed); !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
		})
	}
	if password(t, strings.Repeat("a", credential.MaxPasswordBytes)); t.Failed() {
		t.Fatal("1,024 bytes are allowed")
	}
}

func TestAtMostSoManyHashesAtOnce(t *testing.T) {
	h := credential.NewHasher(2)
	inside, release := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			if err := h.Do(func() { inside <- struct{}{}; <-release }); err != nil {
				t.Error(err)
			}
		})
		<-inside
	}
	err := h.Do(func() { t.Error("a third one ran") })
	if !errors.Is(err, credential.ErrBusy) {
		t.Fatalf("%v", err)
	}
	close(release)
	wait.Wait()
	if err := h.Do(func() {}); err != nil {
		t.Fatalf("a free slot was refused: %v", err)
	}
}

func TestAPanicFreesItsSlot(t *testing.T) {
	h := credential.NewHasher(1)
	func() {
		defer func() { _ = recover() }()
		_ = h.Do(func() { panic("of the work") })
	}()
	if err := h.Do(func() {}); err != nil {
		t.Fatal(err)
	}
}

func TestSlotsFollowTheMemory(t *testing.T) {
	for name, c := range map[string]struct {
		memory int64
		want   int
	}{"1,769 MiB": {1769 << 20, 46}, "nothing known": {0, 1}, "less than one": {1 << 20, 1}} {
		t.Run(name, func(t *testing.T) {
			if got := credential.Slots(c.memory, credential.Current); got != c.want {
				t.Fatalf("%d, want %d", got, c.want)
			}
		})
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc")
	f.Add("$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$" + hex.EncodeToString(make([]byte, 16)))
	f.Fuzz(func(t *testing.T, phc string) {
		h, ok := credential.ParseHash(phc)
		if got := credential.HashText(h); ok && got != phc {
			t.Fatalf("ParseHash(%q) prints as %q: two texts for one hash", phc, got)
		}
	})
}
