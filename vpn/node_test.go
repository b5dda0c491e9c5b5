package vpn_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpn"
	"github.com/vpcsim/vpcsim/wire"
)

func TestAConnectionToAVirtualPrivateGateway(t *testing.T) {
	t.Run("C141 carries packets both ways and leaves the TTL alone", func(t *testing.T) {
		o := byVGW(t)
		v, desk := o.connect("vpn", vpn.Config{Static: true}, "192.168.0.9")
		o.must(v.CreateRoute("192.168.0.0/16"))
		r := o.app.Host.Ping(addr("192.168.0.9"), host.PingConfig{Count: 1})
		require.Len(t, r.Replies, 1)
		require.Equal(t, uint8(255), r.Replies[0].TTL)
		require.Equal(t, 1, desk.Ping(o.app.Addr, host.PingConfig{Count: 1}).Received)
	})
	t.Run("what BGP announces is propagated while a tunnel is up", func(t *testing.T) {
		o := byVGW(t)
		v, _ := o.connect("vpn", vpn.Config{}, "192.168.0.9")
		o.app.Ping(addr("192.168.0.9")).Dropped(t, trace.NoRoute)
		o.must(v.Announce(0, announce("192.168.0.0/16")...), v.Announce(1, announce("192.168.0.0/16")...))
		o.app.Ping(addr("192.168.0.9")).OK(t)
		o.must(v.SetTunnel(0, false))
		o.app.Ping(addr("192.168.0.9")).OK(t)
		o.must(v.SetTunnel(1, false))
		o.app.Ping(addr("192.168.0.9")).Dropped(t, trace.NoRoute)
		o.must(v.SetTunnel(0, true))
		o.app.Ping(addr("192.168.0.9")).OK(t)
	})
	t.Run("without a tunnel a static route is not propagated, and a table's own leads nowhere", func(t *testing.T) {
		o := byVGW(t)
		v, desk := o.connect("vpn", vpn.Config{Static: true}, "192.168.0.9")
		o.must(v.CreateRoute("192.168.0.0/16"), v.SetTunnel(0, false), v.SetTunnel(1, false))
		o.app.Ping(addr("192.168.0.9")).Dropped(t, trace.NoRoute)
		o.must(o.vpc.MainRouteTable().CreateRoute("192.168.0.0/16", o.private))
		o.app.Ping(addr("192.168.0.9")).Dropped(t, trace.VPNDown)
		require.Equal(t, "BAD_STATE_VPN", trace.VPNDown.Code())
		require.Zero(t, desk.Ping(o.app.Addr, host.PingConfig{Count: 1}).Received)
		o.must(v.SetTunnel(1, true))
		o.app.Ping(addr("192.168.0.9")).OK(t)
		require.Equal(t, 1, desk.Ping(o.app.Addr, host.PingConfig{Count: 1}).Received)
	})
	t.Run("over 1,446 bytes: cut where it may be, else dropped, and nobody is told", func(t *testing.T) {
		o := byVGW(t)
		v, _ := o.connect("vpn", vpn.Config{Static: true}, "192.168.0.9")
		o.must(v.CreateRoute("192.168.0.0/16"))
		ok, _ := o.ping("192.168.0.9", vpn.MTU-28)
		require.True(t, ok)
		ok, last := o.ping("192.168.0.9", vpn.MTU-27)
		require.False(t, ok)
		require.Equal(t, trace.TooBig, last.Reason)
		h := wire.Header{Src: wire.AddrFrom(o.app.Addr), Dst: wire.AddrFrom(addr("192.168.0.9")), TTL: 64, ID: 77}
		n := len(o.Trace().Walks())
		out := o.Live(o.Region).Interface(o.app.Interface).Out()
		require.Equal(t, trace.Fragmented, o.Engine.Send(out, wire.AppendUDP(nil, h, 5000, 53, make([]byte, 4000))))
		parts := o.Trace().Walks()[n+1:]
		require.Len(t, parts, 3)
		for _, w := range parts {
			require.Equal(t, trace.Delivered, w.Reason)
			require.LessOrEqual(t, w.Size, vpn.MTU)
		}
	})
	t.Run("deleted it is gone", func(t *testing.T) {
		o := byVGW(t)
		v, _ := o.connect("vpn", vpn.Config{Static: true}, "192.168.0.9")
		o.must(v.CreateRoute("192.168.0.0/16"), v.Delete())
		o.app.Ping(addr("192.168.0.9")).Dropped(t, trace.NoRoute)
	})
	t.Run("a site that is not connected is not modelled", func(t *testing.T) {
		o := byVGW(t)
		v, _ := o.connect("vpn", vpn.Config{Static: true}, "192.168.0.9")
		o.must(v.CreateRoute("192.168.0.0/16"), v.Connect(nil))
		o.app.Ping(addr("192.168.0.9")).Dropped(t, trace.Unmodelled)
	})
	t.Run("one gateway hands packets from site to site that BGP tells of", func(t *testing.T) {
		o := byVGW(t)
		a, left := o.connect("left", vpn.Config{}, "192.168.1.9")
		b, _ := o.connect("right", vpn.Config{}, "192.168.2.9")
		o.must(a.Announce(0, announce("192.168.1.0/24")...), b.Announce(0, announce("192.168.2.0/24")...))
		require.Equal(t, 1, left.Ping(addr("192.168.2.9"), host.PingConfig{Count: 1}).Received)
		require.Zero(t, left.Ping(addr("192.168.3.9"), host.PingConfig{Count: 1}).Received)
		o.must(b.SetTunnel(0, false))
		require.Zero(t, left.Ping(addr("192.168.2.9"), host.PingConfig{Count: 1}).Received)
	})
}

