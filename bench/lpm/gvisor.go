package main

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// longestFirst returns l with longer prefixes before shorter ones.
func longestFirst(l []entry) []entry {
	l = slices.Clone(l)
	slices.SortStableFunc(l, func(a, b entry) int { return cmp.Compare(b.dst.Bits(), a.dst.Bits()) })
	return l
}

// newGvisor fills a stack of one interface. A route's value is its gateway, an
// address whose last four bytes are the value.
func newGvisor(l []entry) table {
	const nic = 1
	own := inside(l[0].dst, newRand(1))
	s := stack.New(stack.Options{NetworkProtocols: []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol}})
	if err := s.CreateNIC(nic, channel.New(1, 1500, "")); err != nil {
		panic(err.String())
	}
	proto := tcpip.NetworkProtocolNumber(ipv6.ProtocolNumber)
	if own.Is4() {
		proto = ipv4.ProtocolNumber
	}
	protoAddr := tcpip.ProtocolAddress{
		Protocol:          proto,
		AddressWithPrefix: tcpip.AddrFromSlice(own.AsSlice()).WithPrefix(),
	}
	if err := s.AddProtocolAddress(nic, protoAddr, stack.AddressProperties{}); err != nil {
		panic(err.String())
	}
	var routes []tcpip.Route
	for _, e := range longestFirst(l) {
		b := e.dst.Addr().AsSlice()
		gateway := slices.Clone(b)
		binary.BigEndian.PutUint32(gateway[len(gateway)-4:], uint32(e.v))
		dst := tcpip.AddressWithPrefix{Address: tcpip.AddrFromSlice(b), PrefixLen: e.dst.Bits()}.Subnet()
		routes = append(routes, tcpip.Route{Destination: dst, Gateway: tcpip.AddrFromSlice(gateway), NIC: nic})
	}
	s.SetRouteTable(routes)
	return slow(func(a netip.Addr) (int, bool) {
		r, err := s.FindRoute(0, tcpip.Address{}, tcpip.AddrFromSlice(a.AsSlice()), proto, false)
		if err != nil {
			return 0, false
		}
		hop := r.NextHop()
		b := hop.AsSlice()
		r.Release()
		return int(binary.BigEndian.Uint32(b[len(b)-4:])), true
	})
}
