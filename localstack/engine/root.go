package engine

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
)

// FindRoot returns the repository that the working directory lies in: the
// nearest folder above with the go.mod of module paddock.
func FindRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && bytes.HasPrefix(text, []byte("module paddock\n")) {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("not inside the Paddock repository")
		}
		folder = parent
	}
}
