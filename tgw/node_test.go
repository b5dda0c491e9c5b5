package tgw_test

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/wire"
)

var rewrite = flag.Bool("rewrite", false, "write the story in testdata anew")

func TestTheStoryOfAPingIsToldAsWritten(t *testing.T) {
	_, a, b := newPair(t)
	o := a.host.Ping(b.host.Addr)
	o.OK(t)
	story(t, "vpc-to-vpc.txt", o.Walks.String())
}

// story holds a story to the one that is written.
func story(t *testing.T, file, text string) {
	t.Helper()
	name := filepath.Join("testdata", file)
	if *rewrite {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, string(want), text)
}

func TestATransitGatewayRoutesByTheTableOfTheAttachment(t *testing.T) {
	t.Run("C141 it takes one from the TTL each way", func(t *testing.T) {
		_, a, b := newPair(t)
		r := a.host.Host.Ping(b.host.Addr, host.PingConfig{Count: 1})
		require.Len(t, r.Replies, 1)
		require.Equal(t, uint8(254), r.Replies[0].TTL)
		require.Equal(t, 1, a.host.Host.Ping(b.host.Addr, host.PingConfig{Count: 1, TTL: 2}).Received)
		require.Zero(t, a.host.Host.Ping(b.host.Addr, host.PingConfig{Count: 1, TTL: 1}).Received)
	})
	t.Run("no route", func(t *testing.T) {
		n, a, b := newPair(t)
		n.must(n.table().DisablePropagation(b.attach))
		a.host.Ping(b.host.Addr).Dropped(t, trace.TransitNoRoute)
	})
	t.Run("no association", func(t *testing.T) {
		n, a, b := newPair(t)
		n.must(n.table().Disassociate(a.attach))
		a.host.Ping(b.host.Addr).Dropped(t, trace.TransitUnassociated)
		b.host.Ping(a.host.Addr).Dropped(t, trace.TransitUnassociated) // the reply
	})
	t.Run("a table of its own for each side", func(t *testing.T) {
		n, a, b := newPair(t)
		own, err := n.g.CreateRouteTable(tgw.RouteTableConfig{Name: "table of a"})
		n.must(err, n.table().Disassociate(a.attach), own.Associate(a.attach))
		a.host.Ping(b.host.Addr).Dropped(t, trace.TransitNoRoute)
		n.must(own.EnablePropagation(b.attach))
		a.host.Ping(b.host.Addr).OK(t)
	})
	t.Run("C096 a black hole beneath a wider route", func(t *testing.T) {
		n, a, b := newPair(t)
		n.must(n.table().CreateBlackhole("10.2.0.0/24"))
		a.host.Ping(b.host.Addr).Dropped(t, trace.TransitBlackhole)
		other := b.Subnet("10.2.1.0/24")
		other.Route("0.0.0.0/0", n.g)
		h := other.Host("other")
		a.host.Ping(h.Addr).OK(t)
	})
	t.Run("C097 static before propagated", func(t *testing.T) {
		n, a, b := newPair(t)
		n.must(n.table().CreateRoute("10.2.0.0/16", a.attach))
		require.NotContains(t, a.host.Ping(b.host.Addr).Walks.String(), "host of b in")
		n.must(n.table().DeleteRoute("10.2.0.0/16"))
		a.host.Ping(b.host.Addr).OK(t)
	})
	t.Run("C037 an equal CIDR is not propagated twice", func(t *testing.T) {
		n, a, b := newPair(t)
		twin := n.branch("twin", "10.2")
		var rows []string
		for _, r := range n.table().Routes() {
			rows = append(rows, r.Destination.String()+" "+r.Attachment.Label())
		}
		require.Equal(t, []string{"10.1.0.0/16 a", "10.2.0.0/16 b"}, rows)
		require.Contains(t, a.host.Ping(b.host.Addr).Walks.String(), "host of b in")
		for _, x := range []*branch{a, b, twin} {
			n.must(n.table().DisablePropagation(x.attach))
		}
		n.must(n.table().CreateRoute("10.2.0.0/24", twin.attach), n.table().CreateRoute("10.1.0.0/16", a.attach))
		require.Contains(t, a.host.Ping(b.host.Addr).Walks.String(), "host of twin in")
	})
	t.Run("a CIDR that is added is propagated", func(t *testing.T) {
		n, a, b := newPair(t)
		n.must(b.AssociateCIDR("10.9.0.0/16"))
		s := b.Subnet("10.9.0.0/24")
		s.Route("0.0.0.0/0", n.g)
		h := s.Host("late")
		a.host.Ping(h.Addr).OK(t)
	})
	t.Run("its interfaces take nothing for themselves", func(t *testing.T) {
		_, a, b := newPair(t)
		a.host.Ping(a.attach.Interfaces()[0].PrivateIP()).Dropped(t, trace.TransitAddress)
		a.host.Ping(b.attach.Interfaces()[0].PrivateIP()).Dropped(t, trace.TransitAddress)
	})
	t.Run("what is deleted leaves black holes", func(t *testing.T) {
		n, a, b := newPair(t)
		n.must(n.table().CreateRoute("10.2.0.0/16", b.attach), b.attach.Delete())
		a.host.Ping(b.host.Addr).Dropped(t, trace.TransitBlackhole)
		b.host.Ping(a.host.Addr).Dropped(t, trace.Blackhole)
		n.must(a.attach.Delete(), n.g.Delete())
		a.host.Ping(b.host.Addr).Dropped(t, trace.Blackhole)
	})
}

