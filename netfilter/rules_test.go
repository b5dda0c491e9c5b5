package netfilter_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/netfilter"
	"github.com/vpcsim/vpcsim/wire"
)

func TestARefusedCommandSaysWhyAndChangesNothing(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"", `command line is empty, expected "iptables" or "ip6tables"`},
		{"nft list ruleset", `program "nft": expected "iptables" or "ip6tables"`},
		{"iptables", "iptables: no command specified, expected one of -A -I -D -C -F -Z -P -L -S"},
		{"iptables -t mangle -L", `iptables: table "mangle": expected nat or filter`},
		{"iptables -A DOCKER -j ACCEPT", `iptables: chain "DOCKER": no chain by that name`},
		{"iptables -A PREROUTING -j ACCEPT", `iptables: chain "PREROUTING": the table "filter" has none by that name`},
		{"iptables -A INPUT -s 10.0.0.300 -j DROP", `iptables: "10.0.0.300" is no IPv4 address or network`},
		{"ip6tables -A INPUT -s 10.0.0.1 -j DROP", `ip6tables: "10.0.0.1" is no IPv6 address or network`},
		{"iptables -A INPUT -p tcp --dport http -j DROP", `iptables: option "--dport": "http" is no port number, expected 0 to 65535`},
		{"iptables -A INPUT -p tcp --dport 9:8 -j DROP", `iptables: option "--dport": range "9:8": the last port is below the first`},
		{"iptables -A INPUT --dport 80 -j DROP", `iptables: unknown option "--dport"`},
		{"iptables -A INPUT -j LOG", `iptables: target "LOG": not known here, expected ACCEPT, DROP, RETURN, REJECT, MASQUERADE, SNAT, DNAT or NETMAP`},
		{"iptables -A INPUT -m owner -j DROP", `iptables: match "owner": not known here, expected tcp, udp, icmp, conntrack, state, multiport or comment`},
		{"iptables -A INPUT -j MASQUERADE", `iptables: target "MASQUERADE": expected the table "nat"`},
		{"iptables -t nat -A PREROUTING -j MASQUERADE", `iptables: target "MASQUERADE": can't stand in chain PREROUTING`},
		{"iptables -t nat -A POSTROUTING -j SNAT", `iptables: target "SNAT": expected --to-source`},
		{"iptables -t nat -A POSTROUTING -j SNAT --to-source 1.2.3.4:80", `iptables: target "SNAT": ports need -p tcp or -p udp`},
		{"iptables -t nat -A POSTROUTING -j SNAT --to-source 1.2.3.9-1.2.3.4", `iptables: option "--to-source": range "1.2.3.9-1.2.3.4": the last address is below the first`},
		{"iptables -t nat -A POSTROUTING -i eth0 -j ACCEPT", `iptables: option "-i": can't be used with chain POSTROUTING`},
		{"iptables -t nat -A POSTROUTING -j DROP", `iptables: target "DROP": the table "nat" is not for filtering`},
		{"iptables -D INPUT 1", "iptables: rule 1: index of deletion too big, the chain INPUT has 0 rules"},
		{"iptables -I INPUT 2 -j DROP", "iptables: rule 2: index of insertion too big, the chain INPUT has 0 rules"},
		{"iptables -D INPUT -p tcp -j DROP", `iptables: rule " -p tcp -j DROP": the chain INPUT has none that is the same`},
		{"iptables -A INPUT -m comment --comment 'x", `command line "iptables -A INPUT -m comment --comment 'x": a quotation mark is not closed`},
	} {
		tables := netfilter.New(netfilter.Config{})
		before := listAll(t, tables)
		out, err := tables.Command(c.line)
		require.EqualError(t, err, c.want, c.line)
		require.Empty(t, out)
		require.Equal(t, before, listAll(t, tables), c.line)
	}
}

