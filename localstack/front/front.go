// Package front stands before the engine's HTTP API as API Gateway's own domain
// would: one host, http and https, with the client's Host header, raw path,
// query, cookies and body passed through as they came. It removes the
// X-Forwarded headers a client may claim and adds none, and it takes
// Strict-Transport-Security out of answers.
package front

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strings"
)

// Handler returns a proxy to the HTTP API stage at target, an address without a
// slash at its end. An unreachable engine is answered with 502 and a problem
// document that says what to do.
func Handler(target *url.URL, transport http.RoundTripper, log *slog.Logger) http.Handler {
	return &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			rewrite(r, target)
		},
		ModifyResponse: forgetTransportSecurity,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			log.Error("front: the engine does not answer", "path", r.URL.Path, "err", err)
			refuse(w)
		},
	}
}

func rewrite(r *httputil.ProxyRequest, target *url.URL) {
	raw, _, _ := strings.Cut(r.In.RequestURI, "?")
	if !strings.HasPrefix(raw, "/") { // "*", or an absolute URI from a client that takes us for a proxy
		raw = r.In.URL.EscapedPath()
	}
	r.Out.URL.Scheme = target.Scheme
	r.Out.URL.Host = target.Host
	r.Out.URL.Path = target.Path + r.In.URL.Path
	r.Out.URL.RawPath = target.EscapedPath() + raw
	r.Out.URL.RawQuery = r.In.URL.RawQuery // also a query that Go could not parse
	r.Out.URL.ForceQuery = r.In.URL.ForceQuery
	r.Out.Host = r.In.Host
	for name := range r.Out.Header {
		if strings.HasPrefix(textproto.CanonicalMIMEHeaderKey(name), "X-Forwarded-") {
			r.Out.Header.Del(name)
		}
	}
}

// forgetTransportSecurity takes out the order to use https only. A browser that
// trusts this checkout's authority would keep it for localhost, where ports do
// not count (RFC 6797 section 8.3), and refuse http there for two years: this
// front's own, and that of every other program on the machine.
func forgetTransportSecurity(answer *http.Response) error {
	answer.Header.Del("Strict-Transport-Security")
	return nil
}

func refuse(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadGateway)
	_ = json.NewEncoder(w).Encode(struct { // the client is gone when this fails
		Detail string `json:"detail"`
		Code   string `json:"code"`
		Source string `json:"source"`
	}{"The local engine does not answer. Run `make up`.", "engine_unreachable", ""})
}
