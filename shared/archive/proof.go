package archive

import (
	"errors"
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// ErrProof is returned for a proof that does not hold.
var ErrProof = errors.New("archive: the proof does not hold")

// A Tree is the part [From, From+len(Leaves)) of a log from which proofs are
// made, with the frontier before it. Base and Leaves come from verified
// objects: the Base of the first, and the Hashes of all.
type Tree struct {
	From   uint64
	Base   []Hash
	Leaves []Hash
}

// Size returns the size of the log at the end of the part.
func (t Tree) Size() uint64 { return t.From + uint64(len(t.Leaves)) }

// Inclusion returns the RFC 6962 audit path of event number index in the log
// of size t.Size(), nearest sibling first. It fails with ErrProof for an event
// outside of the part.
func (t Tree) Inclusion(index uint64) ([]Hash, error) {
	if index < t.From || index >= t.Size() {
		return nil, fmt.Errorf("%w: event %d is not in [%d, %d)", ErrProof, index, t.From, t.Size())
	}
	nodes, err := proof.Inclusion(index, t.Size())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	known, err := t.frontier()
	if err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(nodes.IDs))
	for _, n := range nodes.IDs {
		h, err := t.node(known, n)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, h)
	}
	path, err := nodes.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	result := make([]Hash, len(path))
	for i := range path {
		result[i] = Hash(path[i])
	}
	return result, nil
}

// frontier returns the nodes of Base by their place.
func (t Tree) frontier() (map[compact.NodeID][]byte, error) {
	places := compact.RangeNodes(0, t.From, nil)
	if len(places) != len(t.Base) {
		return nil, fmt.Errorf("%w: the base is no frontier of %d events", ErrProof, t.From)
	}
	known := make(map[compact.NodeID][]byte, len(places))
	for i, n := range places {
		known[n] = t.Base[i][:]
	}
	return known, nil
}

// node returns the hash of a perfect subtree. A left sibling on the path of an
// event of the part is made of whole nodes of Base and of leaves of the part.
func (t Tree) node(known map[compact.NodeID][]byte, n compact.NodeID) ([]byte, error) {
	if h, ok := known[n]; ok {
		return h, nil
	}
	if n.Level == 0 {
		if n.Index < t.From || n.Index >= t.Size() {
			return nil, fmt.Errorf("%w: event %d is needed", ErrProof, n.Index)
		}
		return t.Leaves[n.Index-t.From][:], nil
	}
	left, err := t.node(known, compact.NewNodeID(n.Level-1, 2*n.Index))
	if err != nil {
		return nil, err
	}
	right, err := t.node(known, compact.NewNodeID(n.Level-1, 2*n.Index+1))
	if err != nil {
		return nil, err
	}
	return rfc6962.DefaultHasher.HashChildren(left, right), nil
}

// CheckInclusion reports whether the log that the signed checkpoint closes
// holds leaf as event number index. It fails with ErrCheckpoint or ErrProof.
func CheckInclusion(signed []byte, verifier note.Verifier, index uint64, leaf Hash, path []Hash) error {
	c, err := OpenCheckpoint(signed, verifier)
	if err != nil {
		return err
	}
	hashes := make([][]byte, len(path))
	for i := range path {
		hashes[i] = path[i][:]
	}
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, c.Size, leaf[:], hashes, c.Root[:]); err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	return nil
}