func listAll(t *testing.T, tables *netfilter.Tables) string {
	var b strings.Builder
	for _, line := range []string{"iptables -S", "iptables -t nat -S", "ip6tables -S", "ip6tables -t nat -S"} {
		out, err := tables.Command(line)
		require.NoError(t, err)
		b.WriteString(out)
	}
	return b.String()
}

// FuzzCommand holds that what -S prints makes the same rules again.
func FuzzCommand(f *testing.F) {
	for _, line := range []string{
		"iptables -t nat -A POSTROUTING -o eth0 -s 10.0.0.0/16 -j MASQUERADE",
		"iptables -A FORWARD -p tcp -m multiport --dports 80,443 -m state --state NEW -j REJECT --reject-with tcp-reset",
		"ip6tables -t nat -A PREROUTING -p udp --dport 53 -j DNAT --to-destination [2001:db8::1]:5353-5360 --persistent",
		"iptables -I INPUT 1 ! -s 10.0.0.0/255.0.0.0 ! -i eth+ -p icmp --icmp-type 3/4 -j DROP",
		"iptables -nvL FORWARD", "iptables -A INPUT -m comment --comment 'a \"b\"' -j DROP",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		first := netfilter.New(netfilter.Config{})
		if _, err := first.Command(line); err != nil {
			return
		}
		second := netfilter.New(netfilter.Config{})
		for _, program := range []string{"iptables", "ip6tables"} {
			for _, table := range []string{"nat", "filter"} {
				rules, err := first.Command(program + " -t " + table + " -S")
				require.NoError(t, err)
				for rule := range strings.Lines(rules) {
					_, err := second.Command(program + " -t " + table + " " + rule)
					require.NoError(t, err, rule)
				}
			}
		}
		require.Equal(t, listAll(t, first), listAll(t, second))
	})
}

// guest is a NAT instance: one interface in and out.
type guest struct {
	t      *testing.T
	tables *netfilter.Tables
	now    time.Duration
}

var guestAddr = wire.MustParseAddr("10.0.0.5")

func natInstance(t *testing.T) *guest {
	g := &guest{t: t, tables: netfilter.New(netfilter.Config{Seed: 1})}
	_, err := g.tables.Command("iptables -t nat -A POSTROUTING -o eth0 -s 10.0.0.0/16 -j MASQUERADE")
	require.NoError(t, err)
	return g
}

// forward leads a packet through; it returns what leaves, nil where nothing does.
func (g *guest) forward(b []byte) *wire.Packet {
	g.now += time.Millisecond
	p := new(wire.Packet)
	require.NoError(g.t, p.Read(b))
	w := netfilter.Passage{Packet: p, In: "eth0"}
	if g.tables.Prerouting(&w, g.now) != netfilter.Accept {
		return nil
	}
	w.Out, w.OutAddr = "eth0", guestAddr
	if g.tables.Forward(&w, g.now) != netfilter.Accept || g.tables.Postrouting(&w, g.now) != netfilter.Accept {
		return nil
	}
	require.NoError(g.t, p.VerifyChecksum())
	return p
}

var (
	vm1    = wire.MustParseAddr("10.0.1.10")
	vm2    = wire.MustParseAddr("10.0.1.11")
	server = wire.MustParseAddr("198.51.100.7")
)

func tcp(src, dst wire.Addr, sport, dport uint16, flags wire.TCPFlags) []byte {
	return wire.AppendTCP(nil, wire.Header{Src: src, Dst: dst, TTL: 64},
		wire.Segment{SrcPort: sport, DstPort: dport, Flags: flags}, nil)
}

func TestTheFirstPacketOfAConnectionAloneCounts(t *testing.T) {
	g := natInstance(t)
	for range 30 {
		g.forward(tcp(vm1, server, 40000, 80, wire.SYN))
	}
	g.forward(tcp(server, guestAddr, 80, 40000, wire.SYN|wire.ACK))
	g.forward(tcp(vm2, server, 40000, 80, wire.SYN))
	out, err := g.tables.Command("iptables -t nat -L -v -n")
	require.NoError(t, err)
	require.Equal(t, `Chain PREROUTING (policy ACCEPT 2 packets, 80 bytes)
 pkts bytes target     prot opt in     out     source               destination         

Chain INPUT (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         

Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         

Chain POSTROUTING (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         
    2    80 MASQUERADE  all  --  *      eth0    10.0.0.0/16          0.0.0.0/0           
`, out)
}