func TestAnInterfaceOfAnAttachmentIsTheWayIntoTheGateway(t *testing.T) {
	t.Run("C036 whatever the destination", func(t *testing.T) {
		n := newNet(t, tgw.Config{NoDefaultPropagation: true})
		web := n.branch("web", "10.64")
		v := n.VPC("10.64.0.0/16", "10.2.0.0/16")
		v.Subnet("10.64.0.0/24") // whose CIDR the route below takes away from local
		inner := v.Subnet("10.2.2.0/24")
		client := inner.Host("client")
		a := n.attach(tgw.AttachmentConfig{Name: "client"}, inner)
		inner.Route("10.64.0.0/24", a.Interfaces()[0])
		n.must(n.table().CreateRoute("10.64.0.0/24", web.attach), n.table().CreateRoute("10.2.2.0/24", a))
		o := client.Ping(web.host.Addr)
		o.OK(t)
		require.Contains(t, o.Walks.String(), "host of web in")
	})
	t.Run("C061 the gateway itself is refused where the VPC is not attached", func(t *testing.T) {
		n := newNet(t, tgw.Config{})
		v := n.VPC("10.1.0.0/16")
		require.EqualError(t, v.MainRouteTable().CreateRoute("10.9.0.0/16", n.g),
			"InvalidTransitGatewayID.NotFound: The transitGateway ID '"+n.g.ID()+"' does not exist")
	})
}

func TestNetworkACLsAtAnAttachment(t *testing.T) {
	t.Run("C111 in subnets apart four directions count and two do not", func(t *testing.T) {
		const of1, of2 = "10.1.0.0/16", "10.2.0.0/16"
		for name, c := range map[string]struct {
			in, out string // what the attachment subnet of b denies
			end     trace.Reason
		}{
			"to the host: outbound by destination":       {out: of2, end: trace.ACLEgress},
			"to the host: inbound is not asked":          {in: of1, end: trace.None},
			"from the host: inbound by source":           {in: of2, end: trace.ACLIngress},
			"from the host: outbound by destination not": {out: of1, end: trace.None},
		} {
			t.Run(name, func(t *testing.T) {
				n, a, b := newPair(t)
				n.acl(b.VPC, b.door, c.in, c.out)
				o := a.host.Ping(b.host.Addr)
				if c.end == trace.None {
					o.OK(t)
					return
				}
				o.Dropped(t, c.end)
			})
		}
	})
	t.Run("C110 in the host's own subnet what comes is not asked, what goes is asked twice", func(t *testing.T) {
		n := newNet(t, tgw.Config{})
		a := n.branch("a", "10.1")
		v := n.VPC("10.2.0.0/16")
		s := v.Subnet("10.2.0.0/24")
		h := s.Host("b")
		h.Allow(vpc.AllTraffic("0.0.0.0/0"))
		n.attach(tgw.AttachmentConfig{Name: "b"}, s)
		s.Route("0.0.0.0/0", n.g)
		n.acl(v, s, "10.1.0.0/16", "10.2.0.0/16") // what comes would be denied in both directions
		a.host.Ping(h.Addr).OK(t)
		n.acl(v, s, "10.2.0.0/16", "")
		a.host.Ping(h.Addr).Dropped(t, trace.ACLIngress)
		n.acl(v, s, "", "10.1.0.0/16")
		a.host.Ping(h.Addr).Dropped(t, trace.ACLEgress)
	})
}

func TestWhatEntersAVPCIsRoutedByTheAttachmentsSubnet(t *testing.T) {
	egress := func(t *testing.T, behind bool) (a *branch, server *vpctest.Host) {
		n := newNet(t, tgw.Config{})
		a = n.branch("a", "10.1")
		v := n.VPC("10.3.0.0/16")
		public := v.Subnet("10.3.0.0/24")
		nat := public.NATGateway()
		public.Route("0.0.0.0/0", v.InternetGateway())
		door := public
		if behind {
			door = v.Subnet("10.3.255.0/28")
			door.Route("0.0.0.0/0", nat)
		}
		c := n.attach(tgw.AttachmentConfig{Name: "egress"}, door)
		n.must(public.RouteTable().CreateRoute("10.1.0.0/16", n.g), n.table().CreateRoute("0.0.0.0/0", c))
		return a, n.OnInternet("198.51.100.7")
	}
	t.Run("C138 to a NAT gateway and out", func(t *testing.T) {
		a, server := egress(t, true)
		a.host.Ping(server.Addr).OK(t)
	})
	t.Run("C138 in a public subnet the internet gateway knows no such source", func(t *testing.T) {
		a, server := egress(t, false)
		a.host.Ping(server.Addr).Dropped(t, trace.SpoofedSource)
	})
}

