package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"paddock/localstack/visitor"
)

// password gives the password.
func (w *Walk) password(ctx context.Context, v *visitor.Visitor) error {
	a, _, err := w.ask(ctx, v, "POST", "/api/auth/signin/", map[string]string{"login": Username, "password": w.word})
	if err == nil && a.Status != http.StatusOK {
		err = fmt.Errorf("sign in: %d %s", a.Status, a.Body)
	}
	return err
}

// SignIn signs in by password and, once there is one, by code.
func (w *Walk) SignIn(ctx context.Context) error {
	if err := w.password(ctx, w.Me); err != nil {
		return err
	}
	if w.Secret == "" {
		return nil
	}
	return w.prove(ctx, "login")
}

// stale is the age at which Fresh replaces a proof, well within the shortest
// timeout that a walk sets.
const stale = 5 * time.Minute

// Fresh makes sure that the walker is signed in with a fresh proof.
func (w *Walk) Fresh(ctx context.Context) error {
	if w.World.Clock.Now().Sub(w.proved) < stale {
		return nil
	}
	a, _, err := w.ask(ctx, w.Me, "GET", "/api/status/", nil)
	if err != nil {
		return err
	}
	if a.Status == http.StatusOK {
		return w.prove(ctx, "step_up")
	}
	return w.SignIn(ctx)
}

// code returns the next code of the app: a code opens once, so the clock moves
// on first.
func (w *Walk) code() (string, error) {
	w.World.Clock.Advance(31 * time.Second)
	return visitor.Code(w.Secret, w.World.Clock.Now())
}

// prove answers a challenge with a code. What was lost on the way is begun
// anew.
func (w *Walk) prove(ctx context.Context, purpose string) error {
	for range tries {
		a, _, err := w.ask(ctx, w.Me, "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "otp", "purpose": purpose})
		if err != nil {
			return err
		}
		if a.Status == http.StatusUnauthorized { // the handle was lost
			if err := w.password(ctx, w.Me); err != nil {
				return err
			}
			purpose = "login"
			continue
		}
		var challenge struct{ ID string }
		if err := json.Unmarshal(a.Body, &challenge); err != nil || a.Status != http.StatusCreated {
			return fmt.Errorf("challenge: %d %s", a.Status, a.Body)
		}
		code, err := w.code()
		if err != nil {
			return err
		}
		a, failed, err := w.ask(ctx, w.Me, "POST", "/api/auth/mfa/challenges/"+challenge.ID+"/verify/", map[string]string{"code": code})
		if err != nil {
			return err
		}
		if a.Status == http.StatusOK {
			w.proved = w.World.Clock.Now()
			return nil
		}
		if !failed {
			return fmt.Errorf("verify: %d %s", a.Status, a.Body)
		}
		if a.Status == http.StatusUnauthorized {
			if err := w.password(ctx, w.Me); err != nil {
				return err
			}
			purpose = "login"
		}
	}
	return errors.New("no proof was accepted")
}

func (w *Walk) enrol(ctx context.Context) error {
	for range tries {
		var factor struct{ ID, Secret string }
		if err := w.want(ctx, http.StatusCreated, "POST", "/api/auth/mfa/factors/", map[string]string{"method": "otp", "name": "Phone"}, &factor); err != nil {
			return err
		}
		w.Secret = factor.Secret
		code, err := w.code()
		if err != nil {
			return err
		}
		a, failed, err := w.ask(ctx, w.Me, "POST", "/api/auth/mfa/factors/"+factor.ID+"/confirm/", map[string]string{"code": code})
		if err != nil {
			return err
		}
		var done struct {
			RecoveryCodes []string `json:"recovery_codes"`
		}
		switch {
		case a.Status == http.StatusOK:
			w.Factors = append(w.Factors, factor.ID)
			if err := json.Unmarshal(a.Body, &done); err != nil {
				return err
			}
			if len(done.RecoveryCodes) > 0 {
				w.Codes = done.RecoveryCodes
			}
			return nil
		case failed && a.Status == http.StatusUnauthorized: // it was carried out, its handle lost
			w.Factors = append(w.Factors, factor.ID)
			return w.SignIn(ctx)
		default:
			return fmt.Errorf("confirm: %d %s", a.Status, a.Body)
		}
	}
	return errors.New("no enrolment was confirmed")
}

func (w *Walk) signInAnew(ctx context.Context) error {
	a, failed, err := w.ask(ctx, w.Me, "POST", "/api/auth/logout/", nil)
	if err != nil {
		return err
	}
	if a.Status != http.StatusNoContent && (!failed || a.Status != http.StatusUnauthorized) {
		return fmt.Errorf("logout: %d %s", a.Status, a.Body)
	}
	return w.SignIn(ctx)
}

func (w *Walk) newCodes(ctx context.Context) error {
	var out struct {
		RecoveryCodes []string `json:"recovery_codes"`
	}
	err := w.want(ctx, http.StatusCreated, "POST", "/api/auth/mfa/recovery-codes/", nil, &out)
	w.Codes = out.RecoveryCodes
	return err
}

func (w *Walk) secondMethod(ctx context.Context) error {
	if err := w.enrol(ctx); err != nil {
		return err
	}
	first := w.Factors[0]
	w.Factors = w.Factors[1:]
	return w.want(ctx, http.StatusNoContent, "DELETE", "/api/auth/mfa/factors/"+first+"/", nil, nil, http.StatusNotFound)
}

func (w *Walk) recover(ctx context.Context) error {
	if len(w.Codes) < tries {
		if err := w.newCodes(ctx); err != nil {
			return err
		}
	}
	lost := w.Entries.Visitor(w.Slug, "198.51.100.9")
	for range tries {
		code := w.Codes[0]
		w.Codes = w.Codes[1:]
		if err := w.password(ctx, lost); err != nil {
			return err
		}
		a, _, err := w.ask(ctx, lost, "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "recovery_code", "purpose": "login"})
		if err != nil {
			return err
		}
		var challenge struct{ ID string }
		if err := json.Unmarshal(a.Body, &challenge); err != nil || a.Status != http.StatusCreated {
			return fmt.Errorf("challenge: %d %s", a.Status, a.Body)
		}
		a, failed, err := w.ask(ctx, lost, "POST", "/api/auth/mfa/challenges/"+challenge.ID+"/verify/", map[string]string{"code": code})
		if err != nil {
			return err
		}
		if a.Status == http.StatusOK {
			return nil
		}
		if !failed {
			return fmt.Errorf("verify: %d %s", a.Status, a.Body)
		}
	}
	return errors.New("no recovery code was accepted")
}
