package netstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/vpcsim/vpcsim/dns"
)

// What a guest waits for a name server, and how often it asks each (resolv.conf(5):
// timeout:5 attempts:2).
const (
	lookupWait     = 5 * time.Second
	lookupAttempts = 2
)

// lookupByServers resolves a name by packets to the guest's name servers, those that
// DHCP tells: of an instance, its VPC's resolver.
func (g *Guest) lookupByServers(ctx context.Context, network, name string) ([]netip.Addr, error) {
	types := []dns.Type{dns.A, dns.AAAA}
	switch network {
	case "ip4":
		types = types[:1]
	case "ip6":
		types = types[1:]
	}
	var all []netip.Addr
	for _, t := range types {
		m, err := g.ask(ctx, name, t)
		switch {
		case err != nil:
			return nil, &net.DNSError{Err: err.Error(), Name: name, IsTimeout: errors.Is(err, os.ErrDeadlineExceeded), UnwrapErr: err}
		case m.Code == dns.ServFail:
			return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
		}
		all = append(all, m.Addrs(t)...)
	}
	if len(all) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return all, nil
}

// ask asks the name servers one question, until one answers.
func (g *Guest) ask(ctx context.Context, name string, t dns.Type) (m dns.Message, err error) {
	for range lookupAttempts {
		for _, server := range g.nameservers {
			q := dns.Query(uint16(g.questions.Add(1)), name, t)
			for _, network := range []string{"udp", "tcp"} {
				m, err = g.exchange(ctx, network, netip.AddrPortFrom(server, dns.Port), q)
				if err != nil || !m.Truncated {
					break
				}
			}
			if err == nil || ctx.Err() != nil {
				return m, err
			}
		}
	}
	return m, err
}

// exchange sends one query and waits for its answer.
func (g *Guest) exchange(ctx context.Context, network string, to netip.AddrPort, q dns.Message) (dns.Message, error) {
	b, err := q.Append(nil)
	if err != nil {
		return dns.Message{}, err
	}
	c, err := g.DialContext(ctx, network, to.String())
	if err != nil {
		return dns.Message{}, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	if err := c.SetDeadline(time.Now().Add(lookupWait)); err != nil {
		return dns.Message{}, err
	}
	if network == "tcp" {
		b = append([]byte{byte(len(b) >> 8), byte(len(b))}, b...)
	}
	if _, err := c.Write(b); err != nil {
		return dns.Message{}, err
	}
	for {
		reply, err := readReply(c, network)
		if err != nil {
			return dns.Message{}, err
		}
		m, err := dns.Parse(reply)
		if err == nil && m.Response && m.ID == q.ID && m.Name == q.Name && m.Type == q.Type {
			return m, nil
		}
		if network == "tcp" {
			return dns.Message{}, fmt.Errorf("%s answers something else", to)
		}
	}
}

func readReply(c net.Conn, network string) ([]byte, error) {
	if network == "udp" {
		b := make([]byte, 65535)
		n, err := c.Read(b)
		return b[:n], err
	}
	var size [2]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	b := make([]byte, int(size[0])<<8|int(size[1]))
	_, err := io.ReadFull(c, b)
	return b, err
}
