package vpctest

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/vpcsim/vpcsim/capture"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// TB is what this package needs of testing.TB, so that programs can build networks
// with it too; see [Program].
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Program is a TB for programs: what would fail a test ends the program with exit
// status 1 and the text on standard error.
var Program TB = program{}

type program struct{}

// Helper does nothing.
func (program) Helper() {}

// Errorf ends the program.
func (p program) Errorf(format string, args ...any) { p.Fatalf(format, args...) }

// Fatalf ends the program.
func (program) Fatalf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

// Card is an instance without an operating system: frames go out as they are
// given, and those that come are kept.
type Card struct {
	// Addr is its private address.
	Addr netip.Addr
	// Instance and Interface are the real ones.
	Instance  *vpc.Instance
	Interface *vpc.NetworkInterface

	world    *World
	group    *vpc.SecurityGroup
	received []gopacket.Packet
}

// Card launches an instance without an operating system, with a security group of
// its own that lets nothing in and everything out.
func (s *Subnet) Card(name string) *Card {
	w := s.vpc.world
	w.t.Helper()
	g, err := s.vpc.CreateSecurityGroup(name, vpc.SecurityGroupConfig{})
	check(w.t, err)
	i, err := s.RunInstance(vpc.InstanceConfig{Name: name, Interface: vpc.NetworkInterfaceConfig{Groups: []*vpc.SecurityGroup{g}}})
	check(w.t, err)
	n := i.Interface()
	c := &Card{Addr: n.PrivateIP(), Instance: i, Interface: n, world: w, group: g}
	c.port().Plug(c)
	return c
}

func (c *Card) port() *eni.Port { return c.world.Live(c.Interface.Region()).Port(c.Interface) }

// ID returns the id of the card's interface, which makes a Card the target of a route.
func (c *Card) ID() string { return c.Interface.ID() }

// Allow adds ingress rules to the card's security group.
func (c *Card) Allow(rules ...vpc.Permission) {
	c.world.t.Helper()
	check(c.world.t, c.group.AuthorizeIngress(rules...))
}

// Send sends an IP packet made of gopacket layers and returns why it ended;
// trace.Delivered says that another guest has it by now. The Ethernet layer is put
// in front: to the subnet's router, which also delivers within the subnet. A nil
// source address is the card's, a TTL of 0 is 64; lengths and checksums are filled in.
func (c *Card) Send(packet ...gopacket.SerializableLayer) trace.Reason {
	c.world.t.Helper()
	i := c.world.Live(c.Interface.Region()).Interface(c.Interface)
	mac := i.Segment.Router
	ethernet := &layers.Ethernet{SrcMAC: i.MAC[:], DstMAC: mac[:], EthernetType: layers.EthernetTypeIPv4}
	switch ip := packet[0].(type) {
	case *layers.IPv4:
		c.fill4(ip)
	case *layers.IPv6:
		ethernet.EthernetType = layers.EthernetTypeIPv6
	}
	frame, err := capture.Serialize(append([]gopacket.SerializableLayer{ethernet}, packet...)...)
	check(c.world.t, err)
	return c.SendFrame(frame)
}

func (c *Card) fill4(ip *layers.IPv4) {
	ip.Version = 4
	if ip.SrcIP == nil {
		ip.SrcIP = net.IP(c.Addr.AsSlice())
	}
	if ip.TTL == 0 {
		ip.TTL = 64
	}
}

// SendFrame sends an Ethernet frame as it is and returns why the packet in it ended.
// Time passes until the next guest has had it.
func (c *Card) SendFrame(frame []byte) trace.Reason {
	log := c.world.log
	before := len(log.Walks())
	end := c.port().Send(frame)
	walks := log.Walks()
	if end != trace.Delivered || len(walks) == before {
		return end
	}
	w := walks[before]
	c.world.Clock.RunUntil(c.world.Clock.Now()+time.Minute, func() bool { return w.Guest != trace.None })
	return w.End()
}

// SendIP sends an IP packet as it is, behind an Ethernet header to the subnet's
// router, as SendFrame sends frames.
func (c *Card) SendIP(ip []byte) trace.Reason {
	i := c.world.Live(c.Interface.Region()).Interface(c.Interface)
	t := wire.EtherTypeIPv4
	if len(ip) > 0 && ip[0]>>4 == 6 {
		t = wire.EtherTypeIPv6
	}
	frame := make([]byte, wire.EthernetLen, wire.EthernetLen+len(ip))
	wire.PutEthernet(frame, i.Segment.Router, i.MAC, t)
	return c.SendFrame(append(frame, ip...))
}

// Tap adds a listener to all frames of the card, both ways.
func (c *Card) Tap(t eni.Tap) { c.port().Tap(t) }

// Frame keeps a frame. It makes a Card an eni.Guest.
func (c *Card) Frame(frame []byte) trace.Reason {
	c.received = append(c.received, capture.Frame{At: c.world.Clock.Now(), Bytes: frame}.Packet())
	return trace.Delivered
}

// Received returns the frames that came, as gopacket packets, in the order in which
// they came.
func (c *Card) Received() []gopacket.Packet { return c.received }
