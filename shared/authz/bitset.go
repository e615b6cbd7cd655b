package authz

import (
	"math/bits"

	"paddock/shared/pattern"
)

// A bitset is a set of servers by their place in a policy.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) add(i int) { b[i/64] |= 1 << (i % 64) }

// has reports whether the server at place i is in b.
func (b bitset) has(i int) bool { return i/64 < len(b) && b[i/64]&(1<<(i%64)) != 0 }

func (b bitset) union(c bitset) {
	for i := range c {
		b[i] |= c[i]
	}
}

// intersect takes from b what is not in c, which is as long.
func (b bitset) intersect(c bitset) {
	for i := range b {
		b[i] &= c[i]
	}
}

// matched returns the servers whose name a pattern matches, which is worked out
// once for each pattern.
func (p *Policy) matched(name pattern.Pattern) bitset {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b, ok := p.named[name.String()]; ok {
		return b
	}
	b := newBitset(len(p.servers.rows))
	for i := range p.servers.rows {
		if name.Match(p.servers.rows[i].Name) {
			b.add(i)
		}
	}
	p.named[name.String()] = b
	return b
}

// each calls yield with what is in b, in order.
func (b bitset) each(yield func(int) bool) {
	for w, word := range b {
		for ; word != 0; word &= word - 1 {
			if !yield(w*64 + bits.TrailingZeros64(word)) {
				return
			}
		}
	}
}

// places returns what is in b, in order.
func (b bitset) places() []int {
	out := make([]int, 0, b.without(nil))
	for i := range b.each {
		out = append(out, i)
	}
	return out
}

// reach adds to b the servers that a unit reaches.
func (p *Policy) reach(b bitset, u *unit) {
	if u.everywhere {
		for i := range p.servers.rows {
			b.add(i)
		}
		return
	}
	if !u.one.Zero() {
		if i, ok := p.servers.place(u.one); ok {
			b.add(i)
		}
	}
	for _, o := range u.objects {
		if i, ok := p.servers.place(o); ok {
			b.add(i)
		}
	}
	for _, n := range u.names {
		b.union(p.matched(n))
	}
	if u.name.Kind() != 0 {
		b.union(p.matched(u.name))
	}
}