// way names the connection and tunnel that a packet left by.
func way(w trace.Story) string {
	for line := range strings.Lines(w.String()) {
		for _, name := range []string{"first", "second"} {
			for _, tunnel := range []string{"tunnel 1", "tunnel 2"} {
				if strings.Contains(line, name+" "+tunnel) && !strings.Contains(line, "inbound") {
					return name + " " + tunnel
				}
			}
		}
	}
	return ""
}

func TestTheBestWayIsTaken(t *testing.T) {
	for name, c := range map[string]struct {
		first, second vpn.Config
		a, b          []remote.Announcement
		want          string
	}{
		"C144 a static route before BGP": {
			second: vpn.Config{Static: true}, a: announce("192.168.0.0/16"), want: "second",
		},
		"a longer prefix before a static route": {
			second: vpn.Config{Static: true}, a: announce("192.168.0.0/24"), want: "first",
		},
		"the shorter AS_PATH": {
			a:    []remote.Announcement{{Prefix: siteCIDR, ASPath: 3}},
			b:    []remote.Announcement{{Prefix: siteCIDR, ASPath: 2, MED: 100}},
			want: "second",
		},
		"the lower MED": {
			a:    []remote.Announcement{{Prefix: siteCIDR, MED: 200}},
			b:    []remote.Announcement{{Prefix: siteCIDR, MED: 100}},
			want: "second",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := byVGW(t)
			first, _ := o.connect("first", c.first, "192.168.0.9")
			second, _ := o.connect("second", c.second, "192.168.0.9")
			if c.a != nil {
				o.must(first.Announce(0, c.a...))
			}
			if c.b != nil {
				o.must(second.Announce(0, c.b...))
			}
			if c.second.Static {
				o.must(second.CreateRoute("192.168.0.0/16"))
			}
			out := o.app.Ping(addr("192.168.0.9"))
			require.True(t, strings.HasPrefix(way(out.Walks), c.want), out.Walks)
		})
	}
	t.Run("a static route without a tunnel after BGP", func(t *testing.T) {
		o := byVGW(t)
		first, _ := o.connect("first", vpn.Config{}, "192.168.0.9")
		second, _ := o.connect("second", vpn.Config{Static: true}, "192.168.0.9")
		o.must(first.Announce(0, announce("192.168.0.0/16")...), second.CreateRoute("192.168.0.0/16"),
			second.SetTunnel(0, false), second.SetTunnel(1, false))
		require.Equal(t, "first tunnel 1", way(o.app.Ping(addr("192.168.0.9")).Walks))
	})
}

