package accesstoken_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"paddock/shared/accesstoken"
	"paddock/shared/credential"
	"paddock/shared/id"
)

const origin = "https://demo.paddock.test"

var (
	now  = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	ws   = id.UUID{6: 0x70, 8: 0x80, 15: 1}
	user = id.UUID{6: 0x70, 8: 0x80, 15: 2}
	key  = [accesstoken.KeySize]byte{1, 2, 3}
)

func handle(t testing.TB, p credential.Prefix, workspace id.UUID) string {
	t.Helper()
	s, err := credential.New(strings.NewReader(strings.Repeat("h", 32)), p, workspace, user)
	if err != nil {
		t.Fatal(err)
	}
	return s.Reveal()
}

func claims(t testing.TB) accesstoken.Claims {
	t.Helper()
	return accesstoken.Claims{
		Issuer: origin, Audience: origin, Subject: user.String(), IssuedAt: now.Unix(), ExpiresAt: now.Add(accesstoken.Life).Unix(),
		ID: id.UUID{15: 3}.String(), Client: "paddock-cli", Scope: "cli", Workspaces: []accesstoken.Workspace{{Name: "demo", ID: ws.String()}},
		Session: strings.Repeat("ab", 32), Handle: handle(t, credential.Device, ws),
	}
}

func sign(t testing.TB, k [accesstoken.KeySize]byte, c accesstoken.Claims) string {
	t.Helper()
	text, err := accesstoken.Sign(k, c)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// check reads and checks a token as of now, of user at origin.
func check(text string, at time.Time) error {
	tok, err := accesstoken.Read(text)
	if err != nil {
		return err
	}
	return tok.Check(key, accesstoken.Expected{Origin: origin, Subject: user, Now: at})
}

func refused(t *testing.T, name, text string) {
	t.Helper()
	if err := check(text, now); !errors.Is(err, accesstoken.ErrInvalid) {
		t.Errorf("%s: %v, want it refused", name, err)
	}
}

func TestATokenIsGoodInItsInterval(t *testing.T) {
	text := sign(t, key, claims(t))
	for _, c := range []struct {
		name string
		at   time.Time
		good bool
	}{
		{"at once", now, true},
		{"a nanosecond before its end", now.Add(accesstoken.Life - 1), true},
		{"at its end", now.Add(accesstoken.Life), false},
		{"by a clock that is behind", now.Add(-accesstoken.Skew), true},
		{"by a clock too far behind", now.Add(-accesstoken.Skew - time.Second), false},
	} {
		if err := check(text, c.at); (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	tok, err := accesstoken.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	if place := tok.Session(); hex.EncodeToString(place[:]) != strings.Repeat("ab", 32) || tok.Handle().Reveal() != handle(t, credential.Device, ws) {
		t.Error("it does not lead to its session")
	}
	for name, want := range map[string]accesstoken.Expected{
		"nobody expected":    {Origin: origin, Now: now},
		"no origin expected": {Subject: user, Now: now},
		"another user":       {Origin: origin, Subject: ws, Now: now},
		"another origin":     {Origin: origin + "/", Subject: user, Now: now},
	} {
		if err := tok.Check(key, want); !errors.Is(err, accesstoken.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func part(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// forge makes a token of any header and payload, with a right HMAC by k.
func forge(k []byte, header, payload string) string {
	text := part(header) + "." + part(payload)
	mac := hmac.New(sha256.New, k)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

const pinned = `{"alg":"HS256","typ":"at+jwt"}`

func payload(t *testing.T) string {
	t.Helper()
	b, err := json.Marshal(claims(t))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

type vectors struct {
	Headers []struct {
		ID     string
		Header json.RawMessage
		How    string
	} `json:"header_attacks"`
	Claims []struct{ ID, How string } `json:"claim_attacks"`
	Syntax []string                   `json:"syntax_attacks"`
}

func load(t *testing.T) vectors {
	t.Helper()
	b, err := os.ReadFile("testdata/jwt-bad.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Headers) < 30 || len(v.Claims) < 25 || len(v.Syntax) < 18 {
		t.Fatal("the vectors are not whole")
	}
	return v
}

// TestHeaderAttacksAreRefused signs each header of the vectors with every key
// that an attacker may hope for, the right one included.
func TestHeaderAttacksAreRefused(t *testing.T) {
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&pair.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]byte{
		"the right key": key[:], "an empty key": {}, "the public key as DER": der,
		"the public key as PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "the kid": []byte("<real>"),
	}
	if err := check(forge(key[:], pinned, payload(t)), now); err != nil {
		t.Fatalf("the forger makes no good token: %v", err)
	}
	for _, v := range load(t).Headers {
		header := string(v.Header)
		if v.ID == "dup-header-alg" { // given as text, to have both members
			if err := json.Unmarshal(v.Header, &header); err != nil {
				t.Fatal(err)
			}
		}
		header = strings.ReplaceAll(header, "<pinned>", "HS256")
		if v.ID == "kid-huge" {
			header = strings.ReplaceAll(header, "A*100000", strings.Repeat("A", 100_000))
		}
		var compact strings.Builder
		for _, c := range header { // as an encoder writes it
			if c != '\n' && c != ' ' {
				compact.WriteRune(c)
			}
		}
		for name, k := range keys {
			bare := compact.String() == `{"alg":"HS256"}` || compact.String() == `{"alg":"HS256","typ":"at+jwt"}`
			if bare && name == "the right key" && compact.String() == pinned {
				continue
			}
			refused(t, v.ID+" with "+name, forge(k, compact.String(), payload(t)))
			if name != "the right key" { // and under the one header that is read
				refused(t, v.ID+" with "+name+" under our header", forge(k, pinned, payload(t)))
			}
		}
		refused(t, v.ID+" without a signature", part(compact.String())+"."+part(payload(t))+".")
		refused(t, v.ID+" in five parts", part(compact.String())+"....")
	}
}

// TestClaimAttacksAreRefused signs with the right key what the claims of the
// vectors say.
func TestClaimAttacksAreRefused(t *testing.T) {
	good := payload(t)
	with := func(member, value string) string { // another value, as JSON text
		var m map[string]json.RawMessage
		if err := json.Unmarshal([]byte(good), &m); err != nil {
			t.Fatal(err)
		}
		if value == "" {
			delete(m, member)
		} else {
			m[member] = json.RawMessage(value)
		}
		var out []string
		for name, text := range m {
			out = append(out, `"`+name+`":`+string(text))
		}
		slices.Sort(out)
		return "{" + strings.Join(out, ",") + "}"
	}
	if err := check(forge(key[:], pinned, with("scope", `"cli"`)), now); err != nil {
		t.Fatalf("the forger makes no good token: %v", err)
	}
	foreign, err := json.Marshal(handle(t, credential.HalfSession, ws))
	if err != nil {
		t.Fatal(err)
	}
	invited, err := json.Marshal(handle(t, credential.Invitation, ws))
	if err != nil {
		t.Fatal(err)
	}
	forged := map[string]string{
		"exp-past": with("exp", "1795607999"), "exp-missing": with("exp", ""), "exp-string": with("exp", `"9999999999"`),
		"exp-float-huge": with("exp", "1e400"), "exp-negative": with("exp", "-1"), "nbf-future": with("nbf", "1795611600"),
		"iat-future": with("iat", "1795611600"), "iss-wrong": with("iss", `"https://evil.example"`), "iss-missing": with("iss", ""),
		"iss-suffix": with("iss", `"`+origin+`.evil.example"`), "iss-slash": with("iss", `"`+origin+`/"`),
		"aud-wrong": with("aud", `"https://other.example"`), "aud-missing": with("aud", ""),
		"aud-array-mixed": with("aud", `["https://other.example","`+origin+`"]`), "aud-empty-array": with("aud", "[]"),
		"sub-missing": with("sub", ""), "sub-other-workspace": with("sub", `"`+id.UUID{15: 9}.String()+`"`),
		"dup-claims":           `{"sub":"attacker",` + good[1:],
		"mfa-ticket-as-access": with("handle", string(foreign)), "invite-as-access": with("handle", string(invited)),
	}
	headers := map[string]string{"typ-wrong": `{"alg":"HS256","typ":"JWT"}`, "typ-missing": `{"alg":"HS256"}`}
	// Held where sessions are: localstack/world.
	elsewhere := []string{"workspace-claim-swapped", "revoked-jti", "user-disabled"}
	for _, v := range load(t).Claims {
		switch {
		case forged[v.ID] != "":
			refused(t, v.ID, forge(key[:], pinned, forged[v.ID]))
		case headers[v.ID] != "":
			refused(t, v.ID, forge(key[:], headers[v.ID], good))
		case !slices.Contains(elsewhere, v.ID):
			t.Errorf("%s is not tried", v.ID)
		}
	}
	for name, text := range map[string]string{
		"an audience of ours in a list": with("aud", `["`+origin+`"]`), "a life beyond ours": with("exp", "1795608901"),
		"a fraction": with("exp", "1795608500.5"), "no iat": with("iat", ""), "a session in capitals": with("session", `"AB"`),
		"a null": with("sub", "null"), "an unknown claim": with("admin", "true"), "another case": with("SUB", `"x"`),
	} {
		refused(t, name, forge(key[:], pinned, text))
	}
}

func TestSyntaxAttacksAreRefused(t *testing.T) {
	good := sign(t, key, claims(t))
	parts := strings.Split(good, ".")
	last := parts[2][len(parts[2])-1]
	letters := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	malleable := good[:len(good)-1] + string(letters[strings.IndexByte(letters, last)^1])
	jws, err := json.Marshal(map[string]any{"payload": parts[1], "signatures": []map[string]string{{"protected": parts[0], "signature": parts[2]}}})
	if err != nil {
		t.Fatal(err)
	}
	tried := map[string][]string{
		"two parts": {parts[0] + "." + parts[1]}, "four parts": {good + "." + parts[2]}, "empty string": {""}, "only dots '..'": {"..", "..."},
		"base64 with '=' padding":              {parts[0] + "." + parts[1] + "=." + parts[2], good + "="},
		"standard base64 alphabet '+/'":        {strings.NewReplacer("-", "+", "_", "/").Replace(forge(key[:], pinned, strings.Replace(payload(t), `"cli"`, `"\u003f\u003f>>>???"`, 1))) + "+/"},
		"newline inside a part":                {good[:80] + "\n" + good[80:], good[:80] + "\r\n" + good[80:], good + "\n"},
		"trailing garbage after the signature": {good + "x", good + " "},
		"payload not JSON":                     {forge(key[:], pinned, "no JSON"), forge(key[:], pinned, payload(t)+"x")},
		"payload is a JSON array":              {forge(key[:], pinned, "["+payload(t)+"]")},
		"payload with BOM":                     {forge(key[:], pinned, "\ufeff"+payload(t))},
		"signature truncated by 1 byte":        {good[:len(good)-2], parts[0] + "." + parts[1] + "." + parts[2][:len(parts[2])-1]},
		"signature with non-zero trailing base64 bits (malleable last character)": {malleable},
		"1 MiB token: 431/401 without parsing":                                    {good + strings.Repeat("A", 1<<20), strings.Repeat("a.", 1<<19)},
		"token with leading blank":                                                {" " + good, "\t" + good},
		"JWS JSON serialisation":                                                  {string(jws)},
	}
	// Held where the header is read: shared/httpapi.
	elsewhere := []string{"'Bearer' twice", "lower-case 'bearer' (RFC 9110: scheme is case-insensitive): accept"}
	for _, v := range load(t).Syntax {
		if tried[v] == nil && !slices.Contains(elsewhere, v) {
			t.Errorf("%q is not tried", v)
		}
		for _, text := range tried[v] {
			refused(t, v, text)
		}
	}
}

// FuzzRead holds that a text which reads is the only one of its parts, and that
// nothing is good that was not signed.
func FuzzRead(f *testing.F) {
	good := sign(f, key, claims(f))
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add("..")
	f.Add(forge([]byte{}, pinned, "{}"))
	f.Fuzz(func(t *testing.T, text string) {
		tok, err := accesstoken.Read(text)
		if err != nil {
			if !errors.Is(err, accesstoken.ErrInvalid) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		parts := strings.Split(text, ".")
		for _, p := range parts {
			b, err := base64.RawURLEncoding.Strict().DecodeString(p)
			if err != nil || base64.RawURLEncoding.EncodeToString(b) != p {
				t.Fatalf("%q has another form", text)
			}
		}
		if tok.Handle().Prefix() != credential.Device {
			t.Fatal("another kind of handle")
		}
		if err := tok.Check(key, accesstoken.Expected{Origin: origin, Subject: user, Now: now}); err == nil && text != good {
			mac := hmac.New(sha256.New, key[:])
			mac.Write([]byte(parts[0] + "." + parts[1]))
			if base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) != parts[2] {
				t.Fatalf("%q is good and was not signed", text)
			}
		}
	})
}
