// Package outgoing reaches hosts that a setting names. It promises that no
// connection goes to an address inside: none is asked for by name and then made
// to another one. It knows nothing of what is said over them.
package outgoing

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// Refusals of connections.
var (
	ErrInside = errors.New("outgoing: the address is not one of the public network")
	ErrOwn    = errors.New("outgoing: the host is one of this deployment")
)

// Bounds of a connection. Source: security, SR-1.
const (
	timeout        = 5 * time.Second
	maxHeaderBytes = 64 << 10
)

// Transport returns what makes connections to public addresses alone, each
// judged when it is made, and to none of the deployment's own hosts (with or
// without a port) nor what lies below them. It uses no proxy, whatever the
// environment says.
func Transport(own []string) http.RoundTripper { return transport(own, nil) }

// transport asks names of the system where names is nil.
func transport(own []string, names *net.Resolver) http.RoundTripper {
	d := &net.Dialer{Timeout: timeout, Control: control, Resolver: names}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if isOwn(address, own) {
				return nil, ErrOwn
			}
			return d.DialContext(ctx, network, address)
		},
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: maxHeaderBytes,
		DisableKeepAlives: true, // an instance that was frozen finds a kept connection dead, and waits
	}
}

// control sees the address that a name was resolved to, just before the
// connection is made: what the name means later does not matter.
func control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !Public(at.Addr()) {
		return ErrInside
	}
	return nil
}

func isOwn(address string, own []string) bool {
	name := bare(address)
	for _, host := range own {
		if host = bare(host); name == host || strings.HasSuffix(name, "."+host) {
			return true
		}
	}
	return false
}

// bare returns a host in lower case without its port and the root's dot.
func bare(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// special4 is what is not public of IPv4, special6 of the global part of IPv6.
// Source: IANA special-purpose address registries (RFC 6890), multicast
// (RFC 5771).
var (
	special4 = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3")
	special6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
	global6  = netip.MustParsePrefix("2000::/3")
)

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

// Public reports whether an address is one of the public network. Addresses of
// IPv4 written or translated as IPv6 are not.
func Public(a netip.Addr) bool {
	special := special4
	if !a.Is4() {
		if !global6.Contains(a) || a.Zone() != "" {
			return false
		}
		special = special6
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
