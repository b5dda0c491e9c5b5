package wire

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Options of neighbour discovery (RFC 4861 section 4.6).
const (
	SourceLinkAddr uint8 = 1
	TargetLinkAddr uint8 = 2
	PrefixOption   uint8 = 3
	RedirectedPart uint8 = 4
	MTUOption      uint8 = 5
)

// DiscoveryOptions is a view of the options behind a neighbour discovery message.
// What is behind an option of length 0 or one that is cut short is not seen.
type DiscoveryOptions []byte

// Check reports [BadDiscovery] where an option has length 0 or is cut short.
func (o DiscoveryOptions) Check() error { return o.check().err() }

func (o DiscoveryOptions) check() Fault {
	for len(o) > 0 {
		n := o.first()
		if n == 0 {
			return BadDiscovery
		}
		o = o[n:]
	}
	return NoFault
}

// first returns the first option's length, which is told in units of 8 bytes, and 0
// where there is none.
func (o DiscoveryOptions) first() int {
	if len(o) < 2 || int(o[1])*8 > len(o) {
		return 0
	}
	return int(o[1]) * 8
}

// Find returns the first option of a kind, from its kind on, and the options behind
// it; nil where there is none. They share o's memory. It does not allocate.
func (o DiscoveryOptions) Find(kind uint8) (option []byte, rest DiscoveryOptions) {
	for n := o.first(); n != 0; n = o.first() {
		if o[0] == kind {
			return o[:n:n], o[n:]
		}
		o = o[n:]
	}
	return nil, nil
}

// LinkAddr returns the Ethernet address in the option [SourceLinkAddr] or [TargetLinkAddr].
func (o DiscoveryOptions) LinkAddr(kind uint8) (MAC, bool) {
	option, _ := o.Find(kind)
	if len(option) != 8 {
		return MAC{}, false
	}
	return MAC(option[2:8]), true
}

// MTU returns the link's MTU that a router advertises, in bytes.
func (o DiscoveryOptions) MTU() (uint32, bool) {
	option, _ := o.Find(MTUOption)
	if len(option) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint32(option[4:]), true
}

// Forever is the lifetime of a prefix that does not end (RFC 4861 section 4.6.2).
const Forever = time.Duration(0xffffffff) * time.Second

// PrefixInformation is what a router says about a prefix (RFC 4861 section 4.6.2).
type PrefixInformation struct {
	Prefix netip.Prefix
	// OnLink: the prefix's addresses are neighbours. Autonomous: hosts may make
	// addresses of it (RFC 4862).
	OnLink, Autonomous bool
	// Valid and Preferred are how long the prefix, and addresses of it, are good, in
	// whole seconds; [Forever] is the most.
	Valid, Preferred time.Duration
}

// Prefix returns the first prefix that a router advertises, and the options behind
// it; false where there is none. It does not allocate.
func (o DiscoveryOptions) Prefix() (i PrefixInformation, rest DiscoveryOptions, ok bool) {
	for {
		option, rest := o.Find(PrefixOption)
		if option == nil {
			return PrefixInformation{}, nil, false
		}
		if len(option) == 32 && option[2] <= 128 {
			return prefixInformation(option), rest, true
		}
		o = rest
	}
}

func prefixInformation(option []byte) PrefixInformation {
	return PrefixInformation{
		Prefix:     netip.PrefixFrom(netip.AddrFrom16([16]byte(option[16:32])), int(option[2])),
		OnLink:     option[3]&0x80 != 0,
		Autonomous: option[3]&0x40 != 0,
		Valid:      time.Duration(binary.BigEndian.Uint32(option[4:])) * time.Second,
		Preferred:  time.Duration(binary.BigEndian.Uint32(option[8:])) * time.Second,
	}
}

// AppendLinkAddr appends the option [SourceLinkAddr] or [TargetLinkAddr] to b.
func AppendLinkAddr(b []byte, kind uint8, mac MAC) []byte {
	return append(append(b, kind, 1), mac[:]...)
}

// AppendMTU appends the option [MTUOption] to b.
func AppendMTU(b []byte, mtu uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, MTUOption, 1, 0, 0), mtu)
}

// AppendPrefix appends the option [PrefixOption] to b. It panics where the prefix is
// not IPv6. Lifetimes are cut to whole seconds and to [Forever].
func AppendPrefix(b []byte, i PrefixInformation) []byte {
	if !i.Prefix.Addr().Is6() {
		panic("wire: " + i.Prefix.String() + " is no IPv6 prefix")
	}
	b = append(b, PrefixOption, 4, byte(i.Prefix.Bits()), byte(bit(i.OnLink, 0x80)|bit(i.Autonomous, 0x40)))
	b = binary.BigEndian.AppendUint32(b, units(i.Valid, time.Second, 0xffffffff))
	b = binary.BigEndian.AppendUint32(b, units(i.Preferred, time.Second, 0xffffffff))
	b = binary.BigEndian.AppendUint32(b, 0)
	return appendAddr(b, AddrFrom(i.Prefix.Masked().Addr()))
}

// appendAddr appends the sixteen bytes of an IPv6 address to b.
func appendAddr(b []byte, a Addr) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, a.hi), a.lo)
}
