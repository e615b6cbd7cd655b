package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"paddock/localstack/authenticator"
)

// register sets up a device that verifies its owner.
func (w *Walk) register(ctx context.Context) error {
	for range tries {
		k, err := authenticator.Device(Origin(w.Slug))
		if err != nil {
			return err
		}
		var asked struct {
			ID       string
			WebAuthn json.RawMessage
		}
		if err := w.want(ctx, http.StatusCreated, "POST", "/api/auth/mfa/factors/", map[string]string{"method": "biometric", "name": "Laptop"}, &asked); err != nil {
			return err
		}
		answer, err := k.Create(asked.WebAuthn)
		if err != nil {
			return err
		}
		w.key, w.keyed = k, asked.ID
		a, failed, err := w.ask(ctx, w.Me, "POST", "/api/auth/mfa/factors/"+asked.ID+"/confirm/", map[string]any{"credential": answer})
		switch {
		case err != nil:
			return err
		case a.Status == http.StatusOK:
			return nil
		case failed && a.Status == http.StatusUnauthorized: // it was carried out, its handle lost
			return w.SignIn(ctx)
		default:
			return fmt.Errorf("confirm: %d %s", a.Status, a.Body)
		}
	}
	return errors.New("no key was confirmed")
}

// unplug removes the device.
func (w *Walk) unplug(ctx context.Context) error { return w.removed(ctx, w.keyed) }

// proveByKey steps up with the device. A proof that was carried out and lost with
// its handle is as good as a sign-in anew.
func (w *Walk) proveByKey(ctx context.Context) error {
	var asked struct {
		ID       string
		WebAuthn json.RawMessage
	}
	if err := w.want(ctx, http.StatusCreated, "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "biometric", "purpose": "step_up"}, &asked); err != nil {
		return err
	}
	answer, err := w.key.Get(asked.WebAuthn)
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

// passkey signs in with the device alone. A sign-in whose answer was lost used its
// challenge up, and is begun anew.
func (w *Walk) passkey(ctx context.Context) error {
	for range tries {
		var asked struct {
			ID       string
			WebAuthn json.RawMessage
		}
		if err := w.want(ctx, http.StatusCreated, "POST", "/api/auth/passkey/challenges/", nil, &asked); err != nil {
			return err
		}
		answer, err := w.key.Get(asked.WebAuthn)
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
