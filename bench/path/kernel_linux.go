package main

import (
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// kernelPeers are paths in the Linux kernel. They need root.
func kernelPeers() []peer {
	if os.Geteuid() != 0 {
		fmt.Println("The Linux kernel's rows are left out: they need root, for network namespaces and BPF.")
		return nil
	}
	return []peer{
		{name: "XDP", open: func(c *setting) (path, error) { return openXDP(c, false) }},
		{name: "XDP with groups", open: func(c *setting) (path, error) { return openXDP(c, true) }},
		{name: "Linux min", open: func(c *setting) (path, error) { return openKernel(c, false) }},
		{name: "Linux full", open: func(c *setting) (path, error) { return openKernel(c, true) }},
	}
}

// kernel is network namespaces that forward to each other over veth pairs: a router
// where it is full, one that masquerades, and one that translates one address to one;
// at the ends one for the host and one for the server, which drop what they get for
// its MAC address, with hardly a look.
//
// Packets enter without a network card: an XDP program makes them, a list in one system
// call, and the kernel takes what it passes as received (BPF_F_TEST_XDP_LIVE_FRAMES),
// one at a time, as ours are sent. In batches of 64 one flow takes 15 to 20 % less.
type kernel struct {
	spaces        []namespace
	inside, world end
	feed          *feed
	program       *ebpf.Program
	closers       []func() error
	softirqs      []string
}

// end is where packets enter, and behind it where those of the other way leave.
type end struct {
	ns    namespace
	iface string
	mac   [6]byte
	index uint32
	sink  namespace // the host or the server
	from  string    // its interface
}

// liveFrames is BPF_F_TEST_XDP_LIVE_FRAMES.
const liveFrames = 1 << 1

// How long conntrack keeps a UDP flow, in seconds: all the time, and for churn as long
// as it takes the rounds of this program to bring about as many flows as are to live.
const (
	kernelIdle      = 3600
	kernelIdleChurn = 2
)

func openKernel(c *setting, full bool) (path, error) {
	k := &kernel{}
	if err := k.make(c, full); err != nil {
		k.close()
		return nil, fmt.Errorf("%w: %v", errLeftOut, err)
	}
	return k, nil
}

func (k *kernel) make(c *setting, full bool) (err error) {
	if k.softirqs, err = softirqThreads(); err != nil {
		return err
	}
	if err = k.build(c, full); err != nil {
		return err
	}
	if k.feed, err = newFeed(); err != nil {
		return err
	}
	if k.program, err = load(k.feed.next(), k.feed.end(xdpPass)); err != nil {
		return err
	}
	for _, e := range []*end{&k.inside, &k.world} {
		if err := k.open(e); err != nil {
			return err
		}
	}
	return nil
}

// build makes the namespaces, from the host to the server.
func (k *kernel) build(c *setting, full bool) error {
	labels := []string{"host", "nat", "igw", "server"}
	if full {
		labels = []string{"host", "router", "nat", "igw", "server"}
	}
	for _, l := range labels {
		ns, err := newNamespace(l)
		if err != nil {
			return err
		}
		k.spaces = append(k.spaces, ns)
		k.closers = append(k.closers, ns.remove)
	}
	last := len(k.spaces) - 1
	nat, igw := k.spaces[last-2], k.spaces[last-1]
	for i := range last {
		if err := k.connect(i, i == last-2); err != nil {
			return err
		}
	}
	idle := kernelIdle
	if c.churn {
		idle = kernelIdleChurn
	}
	timeouts := fmt.Sprintf("sysctl -qw net.netfilter.nf_conntrack_udp_timeout=%d net.netfilter.nf_conntrack_udp_timeout_stream=%d", idle, idle)
	k.inside = end{ns: k.spaces[1], iface: "left", sink: k.spaces[0], from: "right"}
	k.world = end{ns: igw, iface: "right", sink: k.spaces[last], from: "left"}
	return run(
		command{nat, "iptables -t nat -A POSTROUTING -o right -j MASQUERADE"},
		command{nat, timeouts},
		command{igw, fmt.Sprintf("iptables -t nat -A POSTROUTING -o right -s %v -j SNAT --to-source %v", natAddr, publicAddr)},
		command{igw, fmt.Sprintf("iptables -t nat -A PREROUTING -i right -d %v -j DNAT --to-destination %v", publicAddr, natAddr)},
		command{igw, timeouts},
	)
}

// connect joins the i-th namespace to the next: "right" of the one is "left" of the
// other. What is for the host goes left, all else right, to neighbours set by hand.
// The host's and the server's MAC addresses are set wrong: see kernel.
func (k *kernel) connect(i int, masquerades bool) error {
	a, b := k.spaces[i], k.spaces[i+1]
	net := fmt.Sprintf("172.31.%d", i)
	if masquerades {
		net = "10.0.0" // natAddr's
	}
	aAddr, bAddr := net+".5", net+".2"
	aMAC, bMAC := mac(i, 0), mac(i+1, 1)
	aNeighbor, bNeighbor := aMAC, bMAC
	if i == 0 {
		aNeighbor = mac(i, 0xff)
	}
	if i+1 == len(k.spaces)-1 {
		bNeighbor = mac(i+1, 0xff)
	}
	steps := []command{
		{a, fmt.Sprintf("ip link add right address %s type veth peer name left address %s netns %s", aMAC, bMAC, b)},
		{a, "ip addr add " + aAddr + "/24 dev right"},
		{b, "ip addr add " + bAddr + "/24 dev left"},
		{a, "ip link set right up"},
		{b, "ip link set left up"},
		{a, fmt.Sprintf("ip neigh replace %s lladdr %s dev right nud permanent", bAddr, bNeighbor)},
		{b, fmt.Sprintf("ip neigh replace %s lladdr %s dev left nud permanent", aAddr, aNeighbor)},
		{a, fmt.Sprintf("ip route add default via %s dev right", bAddr)},
		{b, fmt.Sprintf("ip route add 10.0.1.0/24 via %s dev left", aAddr)},
	}
	return run(steps...)
}

func mac(i, side int) string { return fmt.Sprintf("02:00:00:00:%02x:%02x", i, side) }

// open readies an interface for packets made by a program: a veth interface has
// receive queues that may be named only where an XDP program is attached.
func (k *kernel) open(e *end) error {
	pass, err := load(asm.Instructions{asm.Mov.Imm(asm.R0, xdpPass), asm.Return()})
	if err != nil {
		return err
	}
	k.closers = append(k.closers, pass.Close)
	return e.ns.inside(func() error {
		i, err := net.InterfaceByName(e.iface)
		if err != nil {
			return err
		}
		e.mac, e.index = [6]byte(i.HardwareAddr), uint32(i.Index)
		l, err := link.AttachXDP(link.XDPOptions{Program: pass, Interface: i.Index, Flags: link.XDPDriverMode})
		if err == nil {
			k.closers = append(k.closers, l.Close)
		}
		return err
	})
}

func (k *kernel) close() {
	slices.Reverse(k.closers)
	for _, f := range k.closers {
		f()
	}
	if k.program != nil {
		k.program.Close()
	}
	if k.feed != nil {
		k.feed.close()
	}
}

// chunk is how many packets are sent at once where all that arrives is looked at.
const chunk = 500

func (k *kernel) send(packets [][]byte, back bool, got func(ip []byte)) (n int, cpu time.Duration, err error) {
	from, to := &k.inside, &k.world
	if back {
		from, to = to, from
	}
	if got == nil {
		return k.pass(packets, from, to)
	}
	t, err := to.sink.tap(to.from)
	if err != nil {
		return 0, 0, err
	}
	defer t.close()
	for part := range slices.Chunk(packets, chunk) {
		some, _, err := k.pass(part, from, to)
		if err != nil {
			return n, 0, err
		}
		n += some
		if err := t.receive(got); err != nil {
			return n, 0, err
		}
	}
	return n, 0, nil
}

// xdpContext is struct xdp_md of linux/bpf.h.
type xdpContext struct {
	Data, DataEnd, DataMeta, Ingress, Queue, Egress uint32
}

// pass has packets received at one end, waits until they have left at the other, and
// returns how many did and the CPU time that this took.
func (k *kernel) pass(packets [][]byte, from, to *end) (n int, cpu time.Duration, err error) {
	if err := k.feed.fill(from.mac, packets); err != nil {
		return 0, 0, err
	}
	before, err := to.sink.received(to.from)
	if err != nil {
		return 0, 0, err
	}
	b := frame(from.mac, packets[0])
	o := ebpf.RunOptions{
		Data: b, Repeat: uint32(len(packets)), Flags: liveFrames, BatchSize: 1,
		Context: xdpContext{DataEnd: uint32(len(b)), Ingress: from.index},
	}
	softirq := timeOf(k.softirqs)
	err = from.ns.inside(func() error {
		start := cpuTime()
		_, err := k.program.Run(&o)
		cpu = cpuTime() - start
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	for range 100 { // of a millisecond: what other threads of the kernel have left to do
		after, err := to.sink.received(to.from)
		if n = after - before; err != nil || n >= len(packets) {
			return n, cpu + timeOf(k.softirqs) - softirq, err
		}
		time.Sleep(time.Millisecond)
	}
	return n, 0, nil
}
