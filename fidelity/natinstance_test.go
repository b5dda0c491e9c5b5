package fidelity_test

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// natInstance is S003's network (F3): vm reaches the internet through a Linux
// instance that masquerades.
type natInstance struct {
	*net
	public, private *subnet
	vm, nat, server *guest
	atVM, atNAT     *tap
}

func newNATInstance(t *testing.T, nat machine) *natInstance {
	t.Helper()
	n := newNet(t, "")
	f := &natInstance{net: n, public: n.subnet("public", "10.0.0.0/24"), private: n.subnet("private", "10.0.1.0/24")}
	nat.addr, nat.linux.Forwarding = "10.0.0.5", true
	f.nat = f.public.launch("nat", nat)
	f.vm = f.private.launch("vm", machine{addr: "10.0.1.10"})
	f.server = n.internet("server", "198.51.100.7")
	f.public.route("0.0.0.0/0", n.igw)
	f.private.route("0.0.0.0/0", f.nat.nic)
	f.iptables("-t nat -A POSTROUTING -o eth0 -s 10.0.0.0/16 -j MASQUERADE")
	f.atVM, f.atNAT = n.tap(f.vm.nic), n.tap(f.nat.nic)
	return f
}

func (f *natInstance) iptables(line string) string {
	f.t.Helper()
	out, err := f.nat.IPTables(strings.Fields(line)...)
	f.must(err)
	return out
}

// working is the NAT instance as it must be: an Elastic IP address, the check off.
func working() machine { return machine{public: "203.0.113.5", noCheck: true} }

// serve answers each connection to a port with an upper-case echo.
func (g *guest) serve(n *net, at uint16) {
	_, err := g.ListenTCP(netip.AddrPortFrom(netip.Addr{}, at), func(c *host.Conn) {
		c.OnReadable(func(c *host.Conn) {
			if b := c.Next(); len(b) > 0 {
				c.Write([]byte(strings.ToUpper(string(b))))
			}
			if c.Ended() {
				c.Close()
			}
		})
	})
	n.must(err)
}

// ask sends a word and returns the answer.
func (n *net) ask(c *host.Conn, word string) string {
	n.t.Helper()
	_, err := c.Write([]byte(word))
	n.must(err)
	b := make([]byte, len(word))
	_, err = io.ReadFull(c, b)
	n.must(err)
	return string(b)
}

func TestNATInstance(t *testing.T) {
	t.Run("C018 seven steps out, and the same way back", func(t *testing.T) {
		f := newNATInstance(t, working())
		f.server.serve(f.net, 80)
		c, err := f.vm.Dial(port(f.server.addr, 80))
		f.must(err)
		walks := f.take()
		require.GreaterOrEqual(t, len(walks), 4)
		out1, out2, back1, back2 := walks[0], walks[1], walks[2], walks[3]

		require.Equal(t, "vm", out1.Steps[0].Node)
		require.Equal(t, "routes by 0.0.0.0/0 via 10.0.1.1 dev eth0", out1.Steps[0].String(), "its own default route")
		require.Equal(t, []string{"vm out", "private router", "public arrival", "nat in", "nat"}, nodes(out1))
		require.Equal(t, []string{"private table: 0.0.0.0/0 -> nat"}, routed(out1))
		require.Equal(t, trace.Forwarded, out1.End())

		require.Equal(t, "nat", out2.Steps[0].Node)
		require.Equal(t, "routes by 0.0.0.0/0 via 10.0.0.1 dev eth0", out2.Steps[0].String(), "its own default route")
		require.Equal(t, []string{"nat out", "public router", "igw outbound"}, nodes(out2)[:3])
		require.Equal(t, []string{"public table: 0.0.0.0/0 -> igw"}, routed(out2))
		require.Equal(t, "10.0.0.5", out2.First.Src.String(), "masqueraded")
		require.Equal(t, "203.0.113.5", out2.Last.Src.String(), "the Elastic IP address")
		require.Equal(t, out1.ID, out2.Cause)

		require.Equal(t, "203.0.113.5", back1.First.Dst.String())
		require.Equal(t, f.nat.addr, flowAt(back1, "igw inbound").Dst.Netip())
		require.Equal(t, []string{"igw inbound", "public arrival", "nat in", "nat"}, only(nodes(back1), "igw inbound", "public arrival", "nat in", "nat"))
		require.Equal(t, f.vm.addr, back2.Last.Dst.Netip())
		require.Equal(t, []string{"public table: 10.0.0.0/16 -> local"}, routed(back2))
		require.Equal(t, "HELLO", f.ask(c, "hello"))
		c.Close()
		f.settle()
		for _, p := range f.atVM.in() {
			require.Equal(t, f.server.addr, p.Flow.Src.Netip(), "the vm talks to nobody else")
		}
	})
	t.Run("C018 the instance takes one from the TTL each way, the internet gateway on the way out", func(t *testing.T) {
		f := newNATInstance(t, working())
		walks := f.reaches(f.vm, f.server.addr)
		require.EqualValues(t, 255-2, ttl(walks[1]))
		require.EqualValues(t, 64-1, f.atVM.in()[0].TTL())
	})
	t.Run("C019 with the check on the packet dies at the instance's interface", func(t *testing.T) {
		f := newNATInstance(t, machine{public: "203.0.113.5"})
		walks := f.dies(f.vm, f.server.addr, trace.DestinationCheck, "nat in")
		require.Equal(t, "ENI_SOURCE_DEST_CHECK_RESTRICTION", walks[0].End().Code())
		require.Empty(t, f.atNAT.in())
	})
	t.Run("C020 without an Elastic IP address the internet gateway drops it", func(t *testing.T) {
		f := newNATInstance(t, machine{noCheck: true})
		walks := f.dies(f.vm, f.server.addr, trace.NoPublicAddress, "igw outbound")
		require.Equal(t, "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", walks[len(walks)-1].End().Code())
	})
	t.Run("C021 the internet gateway masquerades nobody", func(t *testing.T) {
		f := newNATInstance(t, working())
		f.must(f.private.table.ReplaceRoute("0.0.0.0/0", f.igw))
		f.dies(f.vm, f.server.addr, trace.NoPublicAddress, "igw outbound")
	})
	t.Run("C022 the Elastic IP address is the instance alone", func(t *testing.T) {
		f := newNATInstance(t, working())
		walks := f.reaches(f.server, f.nat.public)
		require.Equal(t, f.nat.addr, flowAt(walks[0], "igw inbound").Dst.Netip())
		require.NotContains(t, nodes(walks...), "vm in")
		f.dies(f.server, f.vm.addr, trace.NoSuchHost, "internet")
		require.Empty(t, f.atVM.all)
	})
	t.Run("C023 with forwarding off the packet dies in the instance", func(t *testing.T) {
		f := newNATInstance(t, working())
		f.must(f.nat.Sysctl("net.ipv4.ip_forward", "0"))
		walks := f.dies(f.vm, f.server.addr, trace.NotForwarding, "nat in")
		require.Equal(t, trace.Delivered, walks[0].Reason, "the interface had nothing against it")
		require.Len(t, f.atNAT.in(), 1)
	})
	t.Run("C024 a source outside the rule's block leaves as it is, and the internet gateway drops it", func(t *testing.T) {
		f := newNATInstance(t, working())
		f.must(f.vpc.AssociateCIDR("10.5.0.0/16"))
		other := f.subnet("other", "10.5.0.0/24").route("0.0.0.0/0", f.nat.nic)
		vm2 := other.launch("vm2", machine{})
		walks := f.dies(vm2, f.server.addr, trace.NoPublicAddress, "igw outbound")
		require.Equal(t, vm2.addr, walks[len(walks)-1].Last.Src.Netip(), "unmasqueraded")
	})
}

