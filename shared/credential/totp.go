package credential

import (
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"rsc.io/qr"
)

// Parameters of one-time codes. Source: RFC 6238 sections 4.1 and 5.2;
// RFC 4226 section 4, R6.
const (
	TOTPStep       = 30 * time.Second
	TOTPDigits     = 6
	TOTPSecretSize = 20 // bytes, 160 bits
	totpDrift      = 1  // steps either way
)

// NewTOTPSecret returns 160 random bits of r.
func NewTOTPSecret(r io.Reader) ([]byte, error) {
	s := make([]byte, TOTPSecretSize)
	_, err := io.ReadFull(r, s)
	return s, err
}

// TOTPText returns a secret as people type it into an app.
func TOTPText(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// TOTPURI returns the otpauth address of a secret (Key URI Format). That
// format has a colon between issuer and account, so those within them become
// hyphens.
func TOTPURI(secret []byte, issuer, account string) string {
	issuer, account = strings.ReplaceAll(issuer, ":", "-"), strings.ReplaceAll(account, ":", "-")
	q := url.Values{"secret": {TOTPText(secret)}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	return "otpauth://totp/" + url.PathEscape(issuer) + ":" + url.PathEscape(account) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}

// TOTPCode returns the code of a time step (RFC 4226 with SHA-1, six digits).
func TOTPCode(secret []byte, step int64) (string, error) {
	return hotp.GenerateCodeCustom(TOTPText(secret), uint64(step), //nolint:gosec // steps since 1970
		hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
}

// StepAt returns the time step of an instant.
func StepAt(now time.Time) int64 { return now.Unix() / int64(TOTPStep/time.Second) }

// CheckTOTP reports whether code is right at now, and the step it belongs to.
// The step before, the present and the next are accepted; a step that is not
// newer than lastStep never (RFC 6238 section 5.2). All steps are compared, in
// constant time; of two with the same code the newer counts, so that the code
// does not open twice. A secret of fewer than 160 bits has no right code.
func CheckTOTP(secret []byte, code string, now time.Time, lastStep int64) (step int64, ok bool) {
	if len(secret) < TOTPSecretSize || len(code) != TOTPDigits || strings.Trim(code, "0123456789") != "" {
		return 0, false
	}
	at := StepAt(now)
	for s := at - totpDrift; s <= at+totpDrift; s++ {
		want, err := TOTPCode(secret, s)
		same := subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1
		if err == nil && same && s > lastStep {
			step, ok = s, true
		}
	}
	return step, ok
}

// QRCodeSVG returns text as a QR code, four modules of quiet zone around it.
func QRCodeSVG(text string) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", err
	}
	const quiet = 4
	size := code.Size + 2*quiet
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges" role="img"><rect width="%d" height="%d" fill="#fff"/><path fill="#000" d="`, size, size, size, size)
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.String(), nil
}
