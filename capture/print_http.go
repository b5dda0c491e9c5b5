package capture

import (
	"bytes"
	"slices"
	"strings"
)

// httpMethods are the request methods that tcpdump knows a request by: RFC 9110's
// and WebDAV's (RFC 4918, RFC 3253).
var httpMethods = []string{
	"GET", "PUT", "COPY", "HEAD", "LOCK", "MOVE", "POLL", "POST", "BCOPY", "BMOVE", "MKCOL",
	"TRACE", "LABEL", "MERGE", "DELETE", "SEARCH", "UNLOCK", "REPORT", "UPDATE", "NOTIFY",
	"BDELETE", "CONNECT", "OPTIONS", "CHECKIN", "PROPFIND", "CHECKOUT", "CCM_POST",
	"SUBSCRIBE", "PROPPATCH", "BPROPFIND", "BPROPPATCH", "UNCHECKOUT", "MKACTIVITY",
	"MKWORKSPACE", "UNSUBSCRIBE", "RPC_CONNECT", "VERSION-CONTROL", "BASELINE-CONTROL",
}

// http prints the first line of a request or a response, and of the rest of a
// body only that it is HTTP's. Of n bytes, b was captured.
func (l *line) http(b []byte, n int) {
	l.print(": HTTP")
	whole := len(b) == n
	first, rest := token(b, whole)
	if first == "" {
		return
	}
	if !slices.Contains(httpMethods, strings.ToUpper(first)) {
		code, _ := token(rest, whole)
		if len(code) != 3 || strings.Trim(code, "0123456789") != "" {
			return
		}
	}
	end := bytes.IndexFunc(b, func(r rune) bool { return (r < ' ' || r > '~') && r != '\t' })
	switch {
	case end < 0 && whole:
		l.print(": " + string(b))
		l.cut("http")
	case end < 0, b[end] == '\r' && end+1 == len(b) && !whole:
		l.cut("http")
	case b[end] == '\n', b[end] == '\r' && end+1 < len(b) && b[end+1] == '\n':
		l.print(": " + string(b[:end]))
	}
}

const tokenMax = 127 // longer words are taken for data

// token returns the word that b begins with, "" where it begins with anything
// else or may go on behind what was captured, and what follows the blanks behind it.
func token(b []byte, whole bool) (word string, rest []byte) {
	n := 0
	for n < len(b) && b[n] > ' ' && b[n] <= '~' {
		n++
	}
	ended := whole
	if n < len(b) {
		ended = bytes.IndexByte([]byte(" \t\r\n"), b[n]) >= 0
	}
	if !ended || n > tokenMax {
		return "", nil
	}
	return string(b[:n]), bytes.TrimLeft(b[n:], " ")
}
