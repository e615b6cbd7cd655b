// Command gen writes the list of common passwords from the lists of zxcvbn,
// zxcvbn-ts and Django. The licences lie in NOTICE beside the list.
package main

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	blockWords = 32 // as in package wordlist
	// minWord is the shortest word, in code points, that is taken up: shorter
	// ones are no sign of a bad password when digits follow them.
	minWord = 4
	maxWord = 255 // bytes; the format has one byte for lengths
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		slog.Error("gen: no list written", "err", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	zxcvbn := flags.String("zxcvbn", "", "frequency_lists.py of zxcvbn for Python")
	ts := flags.String("zxcvbn-ts", "", "passwords.json of zxcvbn-ts")
	django := flags.String("django", "", "common-passwords.txt.gz of Django")
	out := flags.String("out", "", "file to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var all []string
	for _, source := range []struct {
		path string
		read func(io.Reader) ([]string, error)
	}{{*zxcvbn, readPython}, {*ts, readJSON}, {*django, readGzip}} {
		words, err := readFile(source.path, source.read)
		if err != nil {
			return err
		}
		if len(words) == 0 {
			return fmt.Errorf("%s holds no words", source.path)
		}
		all = append(all, words...)
	}
	return os.WriteFile(*out, encode(fold(all)), 0o644) //nolint:gosec // a source file
}

func readFile(path string, read func(io.Reader) ([]string, error)) (words []string, err error) {
	f, err := os.Open(path) //nolint:gosec // the path is the operator's own argument
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if words, err = read(f); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return words, nil
}

var pythonList = regexp.MustCompile(`(?m)^\s*"passwords": "([^"]*)"`)

func readPython(r io.Reader) ([]string, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	found := pythonList.FindSubmatch(b)
	if found == nil {
		return nil, errors.New(`no list "passwords"`)
	}
	return strings.Split(string(found[1]), ","), nil
}

func readJSON(r io.Reader) (words []string, err error) {
	err = json.NewDecoder(r).Decode(&words)
	return words, err
}

func readGzip(r io.Reader) (words []string, err error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(z)
	for lines.Scan() {
		words = append(words, strings.TrimSpace(lines.Text()))
	}
	return words, lines.Err()
}

// fold returns the words in lower case NFKC, sorted, each once.
func fold(words []string) []string {
	folded := make([]string, 0, len(words))
	for _, w := range words {
		w = strings.ToLower(norm.NFKC.String(w))
		if utf8.RuneCountInString(w) >= minWord && len(w) <= maxWord {
			folded = append(folded, w)
		}
	}
	slices.Sort(folded)
	return slices.Compact(folded)
}

// encode writes the format that package wordlist describes.
func encode(words []string) []byte {
	blocks := (len(words) + blockWords - 1) / blockWords
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(words))) //nolint:gosec // far below 2^32
	out = append(out, make([]byte, 4*blocks)...)
	previous := ""
	for i, w := range words {
		if i%blockWords == 0 {
			binary.LittleEndian.PutUint32(out[4*(i/blockWords+1):], uint32(len(out))) //nolint:gosec // far below 2^32
			previous = ""
		}
		shared := 0
		for shared < min(len(previous), len(w)) && previous[shared] == w[shared] {
			shared++
		}
		out = append(out, byte(shared), byte(len(w)-shared))
		out = append(out, w[shared:]...)
		previous = w
	}
	return out
}
