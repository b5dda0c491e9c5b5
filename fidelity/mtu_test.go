package fidelity_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// link is a way from a host to an address, whose narrowest link is the one under test.
type link struct {
	*net
	from    *guest
	to, to6 netip.Addr
	far     *vpc.NetworkInterface // that has to, nil outside of VPCs
	mtu     int
	df, may string // what becomes of an IPv4 packet of one byte more: not to be fragmented, and else
	six     string // and of an IPv6 packet; "" where the way has none
	clamps  bool   // whether the MSS is clamped
}

// farVPC makes another VPC of the network's region with a host.
func (n *net) farVPC(cidr, cidr6, ip, ip6 string) (*net, *subnet, *guest) {
	n.t.Helper()
	v, err := n.region.CreateVPC(cidr, vpc.VPCConfig{IPv6: netip.MustParsePrefix(cidr6)})
	n.must(err)
	m := &net{World: n.World, t: n.t, region: n.region, vpc: v, igw: n.igw, log: n.log}
	m.open = m.group("open", vpc.AllTraffic("0.0.0.0/0"), vpc.AllTraffic("::/0"))
	s := m.subnet("far", netip.PrefixFrom(netip.MustParseAddr(ip), 24).Masked().String())
	return m, s, s.launch("far", machine{addr: ip, addr6: ip6})
}

const (
	informed = "told"
	cut      = "cut"
	silent   = "silent"
	passes   = "passes"
)

var links = map[string]func(t *testing.T) *link{
	"within a VPC": func(t *testing.T) *link {
		f := newPlain(t)
		return &link{net: f.net, from: f.a, to: f.b.addr, to6: f.b.addr6, far: f.b.nic, mtu: 9001, df: silent, may: silent, six: silent}
	},
	"peering within a region": func(t *testing.T) *link {
		f := newPlain(t)
		m, s, b := f.farVPC("10.1.0.0/16", "2001:db8:0:2b00::/56", "10.1.0.10", "2001:db8:0:2b00::10")
		pcx, err := peering.Create(f.vpc, m.vpc, peering.Config{})
		f.must(err, pcx.Accept())
		f.p.route("10.1.0.0/16", pcx).route("2001:db8:0:2b00::/56", pcx)
		s.route("10.0.0.0/16", pcx).route(vpc6, pcx)
		return &link{net: f.net, from: f.a, to: b.addr, to6: b.addr6, far: b.nic, mtu: 9001, df: silent, may: silent, six: silent}
	},
	"a transit gateway": func(t *testing.T) *link {
		f := newPlain(t)
		m, s, b := f.farVPC("10.1.0.0/16", "2001:db8:0:2b00::/56", "10.1.0.10", "2001:db8:0:2b00::10")
		g, err := tgw.Create(f.region, tgw.Config{})
		f.must(err)
		_, err = g.Attach(tgw.AttachmentConfig{IPv6: true}, f.p.Subnet)
		f.must(err)
		_, err = g.Attach(tgw.AttachmentConfig{IPv6: true}, s.Subnet)
		m.must(err)
		f.p.route("10.1.0.0/16", g).route("2001:db8:0:2b00::/56", g)
		s.route("10.0.0.0/16", g).route(vpc6, g)
		return &link{net: f.net, from: f.a, to: b.addr, to6: b.addr6, far: b.nic, mtu: 8500, df: informed, may: silent, six: informed, clamps: true}
	},
	"a NAT gateway": func(t *testing.T) *link {
		f := newPlain(t)
		nat := f.subnet("n", "10.0.2.0/24").natGateway(natgw.Config{Private: true})
		f.p.route("10.0.1.0/24", nat)
		return &link{net: f.net, from: f.a, to: f.b.addr, far: f.b.nic, mtu: 8500, df: informed, may: passes, clamps: true}
	},
	"an internet gateway": func(t *testing.T) *link {
		f := newPublic(t)
		return &link{net: f.net, from: f.a, to: f.x.addr, to6: f.x.addr6, mtu: 1500, df: informed, may: cut, six: informed}
	},
	"an egress-only gateway": func(t *testing.T) *link {
		f := newPublic(t)
		g, err := igw.CreateEgressOnly(f.vpc, igw.EgressOnlyConfig{})
		f.must(err)
		f.private.route("::/0", g)
		vm := f.private.launch("vm", machine{addr6: "2001:db8:0:1a01::30"})
		return &link{net: f.net, from: vm, to6: f.x.addr6, mtu: 1500, six: informed}
	},
	"a gateway endpoint": func(t *testing.T) *link {
		f := newPlain(t)
		e, err := endpoint.CreateGateway(f.vpc, "com.amazonaws.ap-northeast-3.s3", []*vpc.RouteTable{f.p.table}, endpoint.Config{})
		f.must(err)
		return &link{net: f.net, from: f.a, to: e.PrefixList().Entries()[0].Addr().Next(), mtu: 8500, df: silent, may: silent, clamps: true}
	},
	"an interface endpoint": func(t *testing.T) *link {
		f := newPlain(t)
		e, err := endpoint.CreateInterface("com.amazonaws.ap-northeast-3.ssm", []*vpc.Subnet{f.q.Subnet}, endpoint.Config{Groups: []*vpc.SecurityGroup{f.open}})
		f.must(err)
		return &link{net: f.net, from: f.a, to: e.Interfaces()[0].PrivateIP(), mtu: 8500, df: silent, may: silent, clamps: true}
	},
}

