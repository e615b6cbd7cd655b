// Package environment is the file that tells scripts, the demo and the tests of
// the deployed stack where the local environment is and who can sign in to it.
// It holds secrets of demo accounts, so only its owner may read it.
package environment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// An Environment is the content of `.local/dev.json`.
type Environment struct {
	BaseURL   string    `json:"base_url"`   // http front on localhost
	TLSURL    string    `json:"tls_url"`    // https front on localhost, under CAFile
	EngineURL string    `json:"engine_url"` // AWS endpoint, under CAFile
	Elsewhere bool      `json:"elsewhere"`  // the engine was started by somebody else
	CAFile    string    `json:"ca_file"`    // certificate authority of engine and front, PEM
	APIID     string    `json:"api_id"`     // HTTP API in the engine
	Region    string    `json:"region"`
	AccessKey string    `json:"access_key"` // the engine's root
	SecretKey string    `json:"secret_key"`
	Workspace Workspace `json:"workspace"`
	Accounts  []Account `json:"accounts"`
}

// A Workspace is the demo workspace.
type Workspace struct {
	Slug string `json:"slug"`
	ID   string `json:"id"`
}

// An Account is a demo account. Its secrets protect nothing but the demo.
type Account struct {
	Role       string `json:"role"`
	Email      string `json:"email"`
	Username   string `json:"username"`
	Password   string `json:"password"`
	TOTPSecret string `json:"totp_secret"` // base32; empty when the account has no factor
	Ready      bool   `json:"ready"`       // false while it is being made
}

// ErrNone says that there is no environment yet.
var ErrNone = errors.New("there is no local environment; run `make up` first")

// File returns the path of the file in a repository.
func File(root string) string { return filepath.Join(root, ".local", "dev.json") }

// Load reads the environment of the repository at root. It fails with ErrNone
// when `make up` has not made one.
func Load(root string) (Environment, error) {
	text, err := os.ReadFile(File(root))
	if errors.Is(err, fs.ErrNotExist) {
		return Environment{}, ErrNone
	}
	if err != nil {
		return Environment{}, fmt.Errorf("read local environment: %w", err)
	}
	var e Environment
	if err := json.Unmarshal(text, &e); err != nil {
		return Environment{}, fmt.Errorf("read local environment: %s: %w", File(root), err)
	}
	return e, nil
}

// Save writes the environment, readable by its owner only, whole or not at all.
func Save(root string, e Environment) error {
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return fmt.Errorf("write local environment: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(File(root)), "dev-*.json") // mode 0600
	if err != nil {
		return fmt.Errorf("write local environment: %w", err)
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(append(text, '\n'))
	if err := errors.Join(err, temporary.Close()); err != nil {
		return fmt.Errorf("write local environment: %w", err)
	}
	if err := os.Rename(temporary.Name(), File(root)); err != nil {
		return fmt.Errorf("write local environment: %w", err)
	}
	return nil
}

// Account returns the account whose username, e-mail address or role is name.
func (e Environment) Account(name string) (Account, bool) {
	for _, account := range e.Accounts {
		if account.Username == name || account.Email == name {
			return account, true
		}
	}
	for _, account := range e.Accounts {
		if account.Role == name {
			return account, true
		}
	}
	return Account{}, false
}
