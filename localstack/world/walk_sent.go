package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// PhoneNumber is planted by a walk.
const PhoneNumber = "+31698765432"

// CodeOf returns the code that a message to a phone says.
func CodeOf(t Text) string {
	said, _, _ := strings.Cut(t.Text, " is your code")
	return strings.ReplaceAll(said, ", ", "")
}

// sent returns the newest code that was mailed to an address or sent to a number.
func (w *Walk) sent(ctx context.Context, to string) (string, error) {
	if err := w.Delivery.Messages(ctx); err != nil {
		return "", err
	}
	var newest time.Time
	var code string
	for _, r := range w.recorders {
		for _, t := range r.Texts() {
			if t.To == to && t.At.After(newest) {
				newest, code = t.At, CodeOf(t)
			}
		}
		for _, m := range r.Mails() {
			if m.To == to && strings.HasPrefix(m.Subject, "Your code") && m.At.After(newest) {
				newest, code = m.At, strings.TrimSpace(strings.Split(m.Text, "\n")[2])
			}
		}
	}
	if code == "" {
		return "", fmt.Errorf("no code was sent to %s", to)
	}
	return code, nil
}

// mailCodes sets up codes by mail, and removes them.
func (w *Walk) mailCodes(ctx context.Context) error {
	factor, err := w.enrolSent(ctx, w.address, map[string]string{"method": "email", "name": "Mail"})
	if err != nil {
		return err
	}
	return w.removed(ctx, factor)
}

// textCodes sets up codes to a phone, by text.
func (w *Walk) textCodes(ctx context.Context) (err error) {
	w.phone, err = w.enrolSent(ctx, PhoneNumber, map[string]string{"method": "phone", "name": "Mobile", "phone": PhoneNumber, "via": "sms"})
	return err
}

// hangUp removes the phone.
func (w *Walk) hangUp(ctx context.Context) error { return w.removed(ctx, w.phone) }

// removed takes a method away.
func (w *Walk) removed(ctx context.Context, factor string) error {
	return w.want(ctx, http.StatusNoContent, "DELETE", "/api/auth/mfa/factors/"+factor+"/", nil, nil, http.StatusNotFound)
}

// patient asks, and asks again when codes were sent too fast: what failed may
// have been sent.
func (w *Walk) patient(ctx context.Context, path string, body map[string]string) (string, error) {
	for range tries {
		a, _, err := w.ask(ctx, w.Me, "POST", path, body)
		if err != nil {
			return "", err
		}
		switch {
		case a.Status == http.StatusCreated:
			var out struct{ ID string }
			err := json.Unmarshal(a.Body, &out)
			return out.ID, err
		case a.Status == http.StatusTooManyRequests:
			seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
			if err != nil {
				return "", err
			}
			w.World.Clock.Advance(time.Duration(seconds) * time.Second)
		case a.Status == http.StatusUnauthorized:
			if err := w.SignIn(ctx); err != nil {
				return "", err
			}
		case a.Problem().Code == "auth_mfa_required":
			if err := w.prove(ctx, "step_up"); err != nil {
				return "", err
			}
		default:
			return "", fmt.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	return "", fmt.Errorf("%s: asked %d times", path, tries)
}

func (w *Walk) enrolSent(ctx context.Context, to string, body map[string]string) (factor string, err error) {
	const factors = "/api/auth/mfa/factors/"
	for range tries {
		if factor, err = w.patient(ctx, factors, body); err != nil {
			return "", err
		}
		code, err := w.sent(ctx, to)
		if err != nil {
			return "", err
		}
		a, failed, err := w.ask(ctx, w.Me, "POST", factors+factor+"/confirm/", map[string]string{"code": code})
		switch {
		case err != nil:
			return "", err
		case a.Status == http.StatusOK:
			return factor, nil
		case failed && a.Status == http.StatusUnauthorized: // it was carried out, its handle lost
			return factor, w.SignIn(ctx)
		case a.Status != http.StatusNotFound: // its session was replaced on the way
			return "", fmt.Errorf("confirm: %d %s", a.Status, a.Body)
		}
	}
	return "", errors.New("no method was confirmed")
}

// proveByCall steps up with a code that a call reads out.
func (w *Walk) proveByCall(ctx context.Context) error {
	const challenges = "/api/auth/mfa/challenges/"
	challenge, err := w.patient(ctx, challenges, map[string]string{"method": "phone", "purpose": "step_up", "via": "voice"})
	if err != nil {
		return err
	}
	code, err := w.sent(ctx, PhoneNumber)
	if err != nil {
		return err
	}
	if err := w.shown(ctx, challenges+challenge+"/"); err != nil {
		return err
	}
	a, failed, err := w.ask(ctx, w.Me, "POST", challenges+challenge+"/verify/", map[string]string{"code": code})
	if err != nil || a.Status == http.StatusOK {
		return err
	}
	if failed && a.Status == http.StatusUnauthorized { // it was carried out, its handle lost
		return w.SignIn(ctx)
	}
	return fmt.Errorf("verify: %d %s", a.Status, a.Body)
}

// shown asks what became of a code: it was sent.
func (w *Walk) shown(ctx context.Context, path string) error {
	a, _, err := w.ask(ctx, w.Me, "GET", path, nil)
	if err != nil {
		return err
	}
	var out struct{ Delivery string }
	if err := json.Unmarshal(a.Body, &out); err != nil || a.Status != http.StatusOK || out.Delivery != "sent" {
		return fmt.Errorf("%s: %d %s", path, a.Status, a.Body)
	}
	return nil
}
