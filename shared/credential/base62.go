package credential

import (
	"encoding/binary"
	"math/bits"
)

const (
	rawSize    = 16 + 16 + 32
	bodyWidth  = 86 // ceil(512 bits / log2 62)
	checkWidth = 6  // ceil(32 bits / log2 62)
	alphabet   = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

	// chunkWidth digits are the most that fit a word of 64 bits with room
	// for the carry; chunkBase is 62^chunkWidth.
	chunkWidth = 10
	chunkBase  = 839299365868340224
	noDigit    = 0xff
	digitBound = 64 // only noDigit has a bit from here on
)

// digits gives the value of each letter of the alphabet, noDigit for others.
var digits = digitTable()

func digitTable() (t [256]byte) {
	for i := range t {
		t[i] = noDigit
	}
	for i := range len(alphabet) {
		t[alphabet[i]] = byte(i)
	}
	return t
}

// appendBody appends the big-endian number in raw with exactly bodyWidth
// digits.
func appendBody(dst []byte, raw *[rawSize]byte) []byte {
	var words [rawSize / 8]uint64
	for i := range words {
		words[i] = binary.BigEndian.Uint64(raw[i*8:])
	}
	var out [bodyWidth]byte
	for end := bodyWidth; end > 0; end -= chunkWidth {
		var chunk uint64
		for i := range words {
			words[i], chunk = bits.Div64(chunk, words[i], chunkBase)
		}
		putDigits(out[max(0, end-chunkWidth):end], chunk)
	}
	return append(dst, out[:]...)
}

// putDigits fills out with the last digits of n.
func putDigits(out []byte, n uint64) {
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = alphabet[n%62]
		n /= 62
	}
}

// readBody reads what appendBody appended. A letter outside the alphabet and a
// number of more than 512 bits are refused, so each value has one text.
func readBody(text string) (raw [rawSize]byte, ok bool) {
	if len(text) != bodyWidth {
		return raw, false
	}
	// words hold the number with the lowest first; used is how many are not
	// zero, so that leading chunks are cheap.
	var words [rawSize / 8]uint64
	used := 0
	for at, end := 0, bodyWidth%chunkWidth; at < bodyWidth; at, end = end, end+chunkWidth {
		carry, valid := readDigits(text[at:end])
		if !valid {
			return raw, false
		}
		for i, w := range words[:used] {
			hi, lo := bits.Mul64(w, chunkBase)
			var over uint64
			words[i%len(words)], over = bits.Add64(lo, carry, 0)
			carry = hi + over
		}
		if carry == 0 {
			continue
		}
		if used == len(words) {
			return raw, false
		}
		words[used] = carry
		used++
	}
	for i, w := range words {
		binary.BigEndian.PutUint64(raw[rawSize-8*(i+1):], w)
	}
	return raw, true
}

// readDigits returns the number that at most chunkWidth digits write.
func readDigits(text string) (n uint64, ok bool) {
	if len(text) == chunkWidth {
		// Two halves of five have no need to wait for each other.
		a, b, c, d, e := digits[text[0]], digits[text[1]], digits[text[2]], digits[text[3]], digits[text[4]]
		f, g, h, i, j := digits[text[5]], digits[text[6]], digits[text[7]], digits[text[8]], digits[text[9]]
		high := (((uint64(a)*62+uint64(b))*62+uint64(c))*62+uint64(d))*62 + uint64(e)
		low := (((uint64(f)*62+uint64(g))*62+uint64(h))*62+uint64(i))*62 + uint64(j)
		return high*(62*62*62*62*62) + low, a|b|c|d|e|f|g|h|i|j < digitBound
	}
	var seen byte
	for i := range len(text) {
		d := digits[text[i]]
		seen |= d
		n = n*62 + uint64(d)
	}
	return n, seen < digitBound
}
