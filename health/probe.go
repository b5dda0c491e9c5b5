package health

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/host"
)

// Ping returns a probe that sends one echo request from a guest and waits for the reply.
func Ping(from *host.Host, dst netip.Addr) Probe {
	return func(timeout time.Duration, done func(error)) func() {
		from.StartPing(dst, host.PingConfig{Count: 1, Wait: timeout}, func(r host.PingResult) {
			switch {
			case r.Received > 0:
				done(nil)
			case len(r.Errors) > 0:
				done(errors.New(r.Errors[0].String()))
			default:
				done(ErrTimeout)
			}
		})
		return func() {}
	}
}

// TCP returns a probe that opens a connection from a guest to an address and port, and
// closes it again.
func TCP(from *host.Host, to netip.AddrPort) Probe {
	return func(_ time.Duration, done func(error)) func() {
		c := from.StartDial(to, func(c *host.Conn, err error) {
			if err == nil {
				c.Close()
			}
			done(err)
		})
		return abort(c)
	}
}

// abort returns what breaks a connection off, nil being one that never began.
func abort(c *host.Conn) func() {
	if c == nil {
		return func() {}
	}
	return c.Abort
}

// HTTPConfig says what an HTTP probe asks for and what it accepts.
type HTTPConfig struct {
	// Path is what it asks for; "" is "/".
	Path string
	// First and Last are the lowest and highest status that is a success; 0 of First is
	// 200, 0 of Last is First (ALB guide, "Health checks", Matcher).
	First, Last int
}

// HTTP returns a probe that sends GET from a guest to an address and port and looks at
// the status of the answer. It follows no redirect.
func HTTP(from *host.Host, to netip.AddrPort, c HTTPConfig) (Probe, error) {
	if c.Path == "" {
		c.Path = "/"
	}
	if c.First == 0 {
		c.First = http.StatusOK
	}
	if c.Last == 0 {
		c.Last = c.First
	}
	ask, err := http.NewRequest(http.MethodGet, "http://"+to.String()+c.Path, nil)
	if err != nil {
		return nil, fmt.Errorf("health: path %q: %w", c.Path, err)
	}
	ask.Close = true
	var request bytes.Buffer
	if err := ask.Write(&request); err != nil {
		return nil, fmt.Errorf("health: path %q: %w", c.Path, err)
	}
	return func(_ time.Duration, done func(error)) func() {
		x := &exchange{config: c, done: done}
		conn := from.StartDial(to, func(conn *host.Conn, err error) {
			if err != nil {
				done(err)
				return
			}
			conn.OnReadable(x.readable)
			conn.Write(request.Bytes())
		})
		return abort(conn)
	}, nil
}

// exchange is one HTTP request under way.
type exchange struct {
	config HTTPConfig
	done   func(error)
	in     []byte
	over   bool
}

// readable judges the answer once its head is there, and closes the connection at its end.
func (x *exchange) readable(c *host.Conn) {
	x.in = append(x.in, c.Next()...)
	if !x.over {
		x.judge(c)
	}
	if c.Ended() {
		c.Close()
	}
}

func (x *exchange) judge(c *host.Conn) {
	whole := bytes.Contains(x.in, []byte("\r\n\r\n"))
	if !whole && !c.Ended() {
		return
	}
	x.over = true
	answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(x.in)), nil)
	switch {
	case c.Err() != nil && !whole:
		x.done(c.Err())
	case err != nil:
		x.done(fmt.Errorf("the answer is no HTTP: %w", err))
	case answer.StatusCode < x.config.First || answer.StatusCode > x.config.Last:
		x.done(fmt.Errorf("the answer is %s", answer.Status))
	default:
		x.done(nil)
	}
}