// sources is the first step of the stock set-up script: the VPC's CIDR as the
// metadata service tells it, or any source where it does not.
func (f *natInstance) sources() string {
	f.t.Helper()
	answer, err := f.nat.HTTPGet("http://169.254.169.254/latest/meta-data/network/interfaces/macs/" +
		f.nat.nic.MAC().String() + "/vpc-ipv4-cidr-block")
	if err != nil || answer.StatusCode != http.StatusOK {
		return "0.0.0.0/0"
	}
	body, err := io.ReadAll(answer.Body)
	f.must(err)
	return string(body)
}

func TestNATInstanceScript(t *testing.T) {
	t.Run("C025 the metadata service tells the VPC's primary CIDR", func(t *testing.T) {
		f := newNATInstance(t, working())
		f.must(f.vpc.AssociateCIDR("10.5.0.0/16"))
		require.Equal(t, "10.0.0.0/16", f.sources())
	})
	t.Run("C025 where it does not answer, the rule takes any source", func(t *testing.T) {
		f := newNATInstance(t, working())
		f.must(f.vpc.AssociateCIDR("10.5.0.0/16"))
		f.iptables("-A OUTPUT -d 169.254.169.254 -j REJECT")
		require.Equal(t, "0.0.0.0/0", f.sources())
		f.iptables("-t nat -F POSTROUTING")
		f.iptables("-t nat -A POSTROUTING -o eth0 -s 0.0.0.0/0 -j MASQUERADE")
		other := f.subnet("other", "10.5.0.0/24").route("0.0.0.0/0", f.nat.nic)
		f.reaches(other.launch("vm2", machine{}), f.server.addr)
	})
	t.Run("C109 groups and ACLs that deny everything do not keep the metadata service away", func(t *testing.T) {
		f := newNATInstance(t, working())
		f.public.acl("deny", nil, nil)
		f.must(f.open.RevokeIngress(f.open.Ingress()...))
		f.silence(f.open)
		require.Equal(t, "10.0.0.0/16", f.sources())
		f.settle() // both ends close the connection
		f.dies(f.nat, f.vm.addr, trace.GroupEgress, "nat out")
	})
	t.Run("C074 a route for 169.254.0.0/16 does not take it elsewhere", func(t *testing.T) {
		f := newNATInstance(t, working())
		f.public.route("169.254.0.0/16", f.vm.nic)
		require.Equal(t, "10.0.0.0/16", f.sources())
		require.Empty(t, f.atVM.in())
	})
}

