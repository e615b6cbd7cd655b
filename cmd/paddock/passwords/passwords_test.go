package passwords_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paddock/cmd/paddock/passwords"
	"paddock/shared/credential/known"
)

// build writes a list and builds its filter.
func build(t *testing.T, name, text string, atLeast uint64) (passwords.Report, *known.List, error) {
	t.Helper()
	folder := t.TempDir()
	from, out := filepath.Join(folder, name), filepath.Join(folder, "passwords.filter")
	write(t, from, text)
	r, err := passwords.Build(t.Context(), passwords.Options{From: from, Out: out, AtLeast: atLeast})
	if err != nil {
		if left, _ := filepath.Glob(out + "*"); len(left) > 0 {
			t.Errorf("refused, but %v is there", left)
		}
		return r, nil, err
	}
	l, err := known.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	return r, l, nil
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// hash returns the digits of a word's SHA-1.
func hash(word string) string { return fmt.Sprintf("%X", sha1.Sum([]byte(word))) }

func TestLists(t *testing.T) {
	long := strings.Repeat("a long line ", 2_000)
	for _, c := range []struct {
		name, file, text     string
		atLeast              uint64
		lines, rare, refused int
		has, hasNot          []string
	}{
		{name: "words", file: "words.txt", text: "lamp one\nlamp two\r\n\nlamp three", lines: 3, has: []string{"lamp one", "lamp two", "lamp three"}, hasNot: []string{"", "lamp two\r"}},
		{name: "words in another form", file: "words.txt", text: "mu\u0308de\n", lines: 1, has: []string{"m\u00fcde"}},
		{name: "blanks are kept", file: "words.txt", text: " lamp \n", lines: 1, has: []string{" lamp "}, hasNot: []string{"lamp"}},
		{name: "what nobody can type", file: "words.txt", text: "lamp\n\xff\xfe\na\tb\n" + strings.Repeat("x", 1025) + "\n" + long + "\nlast\n", lines: 6, refused: 4, has: []string{"lamp", "last"}, hasNot: []string{"a\tb"}},
		{name: "a long line first", file: "words.txt", text: long + long, lines: 1, refused: 1},
		{name: "hashes", file: "hashes.txt", text: hash("one") + ":3\r\n" + strings.ToLower(hash("two")) + ":12\n" + hash("three") + ":0\n", lines: 3, rare: 1, has: []string{"one", "two"}, hasNot: []string{"three"}},
		{name: "hashes counted often", file: "hashes.txt", text: hash("one") + ":3\n" + hash("two") + ":12\n", atLeast: 4, lines: 2, rare: 1, has: []string{"two"}, hasNot: []string{"one"}},
		{name: "a range", file: hash("one")[:5] + ".txt", text: hash("one")[5:] + ":3\r\n" + strings.Repeat("0", 35) + ":0", lines: 2, rare: 1, has: []string{"one"}},
		{name: "words in a file named as ranges are", file: "12345", text: "lamp\n", lines: 1, has: []string{"lamp"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, l, err := build(t, c.file, c.text, c.atLeast)
			if errors.Is(err, known.ErrEmpty) && len(c.has) == 0 {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.Lines != c.lines || r.Rare != c.rare || r.Refused != c.refused || l.Count() != len(c.has) {
				t.Errorf("%+v, %d passwords", r, l.Count())
			}
			for _, word := range c.has {
				if !l.Has(known.SumOf(word)) {
					t.Errorf("%q is not in the list", word)
				}
			}
			for _, word := range c.hasNot {
				if l.Has(known.SumOf(word)) {
					t.Errorf("%q is in the list", word)
				}
			}
		})
	}
}

func TestListsThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, file, text, line string
		want                   error
	}{
		{name: "nothing", file: "words.txt", text: "\n\r\n", want: known.ErrEmpty},
		{name: "padding alone", file: "hashes.txt", text: hash("one") + ":0\n", want: known.ErrEmpty},
		{name: "a word among hashes", file: "hashes.txt", text: hash("one") + ":1\n\nsecret lamp\n", line: "line 3", want: passwords.ErrLine},
		{name: "a long line among hashes", file: "hashes.txt", text: hash("one") + ":1\n" + strings.Repeat("0", 1<<20), line: "line 2", want: passwords.ErrLine},
		{name: "a negative count", file: "hashes.txt", text: hash("one") + ":1\n" + hash("two") + ":-1\n", line: "line 2", want: passwords.ErrLine},
		{name: "a whole hash in a range", file: "00000", text: hash("one")[5:] + ":1\n" + hash("two") + ":1\n", line: "line 2", want: passwords.ErrLine},
		{name: "another file in a folder", file: "folder/notes.md", text: "x", line: "notes.md", want: passwords.ErrFiles},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			write(t, filepath.Join(folder, c.file), c.text)
			from := filepath.Join(folder, strings.Split(c.file, "/")[0])
			out := filepath.Join(t.TempDir(), "passwords.filter")
			_, err := passwords.Build(t.Context(), passwords.Options{From: from, Out: out})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.line) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if strings.Contains(err.Error(), "lamp") {
				t.Errorf("the line is printed: %v", err)
			}
			if left, _ := os.ReadDir(filepath.Dir(out)); len(left) > 0 {
				t.Errorf("refused, but %v is there", left)
			}
		})
	}
}

