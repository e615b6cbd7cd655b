package engine

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
)

// Find returns the engine at an address, whoever started it; caFile is the
// authority to trust, "" that of the checkout. It does not check that it
// answers; Version does. Stop does nothing: what it finds it did not start.
func Find(root, address, caFile string) (*Engine, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" {
		return nil, fmt.Errorf("find engine: %q is not of the form https://host:port", address)
	}
	port := 443
	if u.Scheme == "http" {
		port = 80
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, fmt.Errorf("find engine: %w", err)
		}
	}
	e, err := trusting(root, filepath.Join(root, ".local"), caFile)
	if err != nil {
		return nil, fmt.Errorf("find engine: %w", err)
	}
	e.URL, e.Port = address, port
	return e, nil
}