func TestPacketsOver8500Bytes(t *testing.T) {
	t.Run("C146 an error comes where they may not be fragmented", func(t *testing.T) {
		_, a, b := newPair(t)
		r := a.host.Host.Ping(b.host.Addr, host.PingConfig{Count: 1, Size: tgw.MTU - 28, DontFragment: true})
		require.Equal(t, 1, r.Received)
		r = a.host.Host.Ping(b.host.Addr, host.PingConfig{Count: 1, Size: tgw.MTU - 27, DontFragment: true})
		require.Zero(t, r.Received)
		require.Len(t, r.Errors, 1)
		require.Equal(t, a.attach.Interfaces()[0].PrivateIP(), r.Errors[0].From)
		require.Equal(t, tgw.MTU, r.Errors[0].MTU)
	})
	t.Run("C146 and silence where they may", func(t *testing.T) {
		n, a, b := newPair(t)
		log := n.Trace()
		log.Clear()
		h := wire.Header{Src: wire.AddrFrom(a.host.Addr), Dst: wire.AddrFrom(b.host.Addr), TTL: 64}
		_, err := a.host.SendIP(wire.AppendUDP(nil, h, 7, 7, make([]byte, tgw.MTU)))
		n.must(err)
		n.Run(time.Second)
		require.Len(t, log.Walks(), 1)
		require.Equal(t, trace.TooBig, log.Walks()[0].End())
	})
}

func TestIPv6IsCarriedWhereAttachmentsSaySo(t *testing.T) {
	for name, six := range map[string]bool{"with": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			n := newNet(t, tgw.Config{})
			hosts := make([]*vpctest.Host, 2)
			for i, c := range []struct{ four, six, sub4, sub6 string }{
				{"10.1.0.0/16", "2001:db8:1::/56", "10.1.0.0/24", "2001:db8:1::/64"},
				{"10.2.0.0/16", "2001:db8:2::/56", "10.2.0.0/24", "2001:db8:2::/64"},
			} {
				v, err := n.Region.CreateVPC(c.four, vpc.VPCConfig{IPv6: netip.MustParsePrefix(c.six)})
				n.must(err)
				s, err := v.CreateSubnet(c.sub4, vpc.SubnetConfig{IPv6: netip.MustParsePrefix(c.sub6), AssignIPv6OnCreation: true})
				n.must(err)
				_, err = n.g.Attach(tgw.AttachmentConfig{IPv6: six}, s)
				n.must(err, v.MainRouteTable().CreateRoute("::/0", n.g))
				in, err := s.RunInstance(vpc.InstanceConfig{})
				n.must(err, v.DefaultSecurityGroup().AuthorizeIngress(vpc.AllTraffic("::/0")))
				h, err := n.Boot(in, host.Config{})
				n.must(err)
				hosts[i] = &vpctest.Host{Host: h, Interface: in.Interface()}
			}
			want := 0
			if six {
				want = 1
			}
			r := hosts[0].Host.Ping(hosts[1].Interface.IPv6()[0], host.PingConfig{Count: 1})
			require.Equal(t, want, r.Received)
		})
	}
}

// sink is a guest that takes everything.
type sink struct{ n int }

func (s *sink) Frame([]byte) trace.Reason {
	s.n++
	return trace.Delivered
}

func TestAKnownFlowAllocatesNothing(t *testing.T) {
	n, a, b := newPair(t)
	n.Engine.Log = nil
	live := n.Live(n.Region)
	to := &sink{}
	live.Port(b.host.Interface).Plug(to)
	h := wire.Header{Src: wire.AddrFrom(a.host.Addr), Dst: wire.AddrFrom(b.host.Addr), TTL: 64}
	ip, from := wire.AppendUDP(nil, h, 7, 7, []byte("payload")), live.Interface(a.host.Interface).Out()
	send := func() {
		n.Engine.Send(from, ip)
		n.Clock.Run(n.Clock.Now() + time.Millisecond)
	}
	least := testing.AllocsPerRun(100, send)
	for range 2 { // the garbage collector's own are no packet's
		least = min(least, testing.AllocsPerRun(100, send))
	}
	require.Zero(t, least)
	require.Equal(t, 3*101, to.n)
}
