// Package passwords makes the file of an operator's list of known passwords
// out of lists as they are published. It promises to hold no more than the
// hashes in memory, and to name lines by their numbers alone.
package passwords

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"paddock/shared/credential"
	"paddock/shared/credential/known"
)

// Options say what to build.
type Options struct {
	// From is a file, or a folder of range files.
	From string
	// Out receives the list. It is replaced when the new one is complete.
	Out string
	// AtLeast leaves out hashes that were counted less often.
	AtLeast uint64
}

// Refusals of what is to be read.
var (
	ErrLine  = errors.New("neither HEX:count nor the rest of a range file")
	ErrFiles = errors.New("a folder holds range files, each named by the 5 digits that its hashes begin with")
)

// A Report says what was read.
type Report struct {
	Lines   int // with something in them
	Rare    int // left out: counted less often than asked for
	Refused int // left out: no password can be such a text
	List    *known.List
	Bytes   int64
}

// Run builds the list and prints a report.
func Run(ctx context.Context, o Options, out io.Writer) error {
	r, err := Build(ctx, o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d lines were read; %d were counted less than %d times, %d cannot be passwords here.\n%d passwords are in %s (%d bytes).\n",
		r.Lines, r.Rare, o.AtLeast, r.Refused, r.List.Count(), o.Out, r.Bytes)
	return err
}

// Build reads the lists and writes the file.
func Build(ctx context.Context, o Options) (Report, error) {
	s := source{ctx: ctx, atLeast: o.AtLeast}
	if err := s.read(o.From); err != nil {
		return Report{}, err
	}
	var err error
	if s.report.List, err = s.into.Build(); err != nil {
		return Report{}, err
	}
	if s.report.Bytes, err = save(s.report.List, o.Out); err != nil {
		return Report{}, err
	}
	return s.report, nil
}

// save writes a list beside its place and moves it there.
func save(l *known.List, name string) (n int64, err error) {
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	n, err = l.WriteTo(file)
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return 0, err
	}
	return n, os.Rename(file.Name(), name)
}

// A source reads lists into a builder.
type source struct {
	ctx     context.Context
	atLeast uint64
	into    known.Builder
	report  Report
}

func (s *source) read(name string) error {
	about, err := os.Stat(name)
	if err != nil {
		return err
	}
	if !about.IsDir() {
		return s.file(name)
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if prefixOf(entry.Name()) == "" || !entry.Type().IsRegular() {
			return fmt.Errorf("%s: %w", entry.Name(), ErrFiles)
		}
		if err := s.file(filepath.Join(name, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// prefixOf returns the five digits that a range file is named by, or "".
func prefixOf(name string) string {
	prefix := strings.TrimSuffix(filepath.Base(name), ".txt")
	if len(prefix) != credential.RangePrefix || !hexadecimal(prefix) {
		return ""
	}
	return prefix
}

// file reads one file. Its first line tells what it is: hashes with counts, the
// ends of hashes with counts in a file named as ranges are, or passwords.
func (s *source) file(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, lineSize)
	prefix := prefixOf(name)
	var take func(line string) error
	for n := 1; ; n++ {
		line, long, err := next(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if line == "" && !long {
			continue
		}
		s.report.Lines++
		if take == nil {
			take = s.taking(line, prefix)
		}
		if long {
			line = strings.Repeat("x", lineSize) // no hash and no password is as long
		}
		if err := take(line); err != nil {
			return fmt.Errorf("%s, line %d: %w", filepath.Base(name), n, err)
		}
	}
}

// taking returns what takes the lines of a file that begins with this one.
func (s *source) taking(first, prefix string) func(string) error {
	if _, _, ok := counted("", first); ok {
		return func(line string) error { return s.hash("", line) }
	}
	if _, _, ok := counted(prefix, first); ok {
		return func(line string) error { return s.hash(prefix, line) }
	}
	return s.word
}

// lineSize bounds a line, in bytes.
const lineSize = 16 << 10

// next returns a line without its end. Of one that is too long it returns
// nothing but that.
func next(in *bufio.Reader) (line string, long bool, err error) {
	part, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return "", true, err
	}
	if errors.Is(err, io.EOF) && len(part) > 0 {
		err = nil // the last line has no end
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(part), "\n"), "\r"), false, err
}

// counted reads a hash that begins with prefix, and its count.
func counted(prefix, line string) (known.Sum, uint64, bool) {
	digits, count, found := strings.Cut(line, ":")
	var sum known.Sum
	if !found || len(prefix)+len(digits) != hex.EncodedLen(len(sum)) {
		return known.Sum{}, 0, false
	}
	n, err := strconv.ParseUint(count, 10, 63)
	if err != nil {
		return known.Sum{}, 0, false
	}
	if _, err := hex.Decode(sum[:], []byte(prefix+digits)); err != nil {
		return known.Sum{}, 0, false
	}
	return sum, n, true
}

func (s *source) hash(prefix, line string) error {
	sum, count, ok := counted(prefix, line)
	if !ok {
		return ErrLine
	}
	if count < max(1, s.atLeast) { // none at all: padding
		s.report.Rare++
		return nil
	}
	return s.into.Add(sum)
}

func (s *source) word(line string) error {
	if _, err := credential.NewPassword(line); err != nil {
		s.report.Refused++
		return nil //nolint:nilerr // lists have lines that nobody can type
	}
	return s.into.Add(known.SumOf(line))
}

func hexadecimal(s string) bool { return strings.Trim(s, "0123456789ABCDEFabcdef") == "" }
