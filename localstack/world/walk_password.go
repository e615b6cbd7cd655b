package world

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// word returns the n-th password of the walk.
func word(n int) string { return fmt.Sprintf("%s-%d", Password, n) }

// changePassword replaces the password by another one. A change whose answer
// was lost shows at the next sign-in.
func (w *Walk) changePassword(ctx context.Context) error {
	w.words++
	next := word(w.words)
	for range tries {
		a, failed, err := w.ask(ctx, w.Me, "POST", "/api/auth/password/change/", map[string]string{"current": w.word, "password": next})
		if err != nil {
			return err
		}
		switch {
		case a.Status == http.StatusOK:
			w.word = next
			return nil
		case a.Status == http.StatusUnauthorized && failed: // it was carried out
			w.word = next
			return w.SignIn(ctx)
		case a.Status == http.StatusUnauthorized: // the session had come to its end
			if err := w.SignIn(ctx); err != nil {
				return err
			}
		default:
			return fmt.Errorf("change the password: %d %s", a.Status, a.Body)
		}
	}
	return errors.New("the password was not changed")
}

// opened posts the newest link of a page that was mailed to an address. A link
// that an answer was lost of has been used.
func (w *Walk) opened(ctx context.Context, to, page, path string, body map[string]string) error {
	if err := w.Delivery.All(ctx); err != nil {
		return err
	}
	secret, err := w.Link(to, page)
	if err != nil {
		return err
	}
	body["token"] = secret
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.12")
	a, failed, err := w.ask(ctx, stranger, "POST", path, body)
	if err != nil {
		return err
	}
	if a.Status != http.StatusNoContent && (!failed || a.Status != http.StatusNotFound) {
		return fmt.Errorf("%s: %d %s", path, a.Status, bytes.TrimSpace(a.Body))
	}
	return nil
}

// forget asks for a link to choose a new password, and chooses one.
func (w *Walk) forget(ctx context.Context) error {
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.12")
	a, _, err := w.ask(ctx, stranger, "POST", "/api/auth/password/forgot/", map[string]string{"login": Username})
	if err != nil {
		return err
	}
	if a.Status != http.StatusAccepted {
		return fmt.Errorf("forgot: %d %s", a.Status, a.Body)
	}
	return w.choose(ctx)
}

// choose sets a new password with the link that was mailed, and signs in.
func (w *Walk) choose(ctx context.Context) error {
	w.words++
	if err := w.opened(ctx, w.address, "/reset-password", "/api/auth/password/reset/", map[string]string{"password": word(w.words)}); err != nil {
		return err
	}
	w.word = word(w.words)
	return w.SignIn(ctx)
}

// ownAddress asks for another address of one's own.
func (w *Walk) ownAddress(ctx context.Context) error {
	w.World.Clock.Advance(12 * time.Hour) // a day has few new addresses
	w.guests++
	w.fresh = fmt.Sprintf("moved%d.%s", w.guests, Colleague)
	return w.want(ctx, http.StatusOK, "PATCH", "/api/iam/users/-/", map[string]string{"email": w.fresh}, nil)
}

// confirm opens the link that went to the new address.
func (w *Walk) confirm(ctx context.Context) error {
	if err := w.opened(ctx, w.fresh, "/confirm-email", "/api/auth/email/confirm/", map[string]string{}); err != nil {
		return err
	}
	var me struct{ Email string }
	if err := w.want(ctx, http.StatusOK, "GET", "/api/iam/users/-/", nil, &me); err != nil {
		return err
	}
	if me.Email != w.fresh {
		return errors.New("the address was not changed")
	}
	if w.address != w.fresh {
		w.previous, w.address = w.address, w.fresh
	}
	return nil
}

// moved takes another address.
func (w *Walk) moved(ctx context.Context) error {
	if err := w.ownAddress(ctx); err != nil {
		return err
	}
	return w.confirm(ctx)
}

// undo opens the link that went to the address before.
func (w *Walk) undo(ctx context.Context) error {
	err := w.opened(ctx, w.previous, "/undo-email", "/api/auth/email/undo/", map[string]string{})
	if err == nil {
		w.address = w.previous
	}
	return err
}

// report says that a change of the password was somebody else's.
func (w *Walk) report(ctx context.Context) error {
	return w.opened(ctx, w.address, "/not-me", "/api/auth/report/", map[string]string{})
}
