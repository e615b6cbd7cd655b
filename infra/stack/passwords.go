package stack

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aws/jsii-runtime-go"

	"paddock/shared/credential/known"
)

// passwordFile names the list of known passwords in the archive of signin.
const passwordFile = "passwords.filter"

// passwordVariables returns what signin needs to find lists of known passwords:
// nothing by default.
func (s *deployment) passwordVariables() map[string]*string {
	out := map[string]*string{}
	if s.props.PasswordFilter != "" {
		out["PADDOCK_PASSWORD_FILTER"] = jsii.String(passwordFile)
	}
	if s.props.PasswordRangeURL != "" {
		out["PADDOCK_PASSWORD_RANGE_URL"] = jsii.String(s.props.PasswordRangeURL)
	}
	return out
}

// withPasswords copies a function's folder, and the list of known passwords
// beside its program, to a folder that done removes.
func withPasswords(folder, list string) (copied string, done func() error, err error) {
	if _, err := known.Open(list); err != nil {
		return "", nil, fmt.Errorf("%w: passwordFilter: %w", ErrSetting, err)
	}
	copied, err = os.MkdirTemp("", "paddock-signin")
	if err != nil {
		return "", nil, err
	}
	done = func() error { return os.RemoveAll(copied) }
	err = errors.Join(os.CopyFS(copied, os.DirFS(folder)), copyFile(filepath.Join(copied, passwordFile), list))
	if err != nil {
		return "", nil, errors.Join(err, done())
	}
	return copied, done, nil
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
