package main

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// xdp is an XDP program that does the lookups of the way and rewrites the packet:
// route, session, route, public address. Sessions are there before their packets: it
// opens none. The kernel runs it without any network (BPF_PROG_TEST_RUN).
type xdp struct {
	feed                                  *feed
	private, public, sessions, flows, one *ebpf.Map
	out, back                             *ebpf.Program
	known                                 map[[4]byte]bool // ports of the host's and the server's, of flows that are there
	server                                map[[4]byte]bool
}

// rewriting is what a lookup says that becomes of a packet: an address and a port, and
// the change of both checksums (RFC 1624).
type rewriting struct {
	Addr      [4]byte
	Port, _   [2]byte
	IPs, UDPs uint32
}

// flowKey is a flow as the program asks for it.
type flowKey struct {
	Src, Dst         [4]byte
	SrcPort, DstPort [2]byte
	Proto            uint32
}

func openXDP(c *setting, groups bool) (path, error) {
	if c.churn {
		return nil, fmt.Errorf("%w: the program opens no sessions", errLeftOut)
	}
	x := &xdp{known: map[[4]byte]bool{}, server: map[[4]byte]bool{}}
	if err := x.make(c, groups); err != nil {
		x.close()
		return nil, fmt.Errorf("%w: %v", errLeftOut, err)
	}
	return x, nil
}

func (x *xdp) make(c *setting, groups bool) (err error) {
	if x.feed, err = newFeed(); err != nil {
		return err
	}
	lpm := ebpf.MapSpec{Type: ebpf.LPMTrie, KeySize: 8, ValueSize: 4, MaxEntries: 64, Flags: 1}
	hash := ebpf.MapSpec{Type: ebpf.Hash, KeySize: 16, ValueSize: 16, MaxEntries: uint32(4 * c.flows)}
	addr := ebpf.MapSpec{Type: ebpf.Hash, KeySize: 4, ValueSize: 16, MaxEntries: 64}
	for _, m := range []struct {
		to   **ebpf.Map
		spec ebpf.MapSpec
	}{{&x.private, lpm}, {&x.public, lpm}, {&x.sessions, hash}, {&x.flows, hash}, {&x.one, addr}} {
		if *m.to, err = ebpf.NewMap(&m.spec); err != nil {
			return err
		}
	}
	for _, t := range []*ebpf.Map{x.private, x.public} {
		for k, prefix := range map[uint32][4]byte{16: {10, 0, 0, 0}, 0: {}} {
			if err := t.Put(append(binary.NativeEndian.AppendUint32(nil, k), prefix[:]...), uint32(1)); err != nil {
				return err
			}
		}
	}
	nat, public := natAddr.As4(), publicAddr.As4()
	if err := x.one.Put(nat, rewrite(nat, public, [2]byte{}, [2]byte{})); err != nil {
		return err
	}
	if err := x.one.Put(public, rewrite(public, nat, [2]byte{}, [2]byte{})); err != nil {
		return err
	}
	return x.load(groups)
}

func (x *xdp) load(groups bool) (err error) {
	var group asm.Instructions
	if groups {
		group = append(flowOnStack(), lookup(x.flows)...)
	}
	x.out, err = load(x.feed.next(), accept(), group,
		route(x.private), flowOnStack(), lookup(x.sessions), apply(offSrc, offPorts),
		route(x.public), addrOnStack(offSrc), lookup(x.one), apply(offSrc, 0), hops(), x.feed.end(xdpTx))
	if err != nil {
		return err
	}
	x.back, err = load(x.feed.next(), accept(),
		addrOnStack(offDst), lookup(x.one), apply(offDst, 0), route(x.public),
		flowOnStack(), lookup(x.sessions), apply(offDst, offPorts+2),
		route(x.private), group, hops(), x.feed.end(xdpTx))
	return err
}

func (x *xdp) close() {
	if x.feed != nil {
		x.feed.close()
	}
	for _, m := range []*ebpf.Map{x.private, x.public, x.sessions, x.flows, x.one} {
		if m != nil {
			m.Close()
		}
	}
	for _, p := range []*ebpf.Program{x.out, x.back} {
		if p != nil {
			p.Close()
		}
	}
}

func (x *xdp) send(packets [][]byte, back bool, got func(ip []byte)) (int, time.Duration, error) {
	program := x.out
	if back {
		program = x.back
	} else if err := x.openFlows(packets); err != nil {
		return 0, 0, err
	}
	if got != nil {
		return x.watch(program, packets, got)
	}
	return x.run(program, packets)
}

// run has the kernel run the program on all packets. A signal to this process has it
// begin anew (EINTR), and then so do we.
func (x *xdp) run(program *ebpf.Program, packets [][]byte) (n int, cpu time.Duration, err error) {
	for range 10 {
		if err := x.feed.fill([6]byte{}, packets); err != nil {
			return 0, 0, err
		}
		start := cpuTime()
		_, err := program.Run(&ebpf.RunOptions{Data: frame([6]byte{}, packets[0]), Repeat: uint32(len(packets))})
		cpu = cpuTime() - start
		if err != nil {
			return 0, 0, err
		}
		if n, err = x.feed.done(); err != nil || n <= len(packets) {
			return n, cpu, err
		}
	}
	return n, cpu, nil
}

// watch runs the program on one packet at a time and hands out what it makes of it.
func (x *xdp) watch(program *ebpf.Program, packets [][]byte, got func(ip []byte)) (n int, _ time.Duration, err error) {
	out := make([]byte, 256)
	for _, ip := range packets {
		if err := x.feed.fill([6]byte{}, [][]byte{ip}); err != nil {
			return n, 0, err
		}
		o := ebpf.RunOptions{Data: frame([6]byte{}, ip), DataOut: out}
		verdict, err := program.Run(&o)
		if err != nil {
			return n, 0, err
		}
		if verdict == xdpTx {
			n++
			got(o.DataOut[ethLen:])
		}
	}
	return n, 0, nil
}

// openFlows puts the sessions of requests into the maps: each keeps its port.
func (x *xdp) openFlows(packets [][]byte) error {
	for _, ip := range packets {
		ports := [4]byte(ip[20:24])
		if x.known[ports] {
			continue
		}
		x.known[ports] = true
		src, dst, nat := [4]byte(ip[12:16]), [4]byte(ip[16:20]), natAddr.As4()
		sport, dport := [2]byte(ip[20:22]), [2]byte(ip[22:24])
		natPort := [2]byte{sport[0], sport[1] ^ 1} // so that a port changes too
		out := flowKey{src, dst, sport, dport, 17}
		in := flowKey{dst, nat, dport, natPort, 17}
		answer := flowKey{dst, src, dport, sport, 17}
		if err := x.sessions.Put(out, rewrite(src, nat, sport, natPort)); err != nil {
			return err
		}
		if err := x.sessions.Put(in, rewrite(nat, src, natPort, sport)); err != nil {
			return err
		}
		for _, k := range []flowKey{out, answer} {
			if err := x.flows.Put(k, rewriting{}); err != nil {
				return err
			}
		}
	}
	return nil
}

func rewrite(from, to [4]byte, fromPort, toPort [2]byte) rewriting {
	r := rewriting{Addr: to, Port: toPort}
	for i := 0; i < 4; i += 2 {
		r.IPs += word(to[i:]) + 0xffff - word(from[i:])
	}
	r.UDPs = r.IPs + word(toPort[:]) + 0xffff - word(fromPort[:])
	return r
}

func word(b []byte) uint32 { return uint32(binary.NativeEndian.Uint16(b)) }
