package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/dns"
)

// What the stub resolver waits for an answer, and how often it asks each name server
// (resolv.conf(5): timeout:5 attempts:2).
const (
	resolveWait     = 5 * time.Second
	resolveAttempts = 2
)

// The errors of names: the first is that of a name that does not exist, or has no address;
// the second that of silence and of servers that failed.
var (
	ErrNoSuchHost     = errors.New("no such host")
	ErrServerFailure  = errors.New("server misbehaving")
	ErrNoNameservers  = errors.New("no name servers are configured")
	errNameserverDead = errors.New("no answer")
)

// Nameservers returns the name servers that the guest asks, in order.
func (h *Host) Nameservers() []netip.Addr { return h.nameservers }

// SetNameservers gives the guest other name servers and another search list, as editing
// resolv.conf does.
func (h *Host) SetNameservers(servers []netip.Addr, search ...string) {
	h.nameservers, h.search = servers, search
}

// Resolve looks a name up as getaddrinfo does, by real packets to the guest's name
// servers, running the clock until the answer is there: the addresses of both families,
// IPv6 first where the guest has a default route for it. An address is its own answer; a
// name without a dot is tried below the search list's domains first. It fails with
// [ErrNoSuchHost], [ErrServerFailure] or [ErrNoNameservers].
func (h *Host) Resolve(name string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{a}, nil
	}
	tries := []string{name}
	if !strings.Contains(strings.TrimSuffix(name, "."), ".") && !strings.HasSuffix(name, ".") {
		tries = nil
		for _, s := range h.search {
			tries = append(tries, name+"."+s)
		}
		tries = append(tries, name)
	}
	types := []dns.Type{dns.A, dns.AAAA}
	if h.hasDefault6() {
		types = []dns.Type{dns.AAAA, dns.A}
	}
	for _, full := range tries {
		var all []netip.Addr
		for _, t := range types {
			m, err := h.Query(full, t)
			if err != nil {
				return nil, err
			}
			if m.Code == dns.ServFail {
				return nil, fmt.Errorf("host %s: lookup %s: %w", h.name, name, ErrServerFailure)
			}
			all = append(all, m.Addrs(t)...)
		}
		if len(all) > 0 {
			return all, nil
		}
	}
	return nil, fmt.Errorf("host %s: lookup %s: %w", h.name, name, ErrNoSuchHost)
}

func (h *Host) hasDefault6() bool {
	for _, r := range h.routes {
		if r.Dst.Bits() == 0 && r.Dst.Addr().Is6() {
			return true
		}
	}
	return false
}

// Query asks the guest's name servers one question, as dig does, and returns the first
// answer, whatever its code. Where none answers it fails with [ErrServerFailure].
func (h *Host) Query(name string, t dns.Type) (dns.Message, error) {
	if len(h.nameservers) == 0 {
		return dns.Message{}, fmt.Errorf("host %s: lookup %s: %w", h.name, name, ErrNoNameservers)
	}
	last := errNameserverDead
	for range resolveAttempts {
		for _, server := range h.nameservers {
			m, err := h.QueryAt(server, name, t)
			if err == nil {
				return m, nil
			}
			last = err
		}
	}
	return dns.Message{}, fmt.Errorf("host %s: lookup %s on %s: %w: %w", h.name, name, h.nameservers[len(h.nameservers)-1], ErrServerFailure, last)
}

// QueryAt asks one name server one question, once: by UDP, and by TCP where the answer
// was cut.
func (h *Host) QueryAt(server netip.Addr, name string, t dns.Type) (dns.Message, error) {
	q := dns.Query(uint16(h.rand.Uint32()), name, t)
	b, err := q.Append(nil)
	if err != nil {
		return dns.Message{}, err
	}
	m, err := h.queryUDP(netip.AddrPortFrom(server, dns.Port), q, b)
	if err == nil && m.Truncated {
		return h.queryTCP(netip.AddrPortFrom(server, dns.Port), q, b)
	}
	return m, err
}

func (h *Host) queryUDP(to netip.AddrPort, q dns.Message, b []byte) (dns.Message, error) {
	c, err := h.ListenUDP(netip.AddrPort{})
	if err != nil {
		return dns.Message{}, err
	}
	defer c.Close()
	if _, err := c.Send(to, b); err != nil {
		return dns.Message{}, err
	}
	for until := h.clock.Now() + resolveWait; ; {
		d, ok := c.Read(until - h.clock.Now())
		if !ok {
			return dns.Message{}, errNameserverDead
		}
		if m, err := dns.Parse(d.Payload); err == nil && answers(m, q) && d.Src == to {
			return m, nil
		}
	}
}

func answers(m, q dns.Message) bool {
	return m.Response && m.ID == q.ID && m.Name == q.Name && m.Type == q.Type
}

func (h *Host) queryTCP(to netip.AddrPort, q dns.Message, b []byte) (dns.Message, error) {
	c, err := h.Dial(to)
	if err != nil {
		return dns.Message{}, err
	}
	defer c.Close()
	c.Wait = resolveWait
	if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
		return dns.Message{}, err
	}
	var size [2]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return dns.Message{}, err
	}
	reply := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(c, reply); err != nil {
		return dns.Message{}, err
	}
	m, err := dns.Parse(reply)
	if err == nil && !answers(m, q) {
		err = errNameserverDead
	}
	return m, err
}
