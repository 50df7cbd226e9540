package openai

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// guard says who may ask. A page in a browser of this machine can reach a server on it, so the names under which the
// server is asked, and the pages that ask, are checked.
type guard struct {
	loopback bool   // only this machine reaches the server
	host     string // the name it was told to listen on
	key      string // "": none is asked for
}

// IsLoopback tells whether only this machine reaches an address such as localhost:8080.
func IsLoopback(addr string) bool { return loopback(hostOf(addr)) }

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// hostOf is an address without its port and brackets.
func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// check refuses what must not be answered.
func (g *guard) check(r *http.Request) error {
	host := hostOf(r.Host)
	if g.loopback && !loopback(host) && host != g.host {
		return refused(http.StatusForbidden, "host_not_allowed",
			"this server answers to localhost and %s, not to the host %q", g.host, r.Host)
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			return refused(http.StatusForbidden, "origin_not_allowed",
				"pages of %q may not ask this server; only its own may", origin)
		}
	}
	if g.key == "" || r.URL.Path == "/health" {
		return nil
	}
	given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if _, password, ok := r.BasicAuth(); ok {
		given = password // a browser's form
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(g.key))
	if subtle.ConstantTimeCompare(a[:], b[:]) != 1 {
		return refused(http.StatusUnauthorized, "invalid_api_key",
			"this server asks for its API key: the header Authorization: Bearer KEY")
	}
	return nil
}
