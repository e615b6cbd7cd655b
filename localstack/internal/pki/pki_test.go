package pki

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestEnsureKeepsWhatIsGoodAndRenewsInTime(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "tls")
	for _, step := range []struct {
		name    string
		at      time.Time
		wantNew bool
	}{
		{"first", now, true},
		{"again", now, false},
		{"31 days before the end", now.Add(lifetime - 31*24*time.Hour), false},
		{"29 days before the end", now.Add(lifetime - 29*24*time.Hour), true},
	} {
		before, _ := os.ReadFile(In(folder).Chain)
		files, err := Ensure(folder, step.at)
		if err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(files.Chain)
		if err != nil {
			t.Fatal(err)
		}
		if made := string(before) != string(after); made != step.wantNew {
			t.Errorf("%s: new material is %v, want %v", step.name, made, step.wantNew)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(folder))
	if err != nil || len(entries) != 1 {
		t.Errorf("folders left: %v, %v", entries, err)
	}
}

func TestDamagedMaterialIsReplaced(t *testing.T) {
	for _, name := range []string{"ca.crt", "chain.crt", "server.key"} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "tls")
			if _, err := Ensure(folder, now); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Ensure(folder, now); err != nil || !Valid(folder, now) {
				t.Errorf("not replaced: %v", err)
			}
		})
	}
}

func TestCertificateCoversLocalNamesOnly(t *testing.T) {
	files, err := Ensure(filepath.Join(t.TempDir(), "tls"), now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(files.Chain, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := Pool(files.CA)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"localhost": true, "acme.localhost": true, "a1.execute-api.localhost": true, "127.0.0.1": true, "::1": true,
		"example.com": false, "127.0.0.2": false, "localhost.example.com": false,
	} {
		_, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: pool, CurrentTime: now})
		if (err == nil) != want {
			t.Errorf("%s: verified is %v, want %v (%v)", name, err == nil, want, err)
		}
	}
}

func TestAuthoritySignsNoForeignName(t *testing.T) {
	ca := authority(now)
	if !ca.PermittedDNSDomainsCritical || len(ca.PermittedDNSDomains) != 1 || ca.PermittedDNSDomains[0] != "localhost" {
		t.Errorf("the authority may sign for %v", ca.PermittedDNSDomains)
	}
}

func TestKeysAreTheirOwnersAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "tls")
	if _, err := Ensure(folder, now); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ca.key", "server.key"} {
		stat, err := os.Stat(filepath.Join(folder, name))
		if err != nil || stat.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600 (%v)", name, stat.Mode(), err)
		}
	}
}
