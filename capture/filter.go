package capture

import (
	"encoding/binary"
	"net/netip"

	"github.com/vpcsim/vpcsim/wire"
)

// Filter says which frames are wanted. A nil Filter wants all. Filters are made
// from the functions below, or from pcap-filter's language by [ParseFilter], and
// mean what libpcap's mean.
type Filter func(*Facts) bool

// Match reports whether the filter wants f.
func (w Filter) Match(f Frame) bool {
	if w == nil {
		return true
	}
	facts := factsOf(f)
	return w(&facts)
}

// Facts are what filters look at in a frame. The zero Facts are those of a frame
// that holds nothing known.
type Facts struct {
	// Type is the EtherType, behind any VLAN tags.
	Type wire.EtherType
	// Src and Dst are the addresses of an IP header, or the sender and the target of
	// an ARP packet; invalid where there are none.
	Src, Dst netip.Addr
	// Proto is the protocol behind an IPv4 header, or behind an IPv6 header and a
	// fragment header: libpcap looks behind no other extension header.
	Proto wire.Proto
	// Ports says that SrcPort and DstPort are TCP's, UDP's or SCTP's; false for
	// later fragments.
	Ports            bool
	SrcPort, DstPort uint16
}

func factsOf(f Frame) (w Facts) {
	t, b, ok := f.Payload()
	if !ok {
		return w
	}
	w.Type = t
	switch {
	case t == wire.EtherTypeIPv4 && len(b) >= wire.IPv4Len:
		w.Src, w.Dst = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
		h := wire.IPv4(b)
		w.Proto = h.Proto()
		if h.FragmentOffset() == 0 {
			w.readPorts(b, h.HeaderLen())
		}
	case t == wire.EtherTypeIPv6 && len(b) >= wire.IPv6Len:
		w.Src, w.Dst = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
		w.Proto = wire.IPv6(b).NextHeader()
		w.readPorts(b, wire.IPv6Len)
		if w.Proto == protoFragment && len(b) > wire.IPv6Len {
			w.Proto = wire.Proto(b[wire.IPv6Len])
		}
	case t == wire.EtherTypeARP && len(b) >= wire.ARPLen: // of any hardware: libpcap doesn't ask
		w.Src, w.Dst = wire.ARP(b).Sender().Netip(), wire.ARP(b).Target().Netip()
	}
	return w
}

func (w *Facts) readPorts(b []byte, at int) {
	if len(b) < at+4 || w.Proto != wire.ProtoTCP && w.Proto != wire.ProtoUDP && w.Proto != protoSCTP {
		return
	}
	w.Ports = true
	w.SrcPort, w.DstPort = binary.BigEndian.Uint16(b[at:]), binary.BigEndian.Uint16(b[at+2:])
}

// Host wants frames from or to an address: IP packets, and ARP that it sends or
// asks for.
func Host(a netip.Addr) Filter { return Src(a).Or(Dst(a)) }

// Src wants frames from an address.
func Src(a netip.Addr) Filter { return func(w *Facts) bool { return w.Src == a } }

// Dst wants frames to an address.
func Dst(a netip.Addr) Filter { return func(w *Facts) bool { return w.Dst == a } }

// Net wants frames from or to the addresses of a prefix.
func Net(p netip.Prefix) Filter { return SrcNet(p).Or(DstNet(p)) }

// SrcNet wants frames from the addresses of a prefix.
func SrcNet(p netip.Prefix) Filter { return func(w *Facts) bool { return p.Contains(w.Src) } }

// DstNet wants frames to the addresses of a prefix.
func DstNet(p netip.Prefix) Filter { return func(w *Facts) bool { return p.Contains(w.Dst) } }

// Port wants TCP, UDP and SCTP from or to a port. Later fragments have none.
func Port(n uint16) Filter { return SrcPort(n).Or(DstPort(n)) }

// SrcPort wants TCP, UDP and SCTP from a port.
func SrcPort(n uint16) Filter { return func(w *Facts) bool { return w.Ports && w.SrcPort == n } }

// DstPort wants TCP, UDP and SCTP to a port.
func DstPort(n uint16) Filter { return func(w *Facts) bool { return w.Ports && w.DstPort == n } }

// Protocol wants IP packets of a protocol, fragments included. ICMP is IPv4's and
// ICMPv6 is IPv6's.
func Protocol(p wire.Proto) Filter {
	return func(w *Facts) bool {
		switch {
		case w.Proto != p:
			return false
		case w.Type == wire.EtherTypeIPv4:
			return p != wire.ProtoICMPv6
		}
		return w.Type == wire.EtherTypeIPv6 && p != wire.ProtoICMP
	}
}

// Type wants frames of an EtherType: wire.EtherTypeARP is what tcpdump calls arp.
func Type(t wire.EtherType) Filter { return func(w *Facts) bool { return w.Type == t } }

// And wants what both filters want.
func (w Filter) And(v Filter) Filter {
	return func(f *Facts) bool { return (w == nil || w(f)) && (v == nil || v(f)) }
}

// Or wants what either filter wants.
func (w Filter) Or(v Filter) Filter {
	return func(f *Facts) bool { return w == nil || v == nil || w(f) || v(f) }
}

// Not wants what the filter doesn't want.
func (w Filter) Not() Filter { return func(f *Facts) bool { return w != nil && !w(f) } }