// syn is a SYN of n bytes, of data for the most part, that announces an MSS of 8,961.
func (l *link) syn(to netip.Addr, df bool, n int) []byte {
	h := wire.Header{Src: wire.AddrFrom(l.from.addr), Dst: wire.AddrFrom(to), TTL: 64, DF: df}
	headers := 20 + 24
	if to.Is6() {
		h.Src, h.DF, headers = wire.AddrFrom(l.from.addr6), false, 40+24
	}
	s := wire.Segment{SrcPort: 40000, DstPort: 443, Flags: wire.SYN, Window: 1000, Options: []byte{2, 4, 8961 >> 8, 8961 & 0xff}}
	return wire.AppendTCP(nil, h, s, make([]byte, n-headers))
}

// sends sends a packet past the guest's kernel and says what became of it.
func (l *link) sends(ip []byte) string {
	l.t.Helper()
	l.take()
	i := l.Live(l.region).Interface(l.from.nic)
	frame := make([]byte, wire.EthernetLen, wire.EthernetLen+len(ip))
	kind := wire.EtherTypeIPv4
	if ip[0]>>4 == 6 {
		kind = wire.EtherTypeIPv6
	}
	wire.PutEthernet(frame, i.Segment.Router, i.MAC, kind)
	i.Port.Send(append(frame, ip...))
	l.Run(10 * time.Millisecond)
	walks := l.take()
	switch walks[0].Reason {
	case trace.Delivered, trace.Answered:
		return passes
	case trace.Fragmented:
		return cut
	case trace.TooBig:
		for _, w := range walks[1:] {
			if w.Cause == walks[0].ID && w.Reason == trace.Delivered && strings.Contains(w.String(), "icmp") {
				return informed
			}
		}
		return silent
	}
	return walks[0].String()
}

func TestMTU(t *testing.T) {
	for name, make := range links {
		t.Run(name, func(t *testing.T) {
			l := make(t)
			if l.to.IsValid() {
				require.Equal(t, passes, l.sends(l.syn(l.to, true, l.mtu)))
				require.Equal(t, l.df, l.sends(l.syn(l.to, true, l.mtu+1)), "not to be fragmented")
				require.Equal(t, l.may, l.sends(l.syn(l.to, false, l.mtu+1)), "may be fragmented")
			}
			if l.six != "" {
				require.Equal(t, passes, l.sends(l.syn(l.to6, false, l.mtu)))
				require.Equal(t, l.six, l.sends(l.syn(l.to6, false, l.mtu+1)), "IPv6")
			}
		})
	}
}

// The error's next-hop MTU is the link's, and a ping learns it.
func TestErrorsTellTheMTU(t *testing.T) {
	for name, make := range links {
		t.Run(name, func(t *testing.T) {
			l := make(t)
			for to, want := range map[netip.Addr]string{l.to: l.df, l.to6: l.six} {
				if want != informed {
					continue
				}
				r := l.from.Ping(to, host.PingConfig{Size: 8900, DontFragment: true})
				require.Len(t, r.Errors, 1)
				require.Equal(t, l.mtu, r.Errors[0].MTU)
			}
		})
	}
}

func TestMSSIsClamped(t *testing.T) {
	for name, make := range links {
		t.Run(name, func(t *testing.T) {
			l := make(t)
			for to, headers := range map[netip.Addr]int{l.to: 40, l.to6: 60} {
				if !to.IsValid() {
					continue
				}
				var arrived *tap
				if l.far != nil {
					arrived = l.tap(l.far)
				}
				l.sends(l.syn(to, true, 100))
				walks := fmt.Sprint(l.log.Walks())
				require.Equal(t, l.clamps, strings.Contains(walks, "clamps the MSS"), walks)
				if arrived == nil {
					continue
				}
				want := 8961
				if l.clamps {
					want = l.mtu - headers
				}
				got := arrived.in()[0]
				require.NoError(t, got.VerifyChecksum())
				require.Equal(t, want, int(binary.BigEndian.Uint16(wire.TCP(got.Transport()).Options()[2:])))
			}
		})
	}
}
