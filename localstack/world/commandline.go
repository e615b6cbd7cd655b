package world

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"paddock/localstack/visitor"
)

// A CommandLine is what the command line keeps of a device login.
type CommandLine struct {
	Visit   *visitor.Visitor
	Device  string // of the installation
	Codes   []string
	Refresh string
	Access  string
}

// Scope is what a command line asks of a workspace for an installation.
func Scope(slug, device string) string {
	return "openid profile email offline_access cli org:" + slug + " device:" + device
}

// Opened is the answer of a device login that begins.
type Opened struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int    `json:"expires_in"`
	Interval                int    `json:"interval"`
}

// Device names the installation of a walk's command line.
const Device = "6c0f3f5a-3b5e-4f1e-9d57-0a4c8d1b2e37"

// client is the client_id of command lines.
const client = "paddock-cli"

// PollBody is what a command line polls with.
func PollBody(deviceCode string) map[string]string {
	return map[string]string{"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": deviceCode, "client_id": client}
}

// RefreshBody is what a command line refreshes with.
func RefreshBody(slug, device, token string) map[string]string {
	return map[string]string{"grant_type": "refresh_token", "client_id": client, "refresh_token": token, "scope": "cli org:" + slug + " device:" + device}
}

// deviceLogin signs a command line in, works with it, renews its token and signs
// it out.
func (w *Walk) deviceLogin(ctx context.Context) error {
	line, err := w.CommandLine(ctx)
	if err != nil {
		return err
	}
	a, _, err := w.ask(ctx, line.Visit, "GET", "/api/status/", nil)
	if err != nil || a.Status != http.StatusOK {
		return fmt.Errorf("an access token opens nothing: %d %s: %w", a.Status, a.Body, err)
	}
	a, _, err = w.ask(ctx, line.Visit, "POST", "/oauth/token/", RefreshBody(w.Slug, line.Device, line.Refresh))
	if err != nil || a.Status != http.StatusOK {
		return fmt.Errorf("refresh: %d %s: %w", a.Status, a.Body, err)
	}
	a, failed, err := w.ask(ctx, line.Visit, "POST", "/api/auth0/token/blacklist/", nil)
	if err != nil || a.Status != http.StatusNoContent && (!failed || a.Status != http.StatusUnauthorized) {
		return fmt.Errorf("blacklist: %d %s: %w", a.Status, a.Body, err)
	}
	a, _, err = w.ask(ctx, line.Visit, "POST", "/oauth/revoke/", map[string]string{"client_id": client, "token": line.Refresh})
	if err != nil || a.Status != http.StatusOK {
		return fmt.Errorf("revoke: %d %s: %w", a.Status, a.Body, err)
	}
	return nil
}

// CommandLine signs a command line in by device login. A login whose code was
// lost on the way is begun anew.
func (w *Walk) CommandLine(ctx context.Context) (*CommandLine, error) {
	v := w.Entries.Visitor(w.Slug, "198.51.100.44")
	for range tries {
		var opened Opened
		a, _, err := w.ask(ctx, v, "POST", "/oauth/device/code/", map[string]string{"client_id": client, "scope": Scope(w.Slug, Device), "audience": Origin(w.Slug)})
		if err != nil {
			return nil, err
		}
		if err := a.Decode(http.StatusOK, &opened); err != nil {
			return nil, fmt.Errorf("begin a device login: %w", err)
		}
		a, _, err = w.ask(ctx, v, "POST", "/oauth/token/", PollBody(opened.DeviceCode))
		if err != nil || a.OAuthError() != "authorization_pending" {
			return nil, fmt.Errorf("the first poll: %d %s: %w", a.Status, a.Body, err)
		}
		code := map[string]string{"user_code": opened.UserCode}
		if err := w.want(ctx, http.StatusOK, "POST", "/api/auth/device/lookup/", code, nil); err != nil {
			return nil, err
		}
		if err := w.want(ctx, http.StatusNoContent, "POST", "/api/auth/device/approve/", code, nil, http.StatusNotFound); err != nil {
			return nil, err
		}
		a, failed, err := w.ask(ctx, v, "POST", "/oauth/token/", PollBody(opened.DeviceCode))
		if err != nil {
			return nil, err
		}
		if failed && a.OAuthError() == "invalid_grant" { // it was redeemed, its tokens lost
			continue
		}
		var tokens struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
		}
		if err := a.Decode(http.StatusOK, &tokens); err != nil {
			return nil, fmt.Errorf("redeem: %w", err)
		}
		v.Access = tokens.Access
		codes := []string{opened.DeviceCode, opened.UserCode, strings.ReplaceAll(opened.UserCode, "-", "")}
		return &CommandLine{Visit: v, Device: Device, Codes: codes, Refresh: tokens.Refresh, Access: tokens.Access}, nil
	}
	return nil, errors.New("no device login was redeemed")
}

// signLineIn signs a command line in that stays.
func (w *Walk) signLineIn(ctx context.Context) (err error) {
	w.line, err = w.CommandLine(ctx)
	return err
}

// verifyLine verifies in the browser for the command line that asks.
func (w *Walk) verifyLine(ctx context.Context) error {
	v := *w.line.Visit
	v.Client = w.Entries.client("198.51.100.44")
	var asked struct {
		URL string `json:"mfa_url"`
	}
	a, _, err := w.ask(ctx, &v, "GET", "/api/auth0/mfa/?location=cli", nil)
	if err != nil {
		return err
	}
	if err := a.Decode(http.StatusOK, &asked); err != nil {
		return fmt.Errorf("ask for a verification: %w", err)
	}
	_, token, _ := strings.Cut(asked.URL, "#")
	if err := w.want(ctx, http.StatusNoContent, "POST", "/api/auth/mfa/requests/give/", map[string]string{"token": token}, nil, http.StatusNotFound); err != nil {
		return err
	}
	var told struct{ Completed bool }
	if a, _, err = w.ask(ctx, &v, "GET", "/api/auth0/mfa/completion/", nil); err != nil {
		return err
	}
	if err := a.Decode(http.StatusOK, &told); err != nil || !told.Completed {
		return fmt.Errorf("the verification was given and is not complete: %s: %w", a.Body, err)
	}
	return nil
}
