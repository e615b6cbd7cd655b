package pattern

import (
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
)

// Includes reports whether inner reaches no further than outer: whether each
// text that inner matches, of whatever length, is matched by outer. Patterns of
// different kinds, and the zero Pattern, include nothing and are included in
// nothing.
//
// True is always proven. False is too, but for paths whose stars are woven into
// each other so much that the search is given up after a bounded effort.
func Includes(outer, inner Pattern) bool {
	_, included := compare(outer, inner)
	return included
}

// Bounds of the comparison of two patterns: effort counts the sets of places in
// the outer pattern that are compared, and the keeping of one as perKept of
// them. At most 16,384 are kept, of 200 bytes each. Patterns without "**" need a
// few times their length.
const (
	effort  = 1 << 17
	perKept = 8
)

// fresh stands for a character that no pattern has and every star crosses. It
// is no byte of UTF-8. Stars of the inner pattern need to be tried with it, and
// with "/" where they are wide, alone: if a text has other characters there,
// then the text with fresh ones in their place is matched by inner as well, and
// a way in which outer matches that matches the first text too, since it can
// only have stars there, and "/" stayed in its place.
const fresh = 0xff

// A token is a byte that stands for itself, or one of the stars.
type token uint16

const (
	star token = 0x100 + iota
	wideStar
)

// tokens returns the pattern as a list. A place is an index in it: what was
// read is matched by the tokens before.
func (p Pattern) tokens() []token {
	var list []token
	for i, part := range p.parts {
		if i > 0 && part.wide {
			list = append(list, wideStar)
		} else if i > 0 {
			list = append(list, star)
		}
		for _, b := range []byte(part.literal) {
			list = append(list, token(b))
		}
	}
	return list
}

// A set of places in the outer pattern.
type set [MaxBytes/64 + 1]uint64

func (s *set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// within reports whether s has nothing that t has not.
func (s *set) within(t *set) bool {
	for i := range s {
		if s[i]&^t[i] != 0 {
			return false
		}
	}
	return true
}

// open adds place i, and the next one if a star is there, for it may be empty.
func (s *set) open(list []token, i int) {
	s.add(i)
	if i < len(list) && list[i] >= star {
		s.add(i + 1)
	}
}

// read returns the places after one more byte.
func (k Kind) read(list []token, s *set, b byte) set {
	var next set
	// Parse leaves no character beyond ASCII in literals that a star must not cross.
	crossed := b >= utf8.RuneSelf || !k.stops(rune(b))
	for w, word := range s {
		for ; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			switch {
			case i == len(list):
			case list[i] == token(b):
				next.open(list, i+1)
			case list[i] == wideStar, list[i] == star && crossed:
				next.open(list, i)
			}
		}
	}
	return next
}

// A segment says what of a path's segment was read, as far as texts that are
// no paths have to be told. Texts of other kinds are one segment.
type segment uint8

const (
	nothing segment = iota // the text is empty
	whole                  // none of the others
	empty
	dot
	dots
	segmentStates
)

// then returns the segment after one more byte, and false for what is no path.
func (s segment) then(k Kind, b byte) (segment, bool) {
	switch {
	case k != Path:
		return whole, true
	case b == '/':
		return empty, s == nothing || s == whole
	case b == '.' && s == empty:
		return dot, true
	case b == '.' && s == dot:
		return dots, true
	}
	return whole, s != nothing
}

// text reports whether what was read may end here.
func (s segment) text() bool { return s == whole || s == empty }

// A reading is a text that inner matches the beginning of: the place in inner,
// and all places in outer.
type reading struct {
	inner   int
	segment segment
	outer   set
	from    int // the reading one byte shorter, or the same text
	byte    byte
	reads   bool // whether byte was read since then
}

// compare looks for a text that inner matches and outer does not, and returns
// it. Without a text and not included means that it was given up.
func compare(outer, inner Pattern) (counterexample string, included bool) {
	if outer.kind != inner.kind || outer.kind.longest() == 0 {
		return "", false
	}
	k, wide, narrow := outer.kind, outer.tokens(), inner.tokens()
	// Readings of one place with fewer places in outer stand for those with more.
	least := make([][]int, (len(narrow)+1)*int(segmentStates))
	var all []reading
	spent := 0
	note := func(r reading) {
		at := &least[r.inner*int(segmentStates)+int(r.segment)]
		spent += len(*at) + perKept
		for _, i := range *at {
			if all[i].outer.within(&r.outer) {
				return
			}
		}
		*at = append(*at, len(all))
		all = append(all, r)
	}
	start := reading{from: -1}
	start.outer.open(wide, 0)
	note(start)
	for n := 0; n < len(all); n++ { //nolint:intrange // it grows
		if spent > effort {
			return "", false
		}
		r := all[n]
		if r.inner == len(narrow) {
			if r.segment.text() && !r.outer.has(len(wide)) {
				return spell(all, n, outer), false
			}
			continue
		}
		step := func(to int, b byte) {
			if segment, ok := r.segment.then(k, b); ok {
				note(reading{to, segment, k.read(wide, &r.outer, b), n, b, true})
			}
		}
		switch t := narrow[r.inner]; t {
		case star, wideStar:
			step(r.inner, fresh)
			if t == wideStar {
				step(r.inner, '/')
			}
			note(reading{inner: r.inner + 1, segment: r.segment, outer: r.outer, from: n})
		default:
			step(r.inner+1, byte(t))
		}
	}
	return "", true
}

// spell returns the text of a reading, with a character for fresh that outer
// does not have.
func spell(all []reading, n int, outer Pattern) string {
	var text []byte
	for ; n >= 0; n = all[n].from {
		if all[n].reads {
			text = append(text, all[n].byte)
		}
	}
	slices.Reverse(text)
	unused := 'x'
	for strings.ContainsRune(outer.text, unused) {
		if unused++; unused > 'z' && unused < utf8.RuneSelf {
			unused = '一' // more letters behind it than a pattern has bytes
		}
	}
	return strings.ReplaceAll(string(text), "\xff", string(unused))
}
