package journey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"paddock/localstack/visitor"
)

// step is the length of a one-time code's time step, and a little more.
const step = 31 * time.Second

// prove opens a challenge and answers it with the code of now.
func (w *walk) prove(ctx context.Context, v *visitor.Visitor, purpose string) (code string, err error) {
	a, err := w.exchange(ctx, v, http.StatusCreated, "", "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "otp", "purpose": purpose})
	if err != nil {
		return "", err
	}
	var challenge struct{ ID string }
	if err := json.Unmarshal(a.Body, &challenge); err != nil {
		return "", err
	}
	if code, err = visitor.Code(w.secret, w.now()); err != nil {
		return "", err
	}
	_, err = w.exchange(ctx, v, http.StatusOK, "", "POST", "/api/auth/mfa/challenges/"+challenge.ID+"/verify/", map[string]string{"code": code})
	return code, err
}

func (w *walk) signIn(ctx context.Context) error {
	if _, err := w.exchange(ctx, w.me, http.StatusNoContent, "", "POST", "/api/auth/logout/", nil); err != nil {
		return err
	}
	login := map[string]string{"login": "tina", "password": "wrong-horse-battery-lamp"}
	if _, err := w.exchange(ctx, w.me, http.StatusUnauthorized, "invalid_credentials", "POST", "/api/auth/signin/", login); err != nil {
		return err
	}
	login["password"] = password
	if _, err := w.exchange(ctx, w.me, http.StatusOK, "", "POST", "/api/auth/signin/", login); err != nil {
		return err
	}
	if err := w.advance(step); err != nil {
		return err
	}
	code, err := w.prove(ctx, w.me, "login")
	if err != nil {
		return err
	}
	// The same code again, in another browser: refused.
	other := w.browser()
	if _, err := w.exchange(ctx, other, http.StatusOK, "", "POST", "/api/auth/signin/", login); err != nil {
		return err
	}
	a, err := w.exchange(ctx, other, http.StatusCreated, "", "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "otp", "purpose": "login"})
	if err != nil {
		return err
	}
	var challenge struct{ ID string }
	if err := json.Unmarshal(a.Body, &challenge); err != nil {
		return err
	}
	if _, err := w.exchange(ctx, other, http.StatusForbidden, "mfa_code_invalid", "POST", "/api/auth/mfa/challenges/"+challenge.ID+"/verify/", map[string]string{"code": code}); err != nil {
		return err
	}
	// The CLI's password login cannot ask for the code.
	_, err = w.exchange(ctx, w.browser(), http.StatusForbidden, "mfa_required", "POST", "/api/auth/login/", map[string]string{"username": "tina", "password": password})
	return err
}

const security = "/api/workspaces/security/-/"

func (w *walk) freshChange(ctx context.Context) error {
	_, err := w.exchange(ctx, w.me, http.StatusOK, "", "PATCH", security, map[string]int{"mfa_timeout": 600})
	return err
}

func (w *walk) stepUp(ctx context.Context) error {
	if err := w.advance(10 * time.Minute); err != nil {
		return err
	}
	a, err := w.exchange(ctx, w.me, http.StatusForbidden, "auth_mfa_required", "PATCH", security, map[string]int{"mfa_timeout": 1200})
	if err != nil {
		return err
	}
	if a.Header.Get("WWW-Authenticate") == "" {
		return errors.New("no WWW-Authenticate header (RFC 9470)")
	}
	before := w.me.Cookie()
	if _, err := w.prove(ctx, w.me, "step_up"); err != nil {
		return err
	}
	if before == w.me.Cookie() {
		return errors.New("the session kept its handle at a step-up")
	}
	_, err = w.exchange(ctx, w.me, http.StatusOK, "", "PATCH", security, map[string]int{"mfa_timeout": 1200})
	return err
}

func (w *walk) lower(ctx context.Context) error {
	if err := w.advance(2 * time.Minute); err != nil {
		return err
	}
	if _, err := w.exchange(ctx, w.me, http.StatusOK, "", "PATCH", security, map[string]int{"mfa_timeout": 60}); err != nil {
		return err
	}
	if _, err := w.exchange(ctx, w.me, http.StatusForbidden, "auth_mfa_required", "PATCH", security, map[string]int{"mfa_timeout": 900}); err != nil {
		return err
	}
	if _, err := w.prove(ctx, w.me, "step_up"); err != nil {
		return err
	}
	_, err := w.exchange(ctx, w.me, http.StatusOK, "", "PATCH", security, map[string]int{"mfa_timeout": 900})
	return err
}

func (w *walk) bounds(ctx context.Context) error {
	for _, body := range []string{
		`{"mfa_timeout":59}`, `{"mfa_timeout":86401}`, `{"mfa_timeout":"900"}`, `{"mfa_timeout":60.5}`, `{"mfa_timeout":null}`,
		`{"mfa_timeout":1e300}`, `{"mfa_timeout":9223372036854775807}`, `{"allowed_mfa_methods":["pigeon"]}`,
	} {
		a, err := w.me.Do(ctx, "PATCH", security, json.RawMessage(body))
		if err != nil {
			return err
		}
		fmt.Fprintf(w.Out, "   PATCH %s %s -> %d %s (%s)\n", security, body, a.Status, a.Problem().Code, a.Problem().Source)
		if a.Status != http.StatusBadRequest || !slices.Contains([]string{"mfa_timeout", "allowed_mfa_methods"}, a.Problem().Source) {
			return fmt.Errorf("%s answered %d: %s", body, a.Status, a.Body)
		}
	}
	return nil
}

func (w *walk) recovery(ctx context.Context) error {
	login := map[string]string{"login": "tina", "password": password}
	use := func(v *visitor.Visitor, status int, code string) error {
		if _, err := w.exchange(ctx, v, http.StatusOK, "", "POST", "/api/auth/signin/", login); err != nil {
			return err
		}
		a, err := w.exchange(ctx, v, http.StatusCreated, "", "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "recovery_code", "purpose": "login"})
		if err != nil {
			return err
		}
		var challenge struct{ ID string }
		if err := json.Unmarshal(a.Body, &challenge); err != nil {
			return err
		}
		_, err = w.exchange(ctx, v, status, code, "POST", "/api/auth/mfa/challenges/"+challenge.ID+"/verify/", map[string]string{"code": w.codes[0]})
		return err
	}
	lost := w.browser()
	if err := use(lost, http.StatusOK, ""); err != nil {
		return err
	}
	if _, err := w.exchange(ctx, lost, http.StatusForbidden, "enrolment_required", "GET", security, nil); err != nil {
		return err
	}
	if _, err := w.exchange(ctx, lost, http.StatusOK, "", "GET", "/api/auth/mfa/factors/", nil); err != nil {
		return err
	}
	return use(w.browser(), http.StatusForbidden, "mfa_code_invalid")
}

// rows are the audit rows that the journey looks at.
type rows struct {
	Next    string
	Results []struct {
		ID, Code, Event string
		StatusCode      int `json:"status_code"`
		Privileged      bool
		Changes         []struct{ Path, Before, After string }
	}
}

func (w *walk) audit(ctx context.Context) error {
	var codes []string
	changed := false
	for cursor := ""; ; {
		var page rows
		if err := w.me.Want(ctx, http.StatusOK, "GET", "/api/audit/activity/?page_size=10"+cursor, nil, &page); err != nil {
			return err
		}
		for _, r := range page.Results {
			codes = append(codes, r.Code)
			for _, c := range r.Changes {
				changed = changed || r.Privileged && r.StatusCode == http.StatusOK && c.Path == "mfa_timeout" && c.Before == "600" && c.After == "1200"
			}
		}
		if page.Next == "" {
			break
		}
		cursor = "&cursor=" + page.Next
	}
	fmt.Fprintf(w.Out, "   GET /api/audit/activity/ -> %d events: %v\n", len(codes), codes)
	if !changed {
		return errors.New("the change of mfa_timeout from 600 to 1200 is not in the log as a privileged act that was answered with 200")
	}
	for _, want := range []string{"PD8000I", "PD4000I", "PD4001I", "PD4013I", "PD2000I", "PD2005I", "PD1000I", "PD1000W", "PD1001I", "PD1002I", "PD2003I", "PD2004I", "PD2004W", "PD2007I", "PD2008I", "PD2010I", "PD2006W", "PD2006E"} {
		if !slices.Contains(codes, want) {
			return fmt.Errorf("no event %s in the log", want)
		}
	}
	return nil
}
