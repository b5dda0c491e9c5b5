package main

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/capture"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/wire"
)

// network is where frames are replayed: a client and a server without operating
// systems of their own, and something that translates between them.
type network struct {
	name           string
	world          *vpctest.World
	client, server end
	// seen is what the server saw of each flow that the client sent: whom it answers.
	// A flow that never arrived stands with the zero Flow.
	seen map[wire.Flow]wire.Flow
	// waiting are the client's flows whose fragments the NAT instance still keeps.
	waiting []wire.Flow
	file    *capture.PcapNG
	out     bytes.Buffer
	err     error // of writing it
}

// patience is how long a packet may take: longer than any way through the networks,
// shorter than any timer that would interfere.
const patience = 100 * time.Millisecond

// end is one of the two ends.
type end struct {
	addr netip.Addr
	send func(ip []byte) trace.Reason
}

// eastwest is the network of S002: two subnets and a private NAT gateway.
func eastwest() (*network, error) {
	n := newNetwork("eastwest")
	v := n.world.VPC("10.0.0.0/16")
	source, destination, middle := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24"), v.Subnet("10.0.2.0/24")
	source.Route("10.0.1.0/24", middle.PrivateNATGateway())
	client, server := source.Card("client"), destination.Card("server")
	server.Allow(vpc.AllTraffic("10.0.0.0/16"))
	n.client, n.server = n.card(client), n.card(server)
	return n, n.tap([]*vpctest.Card{client, server})
}

// natinstance is the network of S003: a NAT instance, an internet gateway and a
// server on the internet.
func natinstance() (*network, error) {
	n := newNetwork("natinstance")
	v := n.world.VPC("10.0.0.0/16")
	private, public := v.Subnet("10.0.1.0/24"), v.Subnet("10.0.0.0/24")
	public.Route("0.0.0.0/0", v.InternetGateway())
	nat := public.Launch(vpc.InstanceConfig{
		Name: "nat", AssociatePublicIP: true, Interface: vpc.NetworkInterfaceConfig{DisableSourceDestCheck: true},
	}, host.Config{Name: "nat", Forwarding: true})
	for _, name := range []string{"all", "eth0"} {
		if err := nat.Sysctl("net.ipv4.conf."+name+".send_redirects", "0"); err != nil {
			return nil, err
		}
	}
	if _, err := nat.IPTables("-t", "nat", "-A", "POSTROUTING", "-o", "eth0", "-s", "10.0.0.0/16", "-j", "MASQUERADE"); err != nil {
		return nil, err
	}
	nat.Allow(vpc.AllTraffic("10.0.0.0/16"))
	private.Route("0.0.0.0/0", nat)
	client := private.Card("client")
	n.client = n.card(client)
	if err := n.tap([]*vpctest.Card{client}); err != nil {
		return nil, err
	}
	return n, n.onInternet(netip.MustParseAddr("198.51.100.7"))
}

// onInternet makes the server a host on the internet that keeps what comes.
func (n *network) onInternet(addr netip.Addr) error {
	station, _ := n.world.Internet.Join(wire.AddrFrom(addr))
	station.Plug(taker{})
	i, err := n.file.AddInterface(capture.Interface{Name: addr.String(), Description: "server on the internet"})
	if err != nil {
		return err
	}
	station.Tap(func(at time.Duration, _ bool, ip []byte) { n.keep(n.file.WritePacket(i, at, ip)) })
	n.server = end{addr, func(ip []byte) trace.Reason {
		end := station.Send(ip)
		n.world.Run(patience)
		return n.last(end)
	}}
	return nil
}

// taker takes every packet.
type taker struct{}

// Receive takes a packet.
func (taker) Receive(*wire.Packet) trace.Reason { return trace.Delivered }

// last returns how the story of the packet just sent ended: where a guest forwarded
// it, what became of it then.
func (n *network) last(end trace.Reason) trace.Reason {
	walks := n.world.Trace().Walks()
	if end.IsDrop() || len(walks) == 0 {
		return end
	}
	return n.world.Trace().Story(walks[0].ID).End()
}

// keep remembers the first error of writing the capture.
func (n *network) keep(err error) {
	if n.err == nil {
		n.err = err
	}
}

func newNetwork(name string) *network {
	return &network{name: name, world: vpctest.New(vpctest.Program), seen: map[wire.Flow]wire.Flow{}}
}

func (n *network) card(c *vpctest.Card) end {
	return end{c.Addr, func(ip []byte) trace.Reason {
		end := c.SendIP(ip)
		n.world.Run(patience)
		return n.last(end)
	}}
}

// tap captures at both ends.
func (n *network) tap(cards []*vpctest.Card) (err error) {
	if n.file, err = capture.NewPcapNG(&n.out, capture.PcapNGConfig{Comment: "replayed through " + n.name}); err != nil {
		return err
	}
	for _, c := range cards {
		i, err := n.file.AddInterface(capture.Interface{Name: c.Interface.ID(), Description: c.Interface.Label()})
		if err != nil {
			return err
		}
		c.Tap(func(at time.Duration, _ bool, frame []byte) { n.keep(n.file.WriteFrame(i, at, frame)) })
	}
	return nil
}

