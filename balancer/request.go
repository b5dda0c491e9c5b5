package balancer

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/vpcsim/vpcsim/vpc"
)

// Decide returns the action for a request that came to a listener from a client: that
// of the first rule by priority whose conditions all hold, else the default one
// (ALB guide, "Listener rules").
func (x *Listener) Decide(r *http.Request, client netip.Addr) Action {
	var a Action
	x.Region().View(func(*vpc.Tx) {
		a = x.Default()
		for _, rule := range x.rules {
			if rule.holds(r, client) {
				a = rule.action
				return
			}
		}
	})
	return a
}

func (r *Rule) holds(q *http.Request, client netip.Addr) bool {
	for _, c := range r.conditions {
		if !c.holds(q, client) {
			return false
		}
	}
	return true
}

func (c Condition) holds(r *http.Request, client netip.Addr) bool {
	for _, v := range c.Values {
		if c.matches(r, client, v) {
			return true
		}
	}
	return false
}

// matches holds one value against the request: a host name and a header without regard
// to case, a path with (ALB guide, "Condition types for listener rules").
func (c Condition) matches(r *http.Request, client netip.Addr, v string) bool {
	switch c.Field {
	case "host-header":
		return like(strings.ToLower(v), strings.ToLower(hostOf(r.Host)))
	case "path-pattern":
		return like(v, r.URL.Path)
	case "http-request-method":
		return v == r.Method
	case "http-header":
		for _, h := range r.Header.Values(c.Header) {
			if like(strings.ToLower(v), strings.ToLower(h)) {
				return true
			}
		}
	case "query-string":
		k, want, both := cutPair(v)
		for key, values := range r.URL.Query() {
			for _, got := range values {
				if (!both || like(strings.ToLower(k), strings.ToLower(key))) && like(strings.ToLower(want), strings.ToLower(got)) {
					return true
				}
			}
		}
	case "source-ip":
		p, err := netip.ParsePrefix(v)
		return err == nil && p.Contains(client)
	}
	return false
}

// hostOf returns the name of a Host header, without a port.
func hostOf(h string) string {
	if i := strings.LastIndexByte(h, ':'); i > 0 && !strings.HasSuffix(h, "]") {
		return h[:i]
	}
	return h
}

// cutPair parts key=value; a value alone has no key.
func cutPair(s string) (key, value string, both bool) {
	if k, v, ok := strings.Cut(s, "="); ok {
		return k, v, true
	}
	return "", s, false
}

// like reports whether the pattern matches all of s: * is any characters, also none, ?
// is any one. It takes at most len(pattern) times len(s) steps.
func like(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