func TestAVPNAttachmentOfATransitGateway(t *testing.T) {
	t.Run("C141 takes one from the TTL each way, at the gateway", func(t *testing.T) {
		o := byTGW(t, tgw.Config{})
		v, desk := o.connect("first", vpn.Config{}, "192.168.0.9")
		o.must(v.Announce(0, announce("192.168.0.0/16")...))
		r := o.app.Host.Ping(addr("192.168.0.9"), host.PingConfig{Count: 1})
		require.Len(t, r.Replies, 1)
		require.Equal(t, uint8(254), r.Replies[0].TTL)
		require.Equal(t, 1, desk.Ping(o.app.Addr, host.PingConfig{Count: 1}).Received)
	})
	t.Run("a static route of the table leads to it, and nowhere without a tunnel", func(t *testing.T) {
		o := byTGW(t, tgw.Config{NoDefaultPropagation: true})
		v, _ := o.connect("first", vpn.Config{}, "192.168.0.9")
		o.app.Ping(addr("192.168.0.9")).Dropped(t, trace.TransitNoRoute)
		table := o.transit.DefaultRouteTable()
		o.must(table.CreateRoute("192.168.0.0/16", o.transit.Linked(v)))
		o.app.Ping(addr("192.168.0.9")).Dropped(t, trace.TransitNoRoute) // the reply
		o.must(table.CreateRoute("10.0.0.0/16", tgwAttachment(o)))
		o.app.Ping(addr("192.168.0.9")).OK(t)
		o.must(v.SetTunnel(0, false), v.SetTunnel(1, false))
		o.app.Ping(addr("192.168.0.9")).Dropped(t, trace.TransitVPNDown)
		require.Equal(t, "TGW_BAD_STATE_VPN", trace.TransitVPNDown.Code())
		o.must(v.Delete())
		o.app.Ping(addr("192.168.0.9")).Dropped(t, trace.TransitBlackhole)
	})
	t.Run("flows are spread over tunnels that announce alike", func(t *testing.T) {
		count := spreadOf(t, tgw.Config{})
		require.Len(t, count, 4)
		for _, n := range count {
			require.Greater(t, n, 2)
		}
	})
	t.Run("unless that is off", func(t *testing.T) { require.Len(t, spreadOf(t, tgw.Config{NoVPNECMP: true}), 1) })
	t.Run("which tunnel can be chosen from outside", func(t *testing.T) {
		o := byTGW(t, tgw.Config{})
		v, _ := o.connect("first", vpn.Config{}, "192.168.0.9")
		o.must(v.Announce(0, announce("192.168.0.0/16")...), v.Announce(1, announce("192.168.0.0/16")...))
		for k, want := range []string{"first tunnel 1", "first tunnel 2"} {
			o.Engine.Choose = func(at, what string, hash uint32, of int, _ dataplane.Options) int {
				if what == "tunnel" {
					require.Equal(t, 2, of)
					require.Equal(t, o.transit.Linked(v).ID(), at)
					return k
				}
				return int(hash % uint32(of))
			}
			require.Equal(t, want, way(o.app.Ping(addr("192.168.0.9")).Walks))
		}
	})
	t.Run("C146 over 8,500 bytes an error comes from a VPC's attachment, none for a VPN's", func(t *testing.T) {
		o := byTGW(t, tgw.Config{})
		v, _ := o.connect("first", vpn.Config{Static: true}, "192.168.0.9")
		o.must(v.CreateRoute("192.168.0.0/16"))
		ok, last := o.ping("192.168.0.9", 8600)
		require.False(t, ok)
		require.Equal(t, trace.Delivered, last.Reason, "the error")
		ok, last = o.ping("192.168.0.9", 1500)
		require.False(t, ok)
		require.Equal(t, trace.TooBig, last.Reason, "no error")
	})
}

// tgwAttachment is the VPC's attachment.
func tgwAttachment(o *office) *tgw.Attachment {
	return o.Region.Find(*tgw.DescribeVPCAttachments(o.Region).TransitGatewayVpcAttachments[0].TransitGatewayAttachmentId).(*tgw.Attachment)
}

// spreadOf counts the ways of 60 flows by two connections of two tunnels.
func spreadOf(t *testing.T, c tgw.Config) map[string]int {
	o := byTGW(t, c)
	for _, name := range []string{"first", "second"} {
		v, _ := o.connect(name, vpn.Config{}, "192.168.0.9")
		o.must(v.Announce(0, announce("192.168.0.0/16")...), v.Announce(1, announce("192.168.0.0/16")...))
	}
	count := map[string]int{}
	for range 60 {
		count[way(o.app.Ping(addr("192.168.0.9")).Walks)]++
	}
	return count
}
