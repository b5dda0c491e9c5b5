package netfilter_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/netfilter"
	"github.com/vpcsim/vpcsim/wire"
)

func prefix(s string) wire.Prefix { return wire.PrefixFrom(netip.MustParsePrefix(s)) }

// routerRules are what both routers have.
var routerRules = []string{
	"iptables -t nat -A PREROUTING -i r1 -d 198.18.0.1 -p tcp --dport 8080 -j DNAT --to-destination 10.0.0.80:530",
	"iptables -t nat -A PREROUTING -i r1 -d 198.18.0.1 -p udp --dport 5353 -j DNAT --to-destination 10.0.0.53",
	"iptables -t nat -A PREROUTING -i r1 -d 198.18.5.0/24 -j NETMAP --to 10.0.5.0/24",
	"iptables -t nat -A POSTROUTING -o r1 -s 10.0.5.0/24 -j NETMAP --to 198.18.5.0/24",
	"iptables -t nat -A POSTROUTING -o r1 -s 10.0.6.0/24 -p udp -j SNAT --to-source 198.18.0.6:7000-7010",
	"iptables -t nat -A POSTROUTING -o r1 -s 10.0.6.0/24 -j SNAT --to-source 198.18.0.7",
	"iptables -t nat -A POSTROUTING -o r1 -s 10.0.7.0/24 -j RETURN",
	"iptables -t nat -A POSTROUTING -o r1 -s 10.0.0.0/16 -j MASQUERADE",
	"iptables -A FORWARD -m conntrack --ctstate INVALID -p udp -j DROP",
	"iptables -A FORWARD -p tcp -m multiport --dports 513,514 -j DROP",
	"iptables -A FORWARD -p udp --dport 520:522 -j REJECT",
	"iptables -A FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT",
	"iptables -A FORWARD -m conntrack --ctstate DNAT",
	"iptables -A FORWARD -i r0 ! -o r1 -j DROP",
	"ip6tables -t nat -A PREROUTING -i r1 -d 2001:db8:1::1 -p tcp --dport 8080 -j DNAT --to-destination [fd00:1::80]:530",
	"ip6tables -t nat -A POSTROUTING -o r1 -s fd00:1::/64 -j MASQUERADE",
	"ip6tables -A FORWARD -m conntrack --ctstate INVALID -p udp -j DROP",
	"ip6tables -A FORWARD -p udp --dport 520:522 -j REJECT",
}

// countsOf are the listings whose counters must agree at the end.
var countsOf = []string{
	"iptables -t nat -L -v -n -x", "iptables -L -v -n", "ip6tables -t nat -L -v -n", "ip6tables -L FORWARD -v -n",
}

// pair is a packet for the kernel and the same for the model. They differ where one
// is made of what came out of the routers, in the ports that these picked.
type pair struct{ kernel, model []byte }

// comparison throws pairs at both routers.
type comparison struct {
	t       *testing.T
	rng     *rand.Rand
	linux   *linuxRouter
	model   *modelRouter
	seen    [2][]pair               // packets that came out of each side, to answer and to complain about
	ports   map[wire.Flow]wire.Flow // of the model to the kernel's, where they differ
	changed int
	unlucky bool
	pending []pendingFragment
	story   []string
	given   [][2]uint16 // ports in which the packets just sent differ
}

func TestTheKernelAndThisPackageSendTheSamePackets(t *testing.T) {
	for seed := range uint64(3) {
		if compare(t, seed) {
			return
		}
		t.Log("a port that was picked at random is one of the traffic's own: once more")
	}
	t.Fatal("three times a port that was picked at random is one of the traffic's own")
}

