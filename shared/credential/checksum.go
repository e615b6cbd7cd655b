package credential

import (
	"hash/crc32"
	"unsafe"
)

// checksum returns CRC-32 (IEEE) of prefix and body. It finds typing errors
// before a look-up; it guards nothing.
func checksum(head string) (out [checkWidth]byte) {
	putDigits(out[:], uint64(crcIEEE(head)))
	return out
}

// crcIEEE lends the text to the library, which only reads it: a copy would
// cost each token check an allocation.
func crcIEEE(s string) uint32 {
	return crc32.ChecksumIEEE(unsafe.Slice(unsafe.StringData(s), len(s)))
}
