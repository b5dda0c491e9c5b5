package fidelity_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// Both families of one network are told apart in every table.
func TestIPv6(t *testing.T) {
	t.Run("rules, ACLs and routes of one family say nothing of the other", func(t *testing.T) {
		f := newPlain(t)
		f.must(f.gb.RevokeIngress(f.gb.Ingress()...), f.gb.AuthorizeIngress(vpc.AllTraffic("0.0.0.0/0")))
		f.reaches(f.a, f.b.addr)
		f.dies(f.a, f.b.addr6, trace.GroupIngress, "b in")
		f.must(f.gb.AuthorizeIngress(vpc.AllTraffic("::/0")))
		f.q.acl("q acl", []vpc.ACLEntry{allow(100, "::/0")}, []vpc.ACLEntry{allow(100, "::/0")})
		f.reaches(f.a, f.b.addr6)
		f.dies(f.a, f.b.addr, trace.ACLIngress, "q arrival")
	})
	t.Run("an interface that denies it is closed to internet gateways, both ways, and to nobody else", func(t *testing.T) {
		f := newPublic(t)
		service := &serviceOf{}
		var n *vpc.NetworkInterface
		f.must(f.region.Change(func(tx *vpc.Tx) (err error) {
			if service.Base, err = tx.NewBase("svc", "", "service"); err != nil {
				return err
			}
			tx.Add(service)
			n, err = tx.NewManagedInterface(f.s.Subnet, service, vpc.ManagedInterface{Type: "dual_stack_service", IPv6: 1, DenyIGW: true})
			return err
		}))
		h := host.New(f.Engine, host.Config{Name: "service"})
		f.must(f.Plug(h, n))
		six := n.IPv6()[0]
		f.reaches(f.a, six)
		f.dies(f.x, six, trace.InternetDenied, "igw inbound")
		f.dies(&guest{Host: h}, f.x.addr6, trace.InternetDenied, "igw outbound")
		require.True(t, *f.region.DescribeNetworkInterfaces().NetworkInterfaces[2].DenyAllIgwTraffic)
	})
	t.Run("peering carries it, for the peer's own addresses", func(t *testing.T) {
		f := newPlain(t)
		m, s, b := f.farVPC("10.1.0.0/16", "2001:db8:0:2b00::/56", "10.1.0.10", "2001:db8:0:2b00::10")
		pcx, err := peering.Create(f.vpc, m.vpc, peering.Config{Name: "pcx"})
		f.must(err, pcx.Accept())
		f.p.route("2001:db8::/32", pcx)
		s.route(vpc6, pcx)
		f.reaches(f.a, b.addr6)
		ok, walks := f.ping(f.a, addr("2001:db8:f::7"))
		require.False(t, ok)
		require.Equal(t, trace.OutsidePeer, walks[0].End())
	})
	t.Run("a transit gateway carries it where both attachments say so", func(t *testing.T) {
		for _, on := range []bool{true, false} {
			f := newPlain(t)
			m, s, b := f.farVPC("10.1.0.0/16", "2001:db8:0:2b00::/56", "10.1.0.10", "2001:db8:0:2b00::10")
			g, err := tgw.Create(f.region, tgw.Config{Name: "tgw"})
			f.must(err)
			_, err = g.Attach(tgw.AttachmentConfig{IPv6: true}, f.p.Subnet)
			f.must(err)
			_, err = g.Attach(tgw.AttachmentConfig{IPv6: on}, s.Subnet)
			m.must(err)
			f.p.route("2001:db8:0:2b00::/56", g)
			s.route(vpc6, g)
			got, walks := f.ping(f.a, b.addr6)
			require.Equal(t, on, got, story(walks))
			if on { // by each gateway one hop less, as of IPv4
				require.EqualValues(t, 64-1, f.a.Ping(b.addr6, host.PingConfig{}).Replies[0].TTL)
			}
		}
	})
	t.Run("a private host: out by an egress-only gateway, IPv4 by a NAT gateway, NAT64 beside it", func(t *testing.T) {
		f := newPublic(t)
		nat := f.s.natGateway(natgw.Config{})
		g, err := igw.CreateEgressOnly(f.vpc, igw.EgressOnlyConfig{Name: "eigw"})
		f.must(err)
		f.private.route("0.0.0.0/0", nat).route("::/0", g).route("64:ff9b::/96", nat)
		vm := f.private.launch("vm", machine{addr6: "2001:db8:0:1a01::30"})
		for _, to := range []netip.Addr{f.x.addr, f.x.addr6, addr("64:ff9b::c633:6407")} {
			f.reaches(vm, to)
		}
		f.dies(f.x, vm.addr6, trace.EgressOnly, "eigw inbound")
	})
	t.Run("link-local and multicast are nobody's to route", func(t *testing.T) {
		f := newPlain(t)
		f.p.route("::/0", f.igw)
		for to, want := range map[string]trace.Reason{"fe80::1": trace.LinkLocal, "ff0e::1": trace.Multicast} {
			h := wire.Header{Src: wire.AddrFrom(f.a.addr6), Dst: wire.MustParseAddr(to), TTL: 64}
			i := f.Live(f.region).Interface(f.a.nic)
			f.take()
			f.Engine.Send(i.Out(), wire.AppendUDP(nil, h, 1, 2, nil))
			f.ends(f.take(), want, "p router")
		}
	})
}

// serviceOf is a resource that has an interface and does nothing.
type serviceOf struct{ vpc.Base }