func TestAFolderOfRanges(t *testing.T) {
	folder := t.TempDir()
	for _, word := range []string{"one", "two", "three"} {
		write(t, filepath.Join(folder, "ranges", hash(word)[:5]+".txt"), hash(word)[5:]+":7\n")
	}
	write(t, filepath.Join(folder, "ranges", ".etag"), "x")
	o := passwords.Options{From: filepath.Join(folder, "ranges"), Out: filepath.Join(folder, "out"), AtLeast: 2}
	var printed bytes.Buffer
	for range 2 { // an older list is replaced
		if err := passwords.Run(t.Context(), o, &printed); err != nil {
			t.Fatal(err)
		}
	}
	l, err := known.Open(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"one", "two", "three"} {
		if !l.Has(known.SumOf(word)) {
			t.Errorf("%s is not in the list", word)
		}
	}
	if want := "3 lines were read; 0 were counted less than 2 times, 0 cannot be passwords here.\n3 passwords are in "; !strings.HasPrefix(printed.String(), want) {
		t.Errorf("printed %s", printed.String())
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := passwords.Build(ended, o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := passwords.Build(t.Context(), passwords.Options{From: folder + "x", Out: o.Out}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := passwords.Build(t.Context(), passwords.Options{From: o.From, Out: filepath.Join(folder, "none", "out")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// FuzzBuild holds that a list is refused, or that what it kept and what it left
// out are all of its lines, and none is kept that nobody can type.
func FuzzBuild(f *testing.F) {
	f.Add("lamp one\nlamp two\r\n\n", "words.txt")
	f.Add(hash("one")+":3\n"+hash("two")+":0\n", "hashes.txt")
	f.Add(hash("one")[5:]+":3\r\n", hash("one")[:5])
	f.Add(strings.Repeat("x", 20_000), "00000")
	f.Fuzz(func(t *testing.T, text, name string) {
		if len(name) == 0 || len(name) > 100 || strings.ContainsAny(name, "/\x00") || strings.Trim(name, ".") == "" {
			return
		}
		folder := t.TempDir()
		from, out := filepath.Join(folder, name), filepath.Join(t.TempDir(), "out")
		write(t, from, text)
		r, err := passwords.Build(t.Context(), passwords.Options{From: from, Out: out})
		if err != nil {
			if _, err := os.Stat(out); err == nil {
				t.Fatal("refused, but there is a list")
			}
			return
		}
		if kept := r.Lines - r.Rare - r.Refused; r.List.Count() < 1 || r.List.Count() > kept {
			t.Fatalf("%d passwords of %d lines", r.List.Count(), kept)
		}
		if l, err := known.Open(out); err != nil || l.Count() != r.List.Count() {
			t.Fatalf("%v, %v", l, err)
		}
	})
}