func TestLinuxMasquerade(t *testing.T) {
	// translated sends a datagram from each of two clients with the same source port
	// and returns the ports that the server sees.
	translated := func(t *testing.T, from uint16) (first, second uint16) {
		f := newNATInstance(t, working())
		vm2 := f.private.launch("vm2", machine{})
		server, err := f.server.ListenUDP(port(f.server.addr, 53))
		f.must(err)
		var ports []uint16
		for _, vm := range []*guest{f.vm, vm2} {
			c, err := vm.ListenUDP(port(vm.addr, from))
			f.must(err)
			_, err = c.Send(port(f.server.addr, 53), []byte("?"))
			f.must(err)
			d, ok := server.Read(time.Second)
			require.True(t, ok)
			ports = append(ports, d.Src.Port())
			_, err = server.Send(d.Src, []byte("!"))
			f.must(err)
			_, ok = c.Read(time.Second)
			require.True(t, ok, "the answer finds its way to %s", vm.Name())
		}
		return ports[0], ports[1]
	}
	for _, c := range []struct{ port, from, to uint16 }{
		{40000, 1024, 65535}, {1024, 1024, 65535}, {700, 600, 1023}, {500, 1, 511},
	} {
		t.Run("C125 the first client keeps its port, the second gets another of the same class", func(t *testing.T) {
			first, second := translated(t, c.port)
			require.Equal(t, c.port, first)
			require.NotEqual(t, c.port, second)
			require.GreaterOrEqual(t, second, c.from)
			require.LessOrEqual(t, second, c.to)
		})
	}
	t.Run("C126 the first ping keeps its identifier, the second gets another, both are answered", func(t *testing.T) {
		f := newNATInstance(t, working())
		vm2 := f.private.launch("vm2", machine{})
		var ids []uint16
		at := []*tap{f.atVM, f.tap(vm2.nic)}
		for i, vm := range []*guest{f.vm, vm2} {
			_, err := vm.SendIP(echo(vm.addr, f.server.addr, 31391, 1))
			f.must(err)
			f.settle()
			require.Len(t, at[i].in(), 1)
			require.Equal(t, wire.ICMPEchoReply, at[i].in()[0].Type)
			require.EqualValues(t, 31391, at[i].in()[0].icmp().ID())
			out := f.atNAT.out()
			for _, p := range out {
				if p.Type == wire.ICMPEcho {
					ids = append(ids, p.icmp().ID())
				}
			}
			f.atNAT.clear()
		}
		require.Len(t, ids, 2)
		require.EqualValues(t, 31391, ids[0])
		require.NotEqual(t, ids[0], ids[1])
	})
	t.Run("C127 a NAT instance is a hop with its own address, and answers ping", func(t *testing.T) {
		f := newNATInstance(t, working())
		r := f.vm.Traceroute(f.server.addr, host.TracerouteConfig{Numeric: true, Queries: 1})
		require.Equal(t, []string{"10.0.0.5", "invalid IP", "198.51.100.7"}, hops(r), "the internet gateway has no address to answer from")
		f.reaches(f.vm, f.nat.addr)
	})
	t.Run("C128 a connection goes on when its own side speaks first after the state is lost", func(t *testing.T) {
		f := newNATInstance(t, working())
		f.server.serve(f.net, 80)
		c, err := f.vm.Dial(port(f.server.addr, 80))
		f.must(err)
		require.Equal(t, "ONE", f.ask(c, "one"))
		f.nat.ForgetConnections()
		require.Equal(t, "TWO", f.ask(c, "two"))
	})
	t.Run("C128 and is reset at the far end when that speaks first, while its own side hangs", func(t *testing.T) {
		f := newNATInstance(t, working())
		var far *host.Conn
		_, err := f.server.ListenTCP(port(f.server.addr, 80), func(c *host.Conn) { far = c })
		f.must(err)
		near, err := f.vm.Dial(port(f.server.addr, 80))
		f.must(err)
		f.settle()
		f.nat.ForgetConnections()
		_, err = far.Write([]byte("news"))
		f.must(err)
		f.settle()
		require.ErrorIs(t, far.Err(), host.ErrReset)
		require.NoError(t, near.Err())
		require.Equal(t, host.Established, near.State())
	})
	t.Run("C117 a NAT instance puts fragments together and carries a large ping", func(t *testing.T) {
		f := newNATInstance(t, working())
		r := f.vm.Ping(f.server.addr, host.PingConfig{Size: 10000})
		require.Equal(t, 1, r.Received)
		for _, p := range f.atVM.out() {
			require.NotEqual(t, wire.Whole, p.Fragment)
		}
	})
	t.Run("S003 only the first packet of a connection counts at the rule", func(t *testing.T) {
		f := newNATInstance(t, working())
		r := f.vm.Ping(f.server.addr, host.PingConfig{Count: 5})
		require.Equal(t, 5, r.Received)
		require.Regexp(t, `(?m)^ +1 +84 MASQUERADE +all +-- +\* +eth0 +10\.0\.0\.0/16 +0\.0\.0\.0/0 *$`, f.iptables("-t nat -L -v -n"))
	})
}
