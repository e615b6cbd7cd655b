package credential_test

import (
	"bytes"
	"encoding/base32"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paddock/shared/credential"
)

type totpVectors struct {
	Vectors []struct {
		Time         int64
		Alg          string
		SecretASCII  string `json:"secret_ascii"`
		SecretBase32 string `json:"secret_base32"`
		Digits       int
		TOTP         string
	}
	Window struct {
		SecretASCII string `json:"secret_ascii"`
		Rows        []struct {
			Now      int64
			Code     string
			Offset   int64  `json:"step_offset"`
			LastStep *int64 `json:"last_accepted_step"`
			Expect   string
			Why      string
		}
	}
	Syntax []struct {
		Code any
		Why  string
	}
}

func totpCode(t rapid.TB, secret []byte, step int64) string {
	t.Helper()
	code, err := credential.TOTPCode(secret, step)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestTOTPKnownAnswers(t *testing.T) {
	rows := 0
	for _, v := range readVectors[totpVectors](t, "totp.json").Vectors {
		if v.Alg != "SHA1" {
			continue // the product speaks SHA-1 alone
		}
		rows++
		step := credential.StepAt(time.Unix(v.Time, 0))
		// Six digits are the last six of eight: both are one number, modulo.
		if got, want := totpCode(t, []byte(v.SecretASCII), step), v.TOTP[v.Digits-credential.TOTPDigits:]; got != want {
			t.Errorf("time %d: %s, want %s", v.Time, got, want)
		}
		if got := credential.TOTPText([]byte(v.SecretASCII)); got != v.SecretBase32 {
			t.Errorf("%s, want %s", got, v.SecretBase32)
		}
	}
	if rows == 0 {
		t.Fatal("no rows")
	}
}

func TestHOTPKnownAnswers(t *testing.T) {
	v := readVectors[struct {
		SecretASCII string `json:"secret_ascii"`
		Digits      int
		Vectors     []struct {
			Counter int64
			HOTP    string
		}
	}](t, "hotp.json")
	if len(v.Vectors) == 0 {
		t.Fatal("no rows")
	}
	for _, row := range v.Vectors {
		if got := totpCode(t, []byte(v.SecretASCII), row.Counter); got != row.HOTP {
			t.Errorf("counter %d: %s, want %s", row.Counter, got, row.HOTP)
		}
	}
}

func TestTOTPWindowAndReplay(t *testing.T) {
	w := readVectors[totpVectors](t, "totp.json").Window
	if len(w.Rows) == 0 {
		t.Fatal("no rows")
	}
	for _, row := range w.Rows {
		last := int64(0)
		if row.LastStep != nil {
			last = *row.LastStep
		}
		now := time.Unix(row.Now, 0)
		step, ok := credential.CheckTOTP([]byte(w.SecretASCII), row.Code, now, last)
		if ok != (row.Expect == "accept") || ok && step != credential.StepAt(now)+row.Offset || !ok && step != 0 {
			t.Errorf("offset %d after %d: step %d, %v; want %s (%s)", row.Offset, last, step, ok, row.Expect, row.Why)
		}
	}
}

// TestTOTPSyntax: six ASCII digits are a code, nothing else, so the blank that
// apps show in the middle is for the form to take out.
func TestTOTPSyntax(t *testing.T) {
	v := readVectors[totpVectors](t, "totp.json")
	if len(v.Syntax) == 0 {
		t.Fatal("no rows")
	}
	for _, row := range v.Syntax {
		code, isText := row.Code.(string)
		if !isText {
			continue // null and numbers do not decode into text
		}
		if _, ok := credential.CheckTOTP([]byte(v.Window.SecretASCII), code, time.Unix(1234567890, 0), 0); ok {
			t.Errorf("%q accepted (%s)", code, row.Why)
		}
	}
}

func TestNoCodeIsRightForAShortSecret(t *testing.T) {
	now := time.Unix(1234567890, 0)
	for _, secret := range [][]byte{nil, make([]byte, 19)} {
		if _, ok := credential.CheckTOTP(secret, totpCode(t, secret, credential.StepAt(now)), now, 0); ok {
			t.Errorf("a secret of %d bytes has a right code", len(secret))
		}
	}
}

func TestACodeOpensOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "secret")
		now := time.Unix(rapid.Int64Range(1<<30, 1<<33).Draw(t, "now"), 0)
		drift := rapid.Int64Range(-3, 3).Draw(t, "drift")
		code := totpCode(t, secret, credential.StepAt(now)+drift)
		step, ok := credential.CheckTOTP(secret, code, now, 0)
		if (drift >= -1 && drift <= 1) && !ok {
			t.Fatalf("the code %d steps away is refused", drift)
		}
		if !ok {
			return
		}
		later := now.Add(time.Duration(rapid.IntRange(0, 59).Draw(t, "later")) * time.Second)
		if again, ok := credential.CheckTOTP(secret, code, later, step); ok && again <= step {
			t.Fatalf("step %d again after %d", again, step)
		}
		if _, ok := credential.CheckTOTP(secret, code, now, step); ok {
			t.Fatal("accepted twice at one instant")
		}
	})
}

func TestTOTPEnrolment(t *testing.T) {
	secret, err := credential.NewTOTPSecret(bytes.NewReader(bytes.Repeat([]byte{7}, 20)))
	if err != nil || len(secret) != 20 {
		t.Fatalf("%d bytes, %v", len(secret), err)
	}
	if _, err := credential.NewTOTPSecret(bytes.NewReader(make([]byte, 19))); err == nil {
		t.Fatal("19 bytes sufficed")
	}
	text := credential.TOTPURI(secret, "Acme: Prod & Co", "alice+tag@example.com")
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	issuer, account, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), ":")
	decoded, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(u.Query().Get("secret"))
	if u.Scheme != "otpauth" || u.Host != "totp" || issuer != "Acme- Prod & Co" || account != "alice+tag@example.com" ||
		u.Query().Get("issuer") != issuer || err != nil || !bytes.Equal(decoded, secret) ||
		u.Query().Get("algorithm") != "SHA1" || u.Query().Get("digits") != "6" || u.Query().Get("period") != "30" {
		t.Fatal(text)
	}
	if strings.Contains(text, "+T") || strings.Contains(u.RawQuery, "+") {
		t.Fatalf("apps read a plus as itself: %s", text)
	}
}

func TestQRCodeIsOneWellFormedPicture(t *testing.T) {
	svg, err := credential.QRCodeSVG(credential.TOTPURI(bytes.Repeat([]byte{7}, 20), "Acme", "alice@example.com"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]int{}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			names[e.Name.Local]++
		}
	}
	if len(names) != 3 || names["svg"] != 1 || names["rect"] != 1 || names["path"] != 1 {
		t.Fatalf("%v", names)
	}
	if _, err := credential.QRCodeSVG(strings.Repeat("x", 5000)); err == nil {
		t.Fatal("text that no code can hold")
	}
}
