// Package pki makes the certificate authority of a checkout and the server
// certificate the engine and the front show on localhost.
//
// The authority may sign for localhost and loopback addresses only (name
// constraints), so trusting it in a browser opens nothing else. Its key never
// leaves the folder.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Lifetime of both certificates. 825 days is the most that macOS accepts.
const lifetime = 825 * 24 * time.Hour

// A certificate with less than this left is replaced.
const renewBefore = 30 * 24 * time.Hour

// Files are the paths of the material in one folder.
type Files struct {
	CA    string // certificate of the authority, PEM
	Chain string // server certificate followed by the authority's, PEM
	Key   string // private key of the server certificate, PEM
}

// In returns the paths of the material in folder, whether it exists or not.
func In(folder string) Files {
	return Files{
		CA:    filepath.Join(folder, "ca.crt"),
		Chain: filepath.Join(folder, "chain.crt"),
		Key:   filepath.Join(folder, "server.key"),
	}
}

// Ensure returns the material in folder and makes it when there is none or it
// ends within 30 days of now. Several processes may call it at once: the first
// to finish wins and the others take its result.
func Ensure(folder string, now time.Time) (Files, error) {
	if Valid(folder, now) {
		return In(folder), nil
	}
	parent := filepath.Dir(folder)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return Files{}, fmt.Errorf("make certificates: %w", err)
	}
	fresh, err := os.MkdirTemp(parent, "tls-")
	if err != nil {
		return Files{}, fmt.Errorf("make certificates: %w", err)
	}
	defer os.RemoveAll(fresh)
	if err := issue(fresh, now); err != nil {
		return Files{}, fmt.Errorf("make certificates: %w", err)
	}
	if err := replace(fresh, folder, now); err != nil {
		return Files{}, fmt.Errorf("make certificates: %w", err)
	}
	return In(folder), nil
}

// replace moves fresh to folder unless another process has put valid material
// there meanwhile.
func replace(fresh, folder string, now time.Time) error {
	if os.Rename(fresh, folder) == nil || Valid(folder, now) {
		return nil
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.Rename(fresh, folder); err != nil && !Valid(folder, now) {
		return err
	}
	return nil
}

// Valid reports whether folder holds a server certificate that its authority
// signed, that matches its key, and that is good at now and for 30 days more.
func Valid(folder string, now time.Time) bool {
	files := In(folder)
	pair, err := tls.LoadX509KeyPair(files.Chain, files.Key)
	if err != nil {
		return false
	}
	pool, err := Pool(files.CA)
	if err != nil {
		return false
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return false
	}
	for _, at := range []time.Time{now, now.Add(renewBefore)} {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: "localhost", Roots: pool, CurrentTime: at}); err != nil {
			return false
		}
	}
	return true
}

// Pool returns a pool that trusts the authority in the PEM file, and it alone.
func Pool(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read certificate authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("read certificate authority: no certificate in %s", file)
	}
	return pool, nil
}

func issue(folder string, now time.Time) error {
	files := In(folder)
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	ca, caDER, err := sign(authority(now), nil, caKey, caKey)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	_, leafDER, err := sign(server(now), ca, key, caKey)
	if err != nil {
		return err
	}
	chain := append(certificatePEM(leafDER), certificatePEM(caDER)...)
	return errors.Join(
		os.WriteFile(files.CA, certificatePEM(caDER), 0o644),
		os.WriteFile(files.Chain, chain, 0o644),
		writeKey(files.Key, key),
		writeKey(filepath.Join(folder, "ca.key"), caKey),
		os.Chmod(folder, 0o755),
	)
}

func authority(now time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject:                     pkix.Name{CommonName: "Paddock local authority", Organization: []string{"Paddock (this checkout only)"}},
		NotBefore:                   now.Add(-time.Hour),
		NotAfter:                    now.Add(lifetime),
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{"localhost"},
		PermittedIPRanges: []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
			{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
	}
}

func server(now time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: "localhost"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(lifetime),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:              []string{"localhost", "*.localhost", "*.execute-api.localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
}

// sign issues template under parent, or under itself when parent is nil.
func sign(template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) (*x509.Certificate, []byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	template.SerialNumber = serial
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	return certificate, der, nil
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func writeKey(file string, key crypto.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}