// compare throws one seed's packets at both routers. It reports false where chance on
// one side made a clash that the other side can't have.
func compare(t *testing.T, seed uint64) (lucky bool) {
	c := &comparison{
		t:     t,
		rng:   rand.New(rand.NewPCG(seed, 11)),
		linux: newLinuxRouter(t),
		model: &modelRouter{tables: netfilter.New(netfilter.Config{Seed: 3})},
		ports: map[wire.Flow]wire.Flow{},
	}
	for _, line := range routerRules {
		c.linux.ns.Run(legacy(line))
		_, err := c.model.tables.Command(line)
		require.NoError(t, err)
	}
	out, kinds := 0, map[string]int{}
	for range 6000 {
		side, p, kind := c.next()
		n := c.exchange(side, p, kind)
		out += n
		kinds[kind] += n
		if c.unlucky {
			return false
		}
	}
	for _, kind := range []string{"fresh", "answer", "complaint", "fragments"} {
		require.Greater(t, kinds[kind], 100, "packets of kind %q that came out", kind)
	}
	require.Greater(t, c.changed, 20, "translations to other ports")
	for _, line := range countsOf {
		kernels := c.linux.ns.Run(legacy(line))
		ours, err := c.model.tables.Command(line)
		require.NoError(t, err)
		require.Equal(t, kernels, numbered(ours), line)
	}
	t.Logf("%d packets came out of both, %d with a port picked: %v", out, c.changed, kinds)
	return true
}

// legacy runs the iptables that speaks to the kernel as Amazon Linux 2's does; the
// one on top of nftables counts nothing for policies.
func legacy(line string) string { return strings.Replace(line, "tables ", "tables-legacy ", 1) }

// exchange sends a pair and compares what comes out; it returns how many packets did.
func (c *comparison) exchange(side int, p pair, kind string) int {
	c.t.Helper()
	kernels, models := c.linux.send(side, p.kernel), c.model.send(side, p.model)
	c.given = giving(p)
	what := func() string {
		return fmt.Sprintf("%s at side %d: %s\nkernel: %s\nmodel:  %s", kind, side, describe(p.kernel), describeAll(kernels), describeAll(models))
	}
	defer func() {
		c.story = append(c.story, what())
		if c.t.Failed() {
			c.retell(p.kernel)
		}
	}()
	require.Equal(c.t, len(kernels), len(models), "%s", what())
	for i, k := range kernels {
		m := models[i]
		require.Equal(c.t, k.side, m.side, "%s", what())
		same := pair{slices.Clone(k.packet), slices.Clone(m.packet)}
		why := c.normalize(&same, m.made, flagsOf(p.kernel))
		require.Empty(c.t, why, "%s", what())
		require.Equal(c.t, same.kernel, same.model, "%s", what())
		if !m.made {
			c.remember(k.side, pair{k.packet, m.packet})
		}
	}
	return len(kernels)
}

// retell logs what went before between the packet's two ends.
func (c *comparison) retell(packet []byte) {
	var p wire.Packet
	if p.Read(packet) != nil {
		return
	}
	end := strings.Fields(wire.Flow{Src: p.Flow.Src, SrcPort: p.Flow.SrcPort, Proto: p.Flow.Proto}.String())[0]
	if sideOf(p.Flow.Src) == 0 {
		end = strings.Fields(p.Flow.String())[2]
	}
	for _, s := range c.story {
		if strings.Contains(s, end+" ") {
			c.t.Log(s)
		}
	}
}

func flagsOf(b []byte) wire.TCPFlags {
	var p wire.Packet
	if p.Read(b) != nil {
		return 0
	}
	return p.Flags
}

func (c *comparison) remember(side int, p pair) {
	var k wire.Packet
	if k.Read(p.kernel) != nil || k.Fragment != wire.Whole || k.IsError() {
		return
	}
	if s := c.seen[side]; len(s) < 300 {
		c.seen[side] = append(s, p)
		return
	}
	c.seen[side][c.rng.IntN(300)] = p
}

