package authz

import (
	"encoding/binary"
	"math/bits"

	"paddock/shared/id"
)

// An index finds rows by their id. It is a table of places, probed in line and at
// most half full: a policy is made at each cold start, and a map costs five times
// as much to fill. Ids are ours and end in random bits, so that nobody chooses
// who meets whom.
type index[T any] struct {
	rows  []T
	of    func(*T) id.UUID
	slots []int32 // place + 1, 0 for free; the length is a power of two
}

// newIndex returns the index of rows. Of rows with one id the last counts, and
// stands where the first did.
func newIndex[T any](rows []T, of func(*T) id.UUID) index[T] {
	x := index[T]{rows: rows, of: of, slots: make([]int32, 1<<bits.Len(uint(2*len(rows))))}
	n := 0
	for i := range rows {
		at := x.slot(of(&rows[i]))
		if place := x.slots[at]; place > 0 {
			if n == i {
				rows = append(make([]T, 0, len(rows)), rows...) // the caller's stay as they are
				x.rows = rows
			}
			x.rows[place-1] = rows[i]
			continue
		}
		if n != i {
			x.rows[n] = rows[i]
		}
		n++
		x.slots[at] = int32(n)
	}
	x.rows = x.rows[:n]
	return x
}

// slot returns where the id is, or where it would be.
func (x *index[T]) slot(of id.UUID) int {
	mixed := (binary.LittleEndian.Uint64(of[:8]) ^ bits.RotateLeft64(binary.LittleEndian.Uint64(of[8:]), 32)) * 0x9e3779b97f4a7c15
	mask := len(x.slots) - 1
	for at := int(mixed>>33) & mask; ; at = (at + 1) & mask {
		if place := x.slots[at]; place == 0 || x.of(&x.rows[place-1]) == of {
			return at
		}
	}
}

// place returns the place of the row with this id, and false when there is none.
func (x *index[T]) place(of id.UUID) (int, bool) {
	if len(x.rows) == 0 {
		return 0, false
	}
	place := x.slots[x.slot(of)]
	return int(place) - 1, place > 0
}