// resolve turns the names client and server into this network's addresses.
func (n *network) resolve(maps mapping) (capture.Rewrite, error) {
	addrs := map[netip.Addr]netip.Addr{}
	for from, to := range maps {
		switch to {
		case "client":
			addrs[from] = n.client.addr
		case "server":
			addrs[from] = n.server.addr
		default:
			addrs[from] = netip.MustParseAddr(to)
		}
	}
	return capture.NewRewrite(addrs, nil)
}

// replay pushes all frames through, each from the end that has its source.
func (n *network) replay(out io.Writer, frames []capture.Frame, maps mapping, prefix string) error {
	rewrite, err := n.resolve(maps)
	if err != nil {
		return err
	}
	passed, died, foreign := 0, 0, 0
	for i, f := range frames {
		f.Bytes = bytes.Clone(f.Bytes)
		ip, ok := f.IP()
		if !ok {
			foreign++ // ARP: the VPC answers its own
			continue
		}
		if f.At > n.world.Clock.Now() {
			n.world.Run(f.At - n.world.Clock.Now())
		}
		if err := rewrite.Frame(f); err != nil {
			fmt.Fprintf(out, "%s: frame %d: %v\n", n.name, i+1, err)
			died++
			continue
		}
		switch end, what := n.push(ip); {
		case what == "":
			foreign++
		case end == trace.Lost:
			fmt.Fprintf(out, "%s: frame %d: %s\n", n.name, i+1, what)
			died++
		case end.IsDrop():
			fmt.Fprintf(out, "%s: frame %d: %s: %s\n", n.name, i+1, what, end)
			died++
		default:
			passed++
		}
	}
	fmt.Fprintf(out, "%s: %d frames passed, %d died, %d were not for this network\n", n.name, passed, died, foreign)
	if passed+died == 0 {
		return fmt.Errorf("no frame has the address of the client or the server; the capture has %s: name two of them with -map ADDRESS=client and -map ADDRESS=server", sources(frames))
	}
	n.keep(n.file.Flush())
	if n.err != nil || prefix == "" {
		return n.err
	}
	return os.WriteFile(prefix+"-"+n.name+".pcapng", n.out.Bytes(), 0o644)
}

// push sends one packet from the end that has its source address; what is empty
// where neither has it. The server answers whom it saw, not whom the capture names.
func (n *network) push(ip []byte) (end trace.Reason, what string) {
	var p wire.Packet
	if err := p.Read(ip); err != nil {
		return trace.Malformed, err.Error()
	}
	what = p.Flow.String()
	n.world.Trace().Clear()
	switch p.Flow.Src.Netip() {
	case n.client.addr:
		sent := p.Flow
		end = n.client.send(p.Bytes())
		n.learn(sent, end)
		return end, what
	case n.server.addr:
		if !n.answer(&p) {
			return trace.Lost, what + " answers what never arrived"
		}
		return n.server.send(p.Bytes()), what
	}
	return trace.None, ""
}

// learn remembers how the client's flow arrived at the server, if it did. Fragments
// arrive together, when the last of them has come to who puts them together.
func (n *network) learn(sent wire.Flow, end trace.Reason) {
	if end == trace.Reassembling {
		n.waiting = append(n.waiting, sent)
		return
	}
	for _, f := range append(n.waiting, sent) {
		n.seen[f] = wire.Flow{}
		for _, w := range n.world.Trace().Walks() {
			if w.End() == trace.Delivered && w.Last.Dst == wire.AddrFrom(n.server.addr) && hasPorts(w.Last) == hasPorts(f) {
				n.seen[f] = w.Last
			}
		}
	}
	n.waiting = nil
}

func hasPorts(f wire.Flow) bool { return f.SrcPort|f.DstPort != 0 }

// answer aims the server's packet at what it saw of the flow that it answers. It
// reports false where it saw nothing of it.
func (n *network) answer(p *wire.Packet) bool {
	if in, ok := p.Inner(); ok {
		saw, sent := n.seen[in.Flow]
		if saw.Src.IsValid() {
			in.SetSrc(saw.Src, saw.SrcPort)
			p.SetDst(saw.Src, 0)
		}
		return saw.Src.IsValid() || !sent
	}
	saw, sent := n.seen[p.Flow.Reverse()]
	if saw.Src.IsValid() {
		p.SetDst(saw.Src, saw.SrcPort)
	}
	return saw.Src.IsValid() || !sent
}

// sources returns the source addresses of a capture, as people read a list.
func sources(frames []capture.Frame) string {
	var seen []string
	for _, f := range frames {
		var p wire.Packet
		if ip, ok := f.IP(); ok && p.Read(ip) == nil && !slices.Contains(seen, p.Flow.Src.String()) {
			seen = append(seen, p.Flow.Src.String())
		}
	}
	if len(seen) == 0 {
		return "no IP packet"
	}
	return strings.Join(seen, ", ")
}