func TestCountersAreShortenedAsIptablesDoes(t *testing.T) {
	for _, c := range []struct {
		packets int
		want    string
	}{{99_999, "99999"}, {100_000, " 100K"}} {
		tables := netfilter.New(netfilter.Config{})
		_, err := tables.Command("iptables -A INPUT -j ACCEPT")
		require.NoError(t, err)
		var p wire.Packet
		require.NoError(t, p.Read(tcp(vm1, guestAddr, 1, 2, wire.SYN)))
		for range c.packets {
			tables.Input(&netfilter.Passage{Packet: &p}, 0)
		}
		out, err := tables.Command("iptables -nvL INPUT 1")
		require.NoError(t, err)
		require.Equal(t, c.want, out[:5])
	}
}

func TestCasesOfTheNATInstance(t *testing.T) {
	t.Run("C125 a clash takes another port of the same class", func(t *testing.T) {
		for _, c := range []struct{ port, lo, hi uint16 }{
			{40000, 1024, 65535}, {1024, 1024, 65535}, {700, 600, 1023}, {1023, 600, 1023}, {500, 1, 511},
		} {
			g := natInstance(t)
			first := g.forward(tcp(vm1, server, c.port, 80, wire.SYN))
			require.Equal(t, wire.Flow{Src: guestAddr, Dst: server, SrcPort: c.port, DstPort: 80, Proto: wire.ProtoTCP}, first.Flow)
			second := g.forward(tcp(vm2, server, c.port, 80, wire.SYN)).Flow
			require.Equal(t, guestAddr, second.Src)
			require.NotEqual(t, c.port, second.SrcPort)
			require.True(t, second.SrcPort >= c.lo && second.SrcPort <= c.hi, "%d", second.SrcPort)
			back := g.forward(tcp(server, guestAddr, 80, second.SrcPort, wire.SYN|wire.ACK)).Flow
			require.Equal(t, wire.Flow{Src: server, Dst: vm2, SrcPort: 80, DstPort: c.port, Proto: wire.ProtoTCP}, back)
		}
	})
	t.Run("C126 of two pings with one identifier both get their replies", func(t *testing.T) {
		g := natInstance(t)
		ids := map[uint16]bool{}
		for _, vm := range []wire.Addr{vm1, vm2} {
			p := g.forward(wire.AppendICMP(nil, wire.Header{Src: vm, Dst: server, TTL: 64}, wire.ICMPEcho, 0, 31391<<16|1, nil))
			require.False(t, ids[p.Flow.SrcPort])
			ids[p.Flow.SrcPort] = true
			r := g.forward(wire.AppendICMP(nil, wire.Header{Src: server, Dst: guestAddr, TTL: 64}, wire.ICMPEchoReply, 0, uint32(p.Flow.SrcPort)<<16|1, nil))
			require.Equal(t, wire.Flow{Src: server, Dst: vm, DstPort: 31391, Proto: wire.ProtoICMP}, r.Flow)
		}
		require.True(t, ids[31391])
	})
	t.Run("C128 a forgotten connection goes on from inside, not from outside", func(t *testing.T) {
		g := natInstance(t)
		g.forward(tcp(vm1, server, 40000, 80, wire.SYN))
		g.forward(tcp(server, guestAddr, 80, 40000, wire.SYN|wire.ACK))
		g.tables.Forget(g.now)
		outside := g.forward(tcp(server, guestAddr, 80, 40000, wire.ACK)).Flow
		require.Equal(t, guestAddr, outside.Dst, "not translated: the guest's own, who answers with RST")
		g.tables.Forget(g.now)
		inside := g.forward(tcp(vm1, server, 40000, 80, wire.ACK)).Flow
		require.Equal(t, guestAddr, inside.Src)
		require.Equal(t, uint16(40000), inside.SrcPort)
		require.Equal(t, vm1, g.forward(tcp(server, guestAddr, 80, 40000, wire.ACK)).Flow.Dst)
	})
	t.Run("C024 a source outside of the rule's network stays as it is", func(t *testing.T) {
		g := natInstance(t)
		vm := wire.MustParseAddr("10.5.0.10")
		require.Equal(t, vm, g.forward(tcp(vm, server, 40000, 80, wire.SYN)).Flow.Src)
	})
}

