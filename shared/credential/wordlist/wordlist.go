// Package wordlist holds the passwords that are guessed first. It promises an
// exact answer without a file, a network or an allocation, and knows nothing
// of the rules that ask it.
package wordlist

import _ "embed"

// words is what internal/gen wrote: the number of words and, for each block of
// blockWords, the offset of its first word, as 32-bit little-endian numbers;
// then the words in ascending order of bytes. Each is one byte for how many
// bytes it shares with the word before it in its block, one for how many
// follow, and those bytes.
//
//go:embed words.bin
var words string

// blockWords is how many words one block has; the last may have fewer.
const blockWords = 32

// Count returns how many words the list has.
func Count() int { return number(0) }

// Contains reports whether the list has w, which must be folded: NFKC in lower
// case.
func Contains(w string) bool {
	// The block is the last whose first word is not above w.
	low, high := 0, (Count()+blockWords-1)/blockWords
	for low < high {
		middle := (low + high) / 2
		if first(middle) <= w {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low > 0 && inBlock(low-1, w)
}

func number(i int) int {
	return int(words[4*i]) | int(words[4*i+1])<<8 | int(words[4*i+2])<<16 | int(words[4*i+3])<<24
}

// first returns the first word of a block.
func first(block int) string {
	at := number(block + 1)
	return words[at+2 : at+2+int(words[at+1])]
}

// inBlock walks a block's words. matched is how many bytes the word before has
// in common with w from its beginning.
func inBlock(block int, w string) bool {
	at, matched := number(block+1), 0
	for range min(blockWords, Count()-block*blockWords) {
		shared, suffix := int(words[at]), words[at+2:at+2+int(words[at+1])]
		at += 2 + len(suffix)
		if shared < matched {
			return false // this word and all after it are above w
		}
		if shared > matched {
			continue // it differs from w where the word before did
		}
		for len(suffix) > 0 && matched < len(w) && suffix[0] == w[matched] {
			suffix, matched = suffix[1:], matched+1
		}
		if len(suffix) == 0 && matched == len(w) {
			return true
		}
	}
	return false
}
