package main

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// obvious is the program that one writes first: packets decoded and built by gopacket,
// flows in maps, routes in a list.
type obvious struct {
	groups   map[flow]bool // let through by the host's security group
	sessions map[flow]uint16
	answers  map[flow]netip.AddrPort // by the answer's flow
	routes   [2][]netip.Prefix       // private and public table, longest first
	oldest   []session               // in the order of their beginnings
	live     int                     // how many may live; 0: all
	port     uint16
	buf      gopacket.SerializeBuffer
}

type flow struct{ src, dst netip.AddrPort }

type session struct{ request, answer flow }

func openObvious(c *setting) (path, error) {
	list := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("0.0.0.0/0")}
	o := &obvious{
		groups: map[flow]bool{}, sessions: map[flow]uint16{}, answers: map[flow]netip.AddrPort{},
		routes: [2][]netip.Prefix{list, list}, buf: gopacket.NewSerializeBuffer(), port: firstPort,
	}
	if c.churn {
		o.live = c.flows
	}
	return o, nil
}

func (o *obvious) close() {}

func (o *obvious) send(packets [][]byte, back bool, got func(ip []byte)) (arrived int, cpu time.Duration, err error) {
	start := cpuTime()
	for _, ip := range packets {
		b, err := o.forward(ip, back)
		if err != nil {
			return arrived, 0, err
		}
		arrived++
		if got != nil {
			got(b)
		}
	}
	return arrived, cpuTime() - start, nil
}

// forward takes a packet through all hops, decoded once and built once.
func (o *obvious) forward(ip []byte, back bool) ([]byte, error) {
	p := gopacket.NewPacket(ip, layers.LayerTypeIPv4, gopacket.Default)
	l3, ok3 := p.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
	l4, ok4 := p.Layer(layers.LayerTypeUDP).(*layers.UDP)
	if !ok3 || !ok4 || l3.TTL <= 2 {
		return nil, errors.New("not to be forwarded")
	}
	src, _ := netip.AddrFromSlice(l3.SrcIP)
	dst, _ := netip.AddrFromSlice(l3.DstIP)
	f := flow{netip.AddrPortFrom(src, uint16(l4.SrcPort)), netip.AddrPortFrom(dst, uint16(l4.DstPort))}
	var err error
	if back {
		err = o.in(f, l3, l4)
	} else {
		err = o.out(f, l3, l4)
	}
	if err != nil {
		return nil, err
	}
	l3.TTL -= 2
	if err := l4.SetNetworkLayerForChecksum(l3); err != nil {
		return nil, err
	}
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(o.buf, options, l3, l4, gopacket.Payload(l4.Payload)); err != nil {
		return nil, err
	}
	return o.buf.Bytes(), nil
}

// out is the way of requests: group, route, session, route, public address.
func (o *obvious) out(f flow, l3 *layers.IPv4, l4 *layers.UDP) error {
	o.groups[f] = true
	if !o.routed(0, f.dst.Addr()) {
		return errors.New("no route")
	}
	port, ok := o.sessions[f]
	if !ok {
		port = o.open(f)
	}
	if !o.routed(1, f.dst.Addr()) {
		return errors.New("no route")
	}
	l3.SrcIP, l4.SrcPort = net.IP(publicAddr.AsSlice()), layers.UDPPort(port)
	return nil
}

// open begins a session at the next free port, and ends the oldest one in its time.
func (o *obvious) open(f flow) uint16 {
	if o.live > 0 && len(o.oldest) >= o.live {
		delete(o.groups, o.oldest[0].request)
		delete(o.sessions, o.oldest[0].request)
		delete(o.answers, o.oldest[0].answer)
		o.oldest = o.oldest[1:]
	}
	for {
		if o.port++; o.port < firstPort {
			o.port = firstPort
		}
		answer := flow{f.dst, netip.AddrPortFrom(natAddr, o.port)}
		if _, taken := o.answers[answer]; taken {
			continue
		}
		o.sessions[f], o.answers[answer] = o.port, f.src
		o.oldest = append(o.oldest, session{f, answer})
		return o.port
	}
}

// in is the way of answers: private address, route, session, route, group.
func (o *obvious) in(f flow, l3 *layers.IPv4, l4 *layers.UDP) error {
	if f.dst.Addr() != publicAddr {
		return errors.New("nobody's public address")
	}
	to, ok := o.answers[flow{f.src, netip.AddrPortFrom(natAddr, f.dst.Port())}]
	if !ok || !o.routed(1, to.Addr()) || !o.groups[flow{to, f.src}] {
		return errors.New("no session")
	}
	l3.DstIP, l4.DstPort = net.IP(to.Addr().AsSlice()), layers.UDPPort(to.Port())
	return nil
}

func (o *obvious) routed(table int, dst netip.Addr) bool {
	for _, p := range o.routes[table] {
		if p.Contains(dst) {
			return true
		}
	}
	return false
}
