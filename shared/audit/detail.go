package audit

import (
	"crypto/sha256"
	"encoding/binary"
)

// Detach returns e small enough for an item of limit bytes: when the stored
// form is longer and e has changes, the changes become the detail, which goes
// to a sealed item of its own, and e carries its SHA-256. Otherwise detail is
// nil and e is as it was. The error is that of AppendEncode.
func Detach(e Event, limit int) (slim Event, detail []byte, err error) {
	whole, err := Encode(e)
	if err != nil {
		return Event{}, nil, err
	}
	if len(whole) <= limit || len(e.Changes) == 0 {
		return e, nil, nil
	}
	w := writer{b: []byte{version}}
	w.changes(e.Changes)
	e.Changes, e.DetailHash = nil, sha256.Sum256(w.b)
	return e, w.b, nil
}

// Attach returns slim with the changes of its detail, or ErrMalformed when the
// detail is not the one that slim carries the hash of.
func Attach(slim Event, detail []byte) (Event, error) {
	if sha256.Sum256(detail) != slim.DetailHash || len(detail) == 0 || detail[0] != version {
		return Event{}, ErrMalformed
	}
	r := reader{b: detail[1:]}
	changes := r.changes()
	if r.bad || len(r.b) > 0 {
		return Event{}, ErrMalformed
	}
	slim.Changes, slim.DetailHash = changes, [32]byte{}
	return slim, nil
}

// UIDOf returns the uid of a stored event without decoding the rest, for
// indexes; ok is false when b is no stored event.
func UIDOf(b []byte) (uid [16]byte, ok bool) {
	if len(b) < 20 || b[0] != version {
		return uid, false
	}
	if _, err := kindOf(binary.BigEndian.Uint16(b[1:3]), b[3]); err != nil {
		return uid, false
	}
	copy(uid[:], b[4:20])
	return uid, true
}
