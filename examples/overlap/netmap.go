package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/wire"
)

// alias is how clients call the servers of VPC 2 where a NAT instance stands between:
// each of the servers' addresses has one there, and the range is in neither VPC.
const alias = "10.1.0.0/24"

// anything has a NAT instance in the load balancer's place, which translates one to
// one, so that what is no HTTP gets there too: here datagrams.
func anything(out io.Writer) error {
	l, err := build(wide)
	if err != nil {
		return err
	}
	defer l.pump.Close()
	instance, err := l.natInstance()
	if err != nil {
		return err
	}
	seen, err := l.echo()
	if err != nil {
		return err
	}
	l.pump.Do(func() { l.world.Trace().Clear() })
	c, err := l.client.Dial("udp", "10.1.0.10:5353")
	if err != nil {
		return err
	}
	defer c.Close()
	if err := errors.Join(c.SetDeadline(time.Now().Add(5*time.Second)), say(c, "any protocol")); err != nil {
		return err
	}
	fmt.Fprintf(out, "A NAT instance, %s, in the load balancer's place. The client sends a datagram to 10.1.0.10, and gets it back;\nthe server has it from %s. The ways there and back:\n", instance, <-seen)
	for _, w := range l.ways(wire.ProtoUDP) {
		fmt.Fprintln(out, "  "+w)
	}
	return nil
}

// say sends text and wants it back.
func say(c io.ReadWriter, text string) error {
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	b := make([]byte, 100)
	n, err := c.Read(b)
	if err == nil && string(b[:n]) != text {
		err = fmt.Errorf("the answer is %q", b[:n])
	}
	return err
}

// natInstance makes the NAT instance in the load balancer's subnet, and the routes for
// the alias: like those for the load balancer, but that the NAT gateway's subnet names
// the instance's interface.
func (l *lab) natInstance() (netip.Addr, error) {
	i, err := l.instance(l.balanced, "nat instance", netip.MustParseAddr("10.0.2.200"))
	if err != nil {
		return netip.Addr{}, err
	}
	l.pump.Do(func() {
		err = steps(
			func() error { return i.SetSourceDestCheck(false) },
			func() error { return l.tables[l.clients].CreateRoute(alias, l.nat) },
			func() error { return l.tables[l.translated].CreateRoute(alias, i.Interface()) },
			func() error {
				h, err := l.world.Boot(i, host.Config{})
				if err != nil {
					return err
				}
				return masquerade(h)
			},
		)
	})
	return i.Interface().PrivateIP(), err
}

// masquerade sets the NAT instance's kernel up: destinations one to one, and its own
// address as source, so that answers come back to it.
func masquerade(h *host.Host) error {
	err := h.Sysctl("net.ipv4.ip_forward", "1")
	for _, rule := range []string{
		"-t nat -A PREROUTING -d " + alias + " -j NETMAP --to 10.64.0.0/24",
		"-t nat -A POSTROUTING -d 10.64.0.0/24 -j MASQUERADE",
	} {
		if err == nil {
			_, err = h.IPTables(strings.Fields(rule)...)
		}
	}
	return err
}

// echo has the server send datagrams back; the channel has the first one's source.
func (l *lab) echo() (<-chan string, error) {
	u, err := l.web.ListenPacket("udp", ":5353")
	if err != nil {
		return nil, err
	}
	seen := make(chan string, 1)
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := u.ReadFrom(b)
			if err != nil {
				return
			}
			select {
			case seen <- strings.Split(from.String(), ":")[0]:
			default:
			}
			u.WriteTo(b[:n], from)
		}
	}()
	return seen, nil
}
