package main

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/proxy"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

var rewrite = flag.Bool("rewrite", false, "write what the program prints to testdata")

func TestTheProgramPrintsTheSameInABubbleAndOutside(t *testing.T) {
	golden := "testdata/output.txt"
	check := func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, run(&out))
		if *rewrite {
			require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), out.String())
	}
	t.Run("in a bubble", func(t *testing.T) { synctest.Test(t, check) })
	t.Run("outside of a bubble", check)
}

// visit has the client get the page, and returns the network and its walks.
func visit(t *testing.T, v variant) (l *lab, log string, walks []*trace.Walk) {
	t.Helper()
	l, err := build(v)
	require.NoError(t, err)
	t.Cleanup(func() { l.pump.Close() })
	p, err := proxy.Run(l.pump, l.world, l.alb, proxy.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	access, stop, err := l.serve()
	require.NoError(t, err)
	t.Cleanup(stop)
	body, err := l.get("http://" + l.alb.DNSName() + "/")
	require.NoError(t, err)
	require.Equal(t, page, body)
	l.pump.Do(func() { walks = append(walks, l.world.Trace().Walks()...) })
	return l, access(), walks
}

func TestHTTPBetweenTwoVPCsWithTheSameAddresses(t *testing.T) {
	for _, v := range []variant{wide, narrow} {
		t.Run(v.name, func(t *testing.T) {
			l, log, walks := visit(t, v)
			node, nat := l.alb.Interfaces()[0].PrivateIP(), l.nat.PrivateIP()
			t.Run("C033 the load balancer's name leads to a private address", func(t *testing.T) {
				var asked, connected bool
				for _, w := range walks {
					asked = asked || w.From == "client" && w.First.Dst.Netip() == netip.MustParseAddr("10.64.0.2") && w.First.DstPort == 53
					connected = connected || asked && w.From == "client" && w.First.Dst.Netip() == node && w.First.DstPort == 80
				}
				require.True(t, asked && connected, "the client asks its VPC's resolver, and goes to what that says")
				require.True(t, netip.MustParsePrefix("10.0.2.0/24").Contains(node))
			})
			t.Run("C034 the server sees the load balancer, and is told of the NAT gateway", func(t *testing.T) {
				require.Equal(t, node.String()+` "GET / HTTP/1.1" 200 32 X-Forwarded-For="`+nat.String()+"\"\n", log)
			})
			t.Run("C034 each packet's way", func(t *testing.T) { ways(t, l, walks) })
			t.Run("C035 no packet of the client's enters the server's VPC", func(t *testing.T) {
				for _, w := range walks {
					for _, s := range w.Steps {
						inside := strings.HasPrefix(s.Node, "servers ") || s.NodeID == l.vpc2.ID() || s.Node == "web in"
						require.False(t, inside && w.From == "client", w.String())
						if inside && s.Node == "web in" {
							require.Equal(t, node, s.Flow.Src.Netip(), w.String())
						}
					}
				}
			})
			t.Run("the transit gateway is refused where its interface is accepted", func(t *testing.T) {
				require.EqualError(t, l.refusal, "InvalidParameterValue: The destination CIDR block 10.64.0.0/24 is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.")
				door := l.near.Interfaces()[0]
				var targets []string
				for _, r := range l.tables[l.balanced].Routes() {
					if r.Destination == netip.MustParsePrefix("10.64.0.0/24") {
						targets = append(targets, r.Target.ID())
						require.Equal(t, vpc.Active, r.State)
					}
				}
				require.Equal(t, []string{door.ID()}, targets)
			})
		})
	}
}

// ways holds the nodes of both connections' packets.
func ways(t *testing.T, l *lab, walks []*trace.Walk) {
	got := map[string][]string{}
	for _, w := range walks {
		if w.First.Proto != wire.ProtoTCP {
			continue
		}
		var nodes []string
		for _, s := range w.Steps {
			passed := strings.HasSuffix(s.Node, " router") || strings.HasSuffix(s.Node, " arrival") ||
				s.Node == "nat" || strings.HasPrefix(s.Node, "tgw") || strings.HasPrefix(s.Node, "alb in ")
			if passed && (len(nodes) == 0 || nodes[len(nodes)-1] != s.Node) {
				nodes = append(nodes, s.Node)
			}
		}
		name := w.From + " to " + w.First.Dst.String()
		if got[name] == nil {
			got[name] = nodes
		}
		require.Equal(t, got[name], nodes, "all packets of a flow go one way")
	}
	node, nat := l.alb.Interfaces()[0], l.nat.PrivateIP()
	alb := "alb in ap-northeast-3a"
	require.Equal(t, map[string][]string{
		"client to " + node.PrivateIP().String(): {"clients router", "nat arrival", "nat", "nat router", "VPC 1 router", "alb arrival", alb},
		node.ID() + " to " + nat.String():        {"alb router", "VPC 1 router", "nat arrival", "nat", "nat router", "VPC 1 router", "clients arrival"},
		node.ID() + " to " + address.String():    {"alb router", "alb arrival", "tgw", "servers router"},
		"web to " + node.PrivateIP().String():    {"servers router", "tgw attachment VPC 2", "servers arrival", "tgw", "alb router", alb},
	}, got)
}

func TestA1To1NATInstanceCarriesAnyProtocol(t *testing.T) {
	l, err := build(wide)
	require.NoError(t, err)
	defer l.pump.Close()
	instance, err := l.natInstance()
	require.NoError(t, err)
	seen, err := l.echo()
	require.NoError(t, err)
	for range 3 {
		c, err := l.client.Dial("udp", "10.1.0.10:5353")
		require.NoError(t, err)
		require.NoError(t, say(c, "any protocol"))
		require.Equal(t, "10.1.0.10:5353", c.RemoteAddr().String())
		c.Close()
	}
	require.Equal(t, instance.String(), <-seen)
}

// Path analysis works in segments: to the load balancer, and on from the transit
// gateway's interface, which takes no answer itself.
func TestPathAnalysisInSegments(t *testing.T) {
	l, err := build(wide)
	require.NoError(t, err)
	defer l.pump.Close()
	l.pump.Do(func() {
		p, err := reach.New(l.world, reach.Config{})
		require.NoError(t, err)
		first := p.Ask(reach.Spec{From: "client", To: l.alb.Interfaces()[0].PrivateIP().String(), Proto: "tcp", Port: 80})
		require.Equal(t, "open", string(first.Observed), first)
		second := p.Ask(reach.Spec{From: l.near.Interfaces()[0].ID(), To: "web", Proto: "tcp", Port: 80})
		require.True(t, second.Delivered, second.Story)
		require.Equal(t, []string{l.gateway.ID()}, slices.DeleteFunc(second.Way, func(id string) bool { return !strings.HasPrefix(id, "tgw-") }))
	})
}
