package lambdaio

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"paddock/shared/fault"
	"paddock/shared/ingress"
)

// maxUserAgent bounds, in bytes, what is kept of a user agent.
const maxUserAgent = 256

// forwarding lists headers by which proxies tell the client's address. A
// client can write them too, so no handler gets to see them. Source: security,
// IP-1; style, section 9. Names that begin with X-Forwarded- go as well.
var forwarding = []string{"Forwarded", "X-Real-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "X-Client-Ip", "X-Cluster-Client-Ip"}

// originOf reads where the request came from out of the gateway's own part of
// the event. An address that does not parse becomes the zero Addr, which no
// allowlist contains.
func originOf(event events.APIGatewayV2HTTPRequest) ingress.Origin {
	client := event.RequestContext.HTTP
	agent := strings.ToValidUTF8(client.UserAgent, "\uFFFD")
	for len(agent) > maxUserAgent {
		_, size := utf8.DecodeLastRuneInString(agent)
		agent = agent[:len(agent)-size]
	}
	addr, err := netip.ParseAddr(client.SourceIP)
	if err != nil || addr.Zone() != "" {
		addr = netip.Addr{}
	}
	return ingress.Origin{RequestID: event.RequestContext.RequestID, SourceIP: addr.Unmap(), UserAgent: agent}
}

// restore makes the request that the client sent out of the original event.
// When it cannot, the request is nil and status and refusal say why.
func restore(ctx context.Context, event events.APIGatewayV2HTTPRequest) (*http.Request, int, fault.Error) {
	body, status, refusal := bodyOf(event)
	if status != 0 {
		return nil, status, refusal
	}
	header := headerOf(event)
	hosts := header.Values("Host")
	header.Del("Host")
	method := event.RequestContext.HTTP.Method
	if len(hosts) > 1 || !token(method) {
		return nil, http.StatusBadRequest, ErrMalformed
	}
	host := event.RequestContext.DomainName
	if len(hosts) == 1 {
		host = hosts[0]
	}
	r := (&http.Request{
		Method: method, URL: urlOf(event), Host: host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(ctx)
	if len(body) == 0 {
		r.Body = http.NoBody
	}
	r.RequestURI = r.URL.RequestURI()
	if origin := ingress.OriginOf(ctx); origin.SourceIP.IsValid() {
		r.RemoteAddr = net.JoinHostPort(origin.SourceIP.String(), "0")
	}
	return r, 0, fault.Error{}
}

// bodyOf decodes the body, after its length was found to be within bounds. A
// status other than 0 is the answer instead.
func bodyOf(event events.APIGatewayV2HTTPRequest) ([]byte, int, fault.Error) {
	size := len(event.Body)
	if event.IsBase64Encoded {
		size = base64.RawStdEncoding.DecodedLen(len(strings.TrimRight(event.Body, "=")))
	}
	if size > MaxBodyBytes {
		return nil, http.StatusRequestEntityTooLarge, ErrBodyTooLarge
	}
	if !event.IsBase64Encoded {
		return []byte(event.Body), 0, fault.Error{}
	}
	body, err := base64.StdEncoding.DecodeString(event.Body)
	if err != nil {
		return nil, http.StatusBadRequest, ErrMalformed
	}
	return body, 0, fault.Error{}
}

// headerOf copies the headers with their values whole. Names that differ only
// in letter case stay several values, in a fixed order, for whoever wants one
// to refuse. Cookies come from the array, where AWS puts them, and from the
// header, where the local engine leaves them; none twice.
func headerOf(event events.APIGatewayV2HTTPRequest) http.Header {
	header := make(http.Header, len(event.Headers))
	names := make([]string, 0, len(event.Headers))
	for name := range event.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	cookies := slices.Clone(event.Cookies)
	for _, name := range names {
		key := http.CanonicalHeaderKey(name)
		switch {
		case key == "Cookie":
			for pair := range strings.SplitSeq(event.Headers[name], ";") {
				if pair = strings.TrimSpace(pair); pair != "" && !slices.Contains(cookies, pair) {
					cookies = append(cookies, pair)
				}
			}
		case !strings.HasPrefix(key, "X-Forwarded-") && !slices.Contains(forwarding, key):
			header.Add(key, event.Headers[name])
		}
	}
	if len(cookies) > 0 {
		header.Set("Cookie", strings.Join(cookies, "; "))
	}
	return header
}

// urlOf keeps the path as it came: trailing slash, doubled slashes and escapes
// are for the router to judge. A path that is no valid escaping is taken
// literally.
func urlOf(event events.APIGatewayV2HTTPRequest) *url.URL {
	u := &url.URL{Path: "/", RawQuery: event.RawQueryString}
	if raw := event.RawPath; strings.HasPrefix(raw, "/") {
		plain, err := url.PathUnescape(raw)
		if err != nil {
			plain, raw = raw, ""
		}
		u.Path, u.RawPath = plain, raw
	}
	return u
}

// token reports whether s is a method in the syntax of RFC 9110 section 9.1,
// which methods that we serve meet with letters alone.
func token(s string) bool {
	return s != "" && len(s) <= 16 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