func TestASocketKeepsItsTranslationTowardsOtherPeers(t *testing.T) {
	g := natInstance(t)
	g.forward(tcp(vm1, server, 40000, 80, wire.SYN))
	picked := g.forward(tcp(vm2, server, 40000, 80, wire.SYN)).Flow.SrcPort
	other := wire.MustParseAddr("198.51.100.8")
	require.Equal(t, picked, g.forward(tcp(vm2, other, 40000, 80, wire.SYN)).Flow.SrcPort)
}

func TestTheRangesOfSourcesAndPortsAreKept(t *testing.T) {
	tables := netfilter.New(netfilter.Config{Seed: 5})
	for _, line := range []string{
		"iptables -t nat -A POSTROUTING -p tcp -j SNAT --to-source 192.0.2.4-192.0.2.6:2000-2002",
		"iptables -t nat -A PREROUTING -p tcp --dport 99 -j DNAT --to-destination 10.0.1.10-10.0.1.12:90-91",
	} {
		_, err := tables.Command(line)
		require.NoError(t, err)
	}
	g := &guest{t: t, tables: tables}
	seen, dropped := map[wire.Flow]bool{}, 0
	for host := range byte(9) {
		for port := range uint16(4) {
			p := g.forward(tcp(wire.AddrFrom4([4]byte{10, 0, 7, host}), server, 1+port, 99, wire.SYN))
			if p == nil {
				dropped++
				continue
			}
			f := p.Flow
			require.True(t, f.SrcPort >= 2000 && f.SrcPort <= 2002, "%v", f)
			require.Contains(t, []uint16{90, 91}, f.DstPort)
			require.Contains(t, []string{"192.0.2.4", "192.0.2.5", "192.0.2.6"}, f.Src.String())
			require.False(t, seen[f], "%v twice", f)
			seen[f] = true
		}
	}
	require.Positive(t, len(seen))
	require.LessOrEqual(t, len(seen), 3*3*2*3, "3 addresses and ports, to 3 addresses and 2 ports")
	require.Positive(t, dropped, "36 connections find too few ports towards some destination")
}

func TestAnEstablishedConnectionAllocatesNothing(t *testing.T) {
	g := natInstance(t)
	b := tcp(vm1, server, 40000, 80, wire.SYN)
	g.forward(b)
	g.forward(tcp(server, guestAddr, 80, 40000, wire.SYN|wire.ACK))
	out := tcp(vm1, server, 40000, 80, wire.ACK)
	scratch := make([]byte, len(out))
	var p wire.Packet
	var w netfilter.Passage
	allocs := testing.AllocsPerRun(1000, func() {
		copy(scratch, out)
		if p.Read(scratch) != nil {
			panic("not read")
		}
		w = netfilter.Passage{Packet: &p, In: "eth0", Out: "eth0", OutAddr: guestAddr}
		v := [...]netfilter.Verdict{g.tables.Prerouting(&w, g.now), g.tables.Forward(&w, g.now), g.tables.Postrouting(&w, g.now)}
		if v != [...]netfilter.Verdict{netfilter.Accept, netfilter.Accept, netfilter.Accept} || p.Flow.Src != guestAddr {
			panic("not translated")
		}
	})
	require.Zero(t, allocs)
}
