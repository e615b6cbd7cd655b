package known

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/bits"
	"os"
)

// A file is a header, the fingerprints, and the SHA-256 of all before it.
// Numbers are little-endian.
//
//	 0  magic
//	 8  uint16  version of the format
//	10  uint16  kind of the filter
//	12  uint32  different passwords
//	16  uint64  seed
//	24  uint32  length of a segment, a power of two
//	28  uint32  segments in which the first fingerprint of a password lies
//	32  uint16  × (segments + 2) × length
const (
	magic   = "PDKknown"
	version = 1
	// kindFuse16 is a binary fuse filter of 16 bits over the first 64 bits, as
	// a big-endian number, of the SHA-1 of passwords in NFC.
	kindFuse16 = 1
	headerSize = 32

	minSegment, maxSegment = 4, 1 << 18
	maxFingerprints        = MaxPasswords/8*9 + 3*maxSegment
)

// Refusals of files.
var (
	ErrFormat   = errors.New("this is no list of known passwords, or one of another version")
	ErrSize     = errors.New("the list of known passwords is cut short, or its header is wrong")
	ErrChecksum = errors.New("the list of known passwords was altered: its checksum is wrong")
)

// WriteTo writes the list as a file.
func (l *List) WriteTo(to io.Writer) (int64, error) {
	sum := sha256.New()
	out := counting{to: io.MultiWriter(to, sum)}
	if _, err := out.Write(l.header()); err != nil {
		return out.n, err
	}
	piece := make([]byte, 0, pieceSize)
	for at := 0; at < len(l.filter.Fingerprints); {
		piece = piece[:0]
		for ; at < len(l.filter.Fingerprints) && len(piece) < pieceSize; at++ {
			piece = binary.LittleEndian.AppendUint16(piece, l.filter.Fingerprints[at])
		}
		if _, err := out.Write(piece); err != nil {
			return out.n, err
		}
	}
	n, err := to.Write(sum.Sum(nil))
	return out.n + int64(n), err
}

// pieceSize is how many bytes are coded at once.
const pieceSize = 1 << 16

type counting struct {
	to io.Writer
	n  int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

func (l *List) header() []byte {
	out := append(make([]byte, 0, headerSize), magic...)
	out = binary.LittleEndian.AppendUint16(out, version)
	out = binary.LittleEndian.AppendUint16(out, kindFuse16)
	out = binary.LittleEndian.AppendUint32(out, uint32(l.count))
	out = binary.LittleEndian.AppendUint64(out, l.filter.Seed)
	out = binary.LittleEndian.AppendUint32(out, l.filter.SegmentLength)
	return binary.LittleEndian.AppendUint32(out, l.filter.SegmentCount)
}

// Open reads a list from a file.
func Open(name string) (*List, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	about, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !about.Mode().IsRegular() {
		return nil, ErrFormat
	}
	return Read(file, about.Size())
}

// Read reads a list of which from holds size bytes. It takes memory only for
// fingerprints that size covers, whatever the header says, and fails with
// ErrFormat, ErrSize, ErrChecksum or the error of from.
func Read(from io.Reader, size int64) (*List, error) {
	sum := sha256.New()
	header := make([]byte, headerSize)
	if size < headerSize+sha256.Size {
		return nil, ErrSize
	}
	if err := fill(from, header, sum); err != nil {
		return nil, err
	}
	list, n, err := parse(header)
	if err != nil {
		return nil, err
	}
	if size != headerSize+2*int64(n)+sha256.Size {
		return nil, ErrSize
	}
	list.filter.Fingerprints = make([]uint16, 0, n)
	piece := make([]byte, pieceSize)
	for left := 2 * n; left > 0; left -= len(piece) {
		piece = piece[:min(left, pieceSize)]
		if err := fill(from, piece, sum); err != nil {
			return nil, err
		}
		for at := 0; at < len(piece); at += 2 {
			list.filter.Fingerprints = append(list.filter.Fingerprints, binary.LittleEndian.Uint16(piece[at:]))
		}
	}
	stored := make([]byte, sha256.Size)
	if err := fill(from, stored, nil); err != nil {
		return nil, err
	}
	if !bytes.Equal(stored, sum.Sum(nil)) {
		return nil, ErrChecksum
	}
	return list, nil
}

// fill reads a whole piece, and adds it to a sum unless that is nil.
func fill(from io.Reader, piece []byte, sum hash.Hash) error {
	if _, err := io.ReadFull(from, piece); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return ErrSize
		}
		return fmt.Errorf("read the list of known passwords: %w", err)
	}
	if sum != nil {
		_, _ = sum.Write(piece) // never fails
	}
	return nil
}

// parse reads a header and returns the list without its fingerprints, and how
// many these are. Within these bounds no password leads outside them.
func parse(header []byte) (*List, int, error) {
	if string(header[:8]) != magic || binary.LittleEndian.Uint16(header[8:]) != version || binary.LittleEndian.Uint16(header[10:]) != kindFuse16 {
		return nil, 0, ErrFormat
	}
	count := binary.LittleEndian.Uint32(header[12:])
	length, segments := binary.LittleEndian.Uint32(header[24:]), binary.LittleEndian.Uint32(header[28:])
	if length < minSegment || length > maxSegment || bits.OnesCount32(length) != 1 || segments < 1 || segments > maxFingerprints {
		return nil, 0, ErrSize
	}
	n := (uint64(segments) + 2) * uint64(length)
	if n > maxFingerprints || count < 1 || uint64(count) > min(n, MaxPasswords) {
		return nil, 0, ErrSize
	}
	l := &List{count: uint64(count)}
	l.filter.Seed = binary.LittleEndian.Uint64(header[16:])
	l.filter.SegmentLength, l.filter.SegmentLengthMask = length, length-1
	l.filter.SegmentCount, l.filter.SegmentCountLength = segments, segments*length
	return l, int(n), nil
}
