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
	first, rest := token(b)
	if first == "" {
		return
	}
	if !slices.Contains(httpMethods, strings.ToUpper(first)) {
		code, _ := token(rest)
		if len(code) != 3 || strings.Trim(code, "0123456789") != "" {
			return
		}
	}
	text, ok := firstLine(b, n)
	if !ok {
		return
	}
	l.print(": " + text)
	if !bytes.ContainsAny(b[len(text):min(len(text)+1, len(b))], "\r\n") {
		l.cut("http")
	}
}

const tokenMax = 127 // longer words are taken for data

// token returns the word that b begins with, "" where it begins with anything
// else, and what follows the blanks behind it.
func token(b []byte) (word string, rest []byte) {
	n := 0
	for n < len(b) && b[n] > ' ' && b[n] <= '~' {
		n++
	}
	if n < len(b) && !bytes.ContainsAny(b[n:n+1], " \t\r\n") || n > tokenMax {
		return "", nil
	}
	return string(b[:n]), bytes.TrimLeft(b[n:], " ")
}

// firstLine returns b up to its first line's end, or all of it where there is
// none; false where that holds anything but text.
func firstLine(b []byte, n int) (string, bool) {
	end := bytes.IndexFunc(b, func(r rune) bool { return (r < ' ' || r > '~') && r != '\t' })
	switch {
	case end < 0:
		return string(b), len(b) == n
	case b[end] == '\n', b[end] == '\r' && end+1 < len(b) && b[end+1] == '\n':
		return string(b[:end]), true
	}
	return "", false
}
