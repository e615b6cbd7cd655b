package credential

import "hash/crc32"

// crcTables drive CRC-32 (IEEE) eight bytes at a time. crcTables[k][b] is the
// checksum of byte b followed by k zero bytes. The standard library's function
// makes its argument escape, which costs each token check an allocation; a
// test holds the two equal.
var crcTables = crcSlices()

func crcSlices() (t [8][256]uint32) {
	t[0] = *crc32.IEEETable
	for b := range t[0] {
		for k := 1; k < len(t); k++ {
			before := t[k-1][b]
			t[k][b] = t[0][byte(before)] ^ before>>8
		}
	}
	return t
}

// checksum returns CRC-32 (IEEE) of prefix and body. It finds typing errors
// before a look-up; it guards nothing.
func checksum(head string) (out [checkWidth]byte) {
	putDigits(out[:], uint64(crcIEEE(head)))
	return out
}

func crcIEEE(s string) uint32 {
	t := &crcTables
	crc := ^uint32(0)
	for ; len(s) >= 8; s = s[8:] {
		crc ^= uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
		crc = t[7][byte(crc)] ^ t[6][byte(crc>>8)] ^ t[5][byte(crc>>16)] ^ t[4][crc>>24] ^
			t[3][s[4]] ^ t[2][s[5]] ^ t[1][s[6]] ^ t[0][s[7]]
	}
	for i := range len(s) {
		crc = t[0][byte(crc)^s[i]] ^ crc>>8
	}
	return ^crc
}