// normalize gives the model's packet the kernel's picks: identifications of what a
// router made, ports chosen at random. It returns what is not to be explained by them.
func (c *comparison) normalize(same *pair, made bool, flags wire.TCPFlags) string {
	var k, m wire.Packet
	if err := k.Read(same.kernel); err != nil {
		return "kernel's packet: " + err.Error()
	}
	if err := m.Read(same.model); err != nil {
		return "model's packet: " + err.Error()
	}
	if made && k.Is4() {
		copyIdentification(same)
	}
	if !k.Is4() && k.Fragment != wire.Whole {
		at := bytes.IndexByte(same.kernel[6:7], 44) // no other extension header here
		copy(same.model[wire.IPv6Len+4+at:][:4], same.kernel[wire.IPv6Len+4+at:])
	}
	kf, mf := k.Flow, m.Flow
	if k.Fragment == wire.LaterFragment {
		return ""
	}
	if why := c.explain(kf, mf, flags); why != "" {
		return why
	}
	m.SetSrc(kf.Src, kf.SrcPort)
	m.SetDst(kf.Dst, kf.DstPort)
	ki, ok := k.Inner()
	mi, ok2 := m.Inner()
	if ok != ok2 {
		return "one of them quotes nothing"
	}
	if ok {
		if why := c.explain(ki.Flow, mi.Flow, flags); why != "" {
			return "quoted: " + why
		}
		mi.SetSrc(ki.Flow.Src, ki.Flow.SrcPort)
		mi.SetDst(ki.Flow.Dst, ki.Flow.DstPort)
	}
	return ""
}

// copyIdentification takes over identification and DF, which RFC 6864 leaves open.
func copyIdentification(same *pair) {
	copy(same.model[4:8], same.kernel[4:8])
	h := same.model[:wire.IPv4(same.model).HeaderLen()]
	h[10], h[11] = 0, 0
	binary.BigEndian.PutUint16(h[10:], wire.Checksum(h))
}

// explain says why two flows may not differ as they do. Their ports may, where those of
// the packets sent did, and where one was picked at random: then out of its class, and
// it stays.
func (c *comparison) explain(k, m wire.Flow, flags wire.TCPFlags) string {
	if k.Src != m.Src || k.Dst != m.Dst || k.Proto != m.Proto {
		return fmt.Sprintf("%v and %v differ in more than ports", k, m)
	}
	dst, src := [2]uint16{k.DstPort, m.DstPort}, [2]uint16{k.SrcPort, m.SrcPort}
	if dst[0] != dst[1] && !slices.Contains(c.given, dst) && c.ports[m.Reverse()] != k.Reverse() {
		return fmt.Sprintf("%v and %v: another destination port", k, m)
	}
	if src[0] == src[1] || slices.Contains(c.given, src) || c.ports[m] == k {
		return ""
	}
	if _, ok := c.ports[m]; ok && !flags.Has(wire.SYN) {
		return fmt.Sprintf("the kernel's port for %v was another one before", m)
	}
	if k.Proto != wire.ProtoICMP && k.Proto != wire.ProtoICMPv6 && class(k.SrcPort) != class(m.SrcPort) {
		return fmt.Sprintf("%v and %v are of different classes of ports", k, m)
	}
	own := slices.Concat(clientPorts, serverPorts)
	c.unlucky = c.unlucky || slices.Contains(own, k.SrcPort) || slices.Contains(own, m.SrcPort)
	c.ports[m] = k
	c.changed++
	return ""
}

// giving returns the ports in which the packets of a pair differ.
func giving(p pair) [][2]uint16 {
	var k, m wire.Packet
	if k.Read(p.kernel) != nil || m.Read(p.model) != nil {
		return nil
	}
	ports := [][2]uint16{{k.Flow.SrcPort, m.Flow.SrcPort}, {k.Flow.DstPort, m.Flow.DstPort}}
	ki, ok := k.Inner()
	if mi, ok2 := m.Inner(); ok && ok2 {
		ports = append(ports, [2]uint16{ki.Flow.SrcPort, mi.Flow.SrcPort}, [2]uint16{ki.Flow.DstPort, mi.Flow.DstPort})
	}
	return ports
}

func class(port uint16) int {
	switch {
	case port < 512:
		return 1
	case port < 1024:
		return 2
	}
	return 3
}

func describeAll(all []sent) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "\n  side %d: %s", s.side, describe(s.packet))
	}
	return b.String()
}

func describe(b []byte) string {
	var p wire.Packet
	if err := p.Read(b); err != nil {
		return err.Error()
	}
	s := fmt.Sprintf("%v %v ttl %d len %d part %d type %d code %d checksum %v", p.Flow, p.Flags, p.TTL(), p.Len(), p.Fragment, p.Type, p.Code, p.VerifyChecksum())
	if in, ok := p.Inner(); ok {
		s += fmt.Sprintf(" quotes %v", in.Flow)
	}
	return s
}
