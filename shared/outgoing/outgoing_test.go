package outgoing_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"paddock/shared/outgoing"
)

func TestPublicAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "104.16.0.1": true, "223.255.255.255": true, "11.0.0.0": true, "9.255.255.255": true,
		"172.15.255.255": true, "172.32.0.0": true, "100.63.255.255": true, "100.128.0.0": true, "192.167.255.255": true,
		"2606:4700::1": true, "2001:4860:4860::8888": true, "2001:200::1": true,

		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "10.255.255.255": false, "100.64.0.1": false, "100.127.255.255": false,
		"127.0.0.1": false, "127.255.255.255": false, "169.254.169.254": false, "169.254.170.2": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.0.0.1": false, "192.0.2.1": false, "192.168.0.1": false, "198.18.0.1": false, "198.19.255.255": false, "198.51.100.1": false,
		"203.0.113.1": false, "224.0.0.1": false, "239.255.255.255": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::8.8.8.8": false, "::ffff:8.8.8.8": false, "::ffff:127.0.0.1": false, "64:ff9b::808:808": false,
		"64:ff9b::7f00:1": false, "64:ff9b:1::1": false, "100::1": false, "2001::1": false, "2001:db8::1": false, "2002:7f00:1::": false,
		"3fff::1": false, "fc00::1": false, "fd00:ec2::254": false, "fe80::1": false, "fec0::1": false, "ff02::1": false, "2606:4700::1%eth0": false,
	} {
		if got := outgoing.Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is public: %t, want %t", address, got, want)
		}
	}
	if outgoing.Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// TestNothingInsideIsReached asks for a server of this machine by address and
// by a name that leads to it, and through a proxy that the environment names.
func TestNothingInsideIsReached(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("it was reached for %s", r.URL) }))
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, server.URL)
	}
	client := &http.Client{Transport: outgoing.Transport(nil)}
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "2130706433", "169.254.169.254"} {
		for _, scheme := range []string{"http", "https"} {
			answer, err := client.Get(scheme + "://" + host + ":" + port + "/")
			if err == nil {
				answer.Body.Close()
				t.Errorf("%s://%s was answered", scheme, host)
				continue
			}
			if !errors.Is(err, outgoing.ErrInside) && host != "2130706433" { // no name to some resolvers
				t.Errorf("%s://%s: %v", scheme, host, err)
			}
		}
	}
}

func TestOwnHostsAreNotReached(t *testing.T) {
	client := &http.Client{Transport: outgoing.Transport([]string{"paddock.example:8443", "Own.Example"})}
	for _, host := range []string{"paddock.example", "demo.paddock.example", "PADDOCK.example.", "own.example:444", "a.b.own.example"} {
		if answer, err := client.Get("https://" + host + "/"); !errors.Is(err, outgoing.ErrOwn) {
			t.Errorf("%s: %v, %v", host, answer, err)
		}
	}
	if answer, err := client.Get("https://notown.example.invalid/"); err == nil || errors.Is(err, outgoing.ErrOwn) {
		t.Errorf("%v, %v", answer, err)
	}
}
