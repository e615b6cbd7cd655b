package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"paddock/localstack/authenticator"
)

// keys sets up a device that verifies its owner, steps up with it, signs in
// with it alone, and removes it.
func (w *Walk) keys(ctx context.Context) error {
	k, factor, err := w.register(ctx)
	if err != nil {
		return err
	}
	if err := w.proveByKey(ctx, k); err != nil {
		return err
	}
	if err := w.passkey(ctx, k); err != nil {
		return err
	}
	return w.want(ctx, http.StatusNoContent, "DELETE", "/api/auth/mfa/factors/"+factor+"/", nil, nil, http.StatusNotFound)
}

func (w *Walk) register(ctx context.Context) (k *authenticator.Key, factor string, err error) {
	for range tries {
		if k, err = authenticator.Device(Origin(w.Slug)); err != nil {
			return nil, "", err
		}
		var asked struct {
			ID       string
			WebAuthn json.RawMessage
		}
		if err := w.want(ctx, http.StatusCreated, "POST", "/api/auth/mfa/factors/", map[string]string{"method": "biometric", "name": "Laptop"}, &asked); err != nil {
			return nil, "", err
		}
		answer, err := k.Create(asked.WebAuthn)
		if err != nil {
			return nil, "", err
		}
		a, failed, err := w.ask(ctx, w.Me, "POST", "/api/auth/mfa/factors/"+asked.ID+"/confirm/", map[string]any{"credential": answer})
		switch {
		case err != nil:
			return nil, "", err
		case a.Status == http.StatusOK:
			return k, asked.ID, nil
		case failed && a.Status == http.StatusUnauthorized: // it was carried out, its handle lost
			return k, asked.ID, w.SignIn(ctx)
		default:
			return nil, "", fmt.Errorf("confirm: %d %s", a.Status, a.Body)
		}
	}
	return nil, "", errors.New("no key was confirmed")
}

// proveByKey steps up with a key. A proof that was carried out and lost with
// its handle is as good as a sign-in anew.
func (w *Walk) proveByKey(ctx context.Context, k *authenticator.Key) error {
	var asked struct {
		ID       string
		WebAuthn json.RawMessage
	}
	if err := w.want(ctx, http.StatusCreated, "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "biometric", "purpose": "step_up"}, &asked); err != nil {
		return err
	}
	answer, err := k.Get(asked.WebAuthn)
	if err != nil {
		return err
	}
	a, failed, err := w.ask(ctx, w.Me, "POST", "/api/auth/mfa/challenges/"+asked.ID+"/verify/", map[string]any{"credential": answer})
	if err != nil || a.Status == http.StatusOK {
		return err
	}
	if failed && a.Status == http.StatusUnauthorized {
		return w.SignIn(ctx)
	}
	return fmt.Errorf("verify: %d %s", a.Status, a.Body)
}

// passkey signs in with a key alone. A sign-in whose answer was lost used its
// challenge up, and is begun anew.
func (w *Walk) passkey(ctx context.Context, k *authenticator.Key) error {
	for range tries {
		var asked struct {
			ID       string
			WebAuthn json.RawMessage
		}
		if err := w.want(ctx, http.StatusCreated, "POST", "/api/auth/passkey/challenges/", nil, &asked); err != nil {
			return err
		}
		answer, err := k.Get(asked.WebAuthn)
		if err != nil {
			return err
		}
		a, failed, err := w.ask(ctx, w.Me, "POST", "/api/auth/passkey/challenges/"+asked.ID+"/verify/", map[string]any{"credential": answer})
		if err != nil {
			return err
		}
		if a.Status == http.StatusOK {
			w.proved = w.World.Clock.Now()
			return nil
		}
		if !failed || a.Status != http.StatusNotFound {
			return fmt.Errorf("passkey: %d %s", a.Status, a.Body)
		}
	}
	return errors.New("no passkey was accepted")
}
