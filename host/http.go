package host

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// HTTPWait is how long an HTTP request of a guest's waits for its answer.
const HTTPWait = 5 * time.Minute

// HTTPGet fetches a URL as curl does and returns the answer with its body in
// memory. The URL's host is an address or a name, which [Host.Resolve] looks up.
func (h *Host) HTTPGet(url string) (*http.Response, error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return h.HTTP(r)
}

// HTTP makes a request over a connection of its own, runs the clock until the
// answer is there and returns it with its body in memory. It refuses a URL that is
// not http.
func (h *Host) HTTP(r *http.Request) (*http.Response, error) {
	to, err := h.httpPeer(r)
	if err != nil {
		return nil, fmt.Errorf("host %s: %s %s: %w", h.name, r.Method, r.URL, err)
	}
	if err := bodyInMemory(r); err != nil {
		return nil, err
	}
	c, err := h.Dial(to)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	c.Wait = HTTPWait
	r.Close = true
	if err := r.Write(c); err != nil {
		return nil, fmt.Errorf("host %s: %s %s: %w", h.name, r.Method, r.URL, err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), r)
	if err != nil {
		return nil, fmt.Errorf("host %s: %s %s: %w", h.name, r.Method, r.URL, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("host %s: %s %s: %w", h.name, r.Method, r.URL, err)
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// bodyInMemory reads the request's body, whose length net/http would otherwise find
// out on a goroutine.
func bodyInMemory(r *http.Request) error {
	if r.Body == nil {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if len(body) == 0 {
		r.Body = nil
	}
	return nil
}

func (h *Host) httpPeer(r *http.Request) (netip.AddrPort, error) {
	if r.URL.Scheme != "http" {
		return netip.AddrPort{}, fmt.Errorf("scheme %q is not http", r.URL.Scheme)
	}
	addrs, err := h.Resolve(r.URL.Hostname())
	if err != nil {
		return netip.AddrPort{}, err
	}
	port := uint64(80)
	if p := r.URL.Port(); p != "" {
		if port, err = strconv.ParseUint(p, 10, 16); err != nil {
			return netip.AddrPort{}, fmt.Errorf("port %q is none", p)
		}
	}
	return netip.AddrPortFrom(addrs[0], uint16(port)), nil
}

// ServeHTTP listens at an address and port and answers each request with what
// serve returns, which is never nil: a small HTTP/1.1 server, for services and tests.
// A request over 1 MiB, or one that is none, ends its connection with 400.
func (h *Host) ServeHTTP(at netip.AddrPort, serve func(*Conn, *http.Request) *http.Response) (*Listener, error) {
	return h.ListenTCP(at, func(c *Conn) {
		s := &httpConn{conn: c, serve: serve}
		c.OnReadable(s.readable)
	})
}

// maxRequest bounds a request in bytes, its head and body.
const maxRequest = 1 << 20

// httpConn is a connection to an HTTP server; in holds what is not yet a request.
type httpConn struct {
	conn  *Conn
	serve func(*Conn, *http.Request) *http.Response
	in    []byte
}

// readable takes what has come, and answers every request that is whole.
func (s *httpConn) readable(c *Conn) {
	s.in = append(s.in, c.Next()...)
	for len(s.in) > 0 {
		r, n, err := wholeRequest(s.in)
		if n == 0 && err == nil && len(s.in) <= maxRequest {
			break
		}
		if n == 0 {
			s.answer(NewResponse(http.StatusBadRequest, "text/plain", ""), true)
			return
		}
		s.in = s.in[n:]
		res := s.serve(c, r)
		res.Request = r // so that HEAD gets no body
		s.answer(res, r.Close)
	}
	if c.Ended() {
		c.Close()
	}
}

func (s *httpConn) answer(res *http.Response, last bool) {
	res.Close = last
	var out bytes.Buffer // one write, so that it goes out in as few segments as it fits
	res.Write(&out)
	s.conn.Write(out.Bytes())
	if last {
		s.conn.Close()
	}
}

// wholeRequest reads a request off b and returns how many bytes it took, 0 while
// more must come; an error says that b is none.
func wholeRequest(b []byte) (*http.Request, int, error) {
	left := bytes.NewReader(b)
	in := bufio.NewReaderSize(left, 16)
	r, err := http.ReadRequest(in)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	body, err := io.ReadAll(r.Body)
	if err == io.ErrUnexpectedEOF {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r, len(b) - left.Len() - in.Buffered(), nil
}

// NewResponse returns an answer with a body in memory; an empty contentType is left out.
func NewResponse(status int, contentType, body string) *http.Response {
	res := &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body)),
	}
	if contentType != "" {
		res.Header.Set("Content-Type", contentType)
	}
	return res
}
