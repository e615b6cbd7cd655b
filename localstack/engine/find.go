package engine

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
)

// Find returns the lasting engine of a checkout at its address. It does not
// check that it answers; Version does.
func Find(root, address string) (*Engine, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("find engine: %w", err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return nil, fmt.Errorf("find engine: %q has no port", address)
	}
	return at(root, filepath.Join(root, ".local"), port)
}
