package outgoing_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

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

// names answers every question about a name with the addresses of its turn, the
// last ones for good, over connections that the resolver makes.
type names struct {
	mu    sync.Mutex
	turns [][]string
	asked int
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go n.serve(far)
		return near, nil
	}}
}

// serve answers one question, framed as over TCP, for that is what the resolver
// speaks over a connection that is not of packets.
func (n *names) serve(c net.Conn) {
	defer c.Close()
	var size [2]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return
	}
	question := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(c, question); err != nil {
		return
	}
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return
	}
	m.Response, m.Additionals = true, nil
	for _, text := range n.turn(m.Questions[0].Type) {
		r := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 0}}
		if a := netip.MustParseAddr(text); a.Is4() {
			r.Header.Type, r.Body = dnsmessage.TypeA, &dnsmessage.AResource{A: a.As4()}
		} else {
			r.Header.Type, r.Body = dnsmessage.TypeAAAA, &dnsmessage.AAAAResource{AAAA: a.As16()}
		}
		if r.Header.Type == m.Questions[0].Type {
			m.Answers = append(m.Answers, r)
		}
	}
	answer, err := m.Pack()
	if err != nil {
		return
	}
	_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
}

// turn returns the addresses to answer with. A turn ends with its question for
// addresses of IPv4, the other one of a pair.
func (n *names) turn(of dnsmessage.Type) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := min(n.asked, len(n.turns)-1)
	if of == dnsmessage.TypeA {
		n.asked++
	}
	return n.turns[at]
}

// TestNamesDoNotLeadInside asks for names whose owner answers with inner
// addresses, all at once or after others (security, SR-1).
func TestNamesDoNotLeadInside(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("it was reached for %s", r.URL) }))
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	for name, turns := range map[string][][]string{
		"loopback":      {{"127.0.0.1"}},
		"several":       {{"169.254.169.254", "10.0.0.1", "127.0.0.1"}},
		"IPv6":          {{"::1", "fd00:ec2::254", "fe80::1"}},
		"IPv4 as IPv6":  {{"::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"}},
		"first another": {{"192.0.2.1"}, {"127.0.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := &names{turns: turns}
			client := &http.Client{Transport: outgoing.TransportAsking(nil, n.resolver())}
			for range turns {
				answer, err := client.Get("http://rebinding.example.:" + port + "/")
				if err == nil {
					answer.Body.Close()
				}
				if !errors.Is(err, outgoing.ErrInside) {
					t.Errorf("%v", err)
				}
			}
			if n.asked < len(turns) {
				t.Errorf("names were asked for %d times", n.asked)
			}
		})
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
