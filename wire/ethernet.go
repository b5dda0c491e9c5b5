package wire

import "encoding/binary"

// MAC is an Ethernet address. The zero MAC is none.
type MAC [6]byte

// Broadcast is the address of every station.
var Broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// IsGroup reports whether m names more than one station (IEEE 802.3's I/G bit).
func (m MAC) IsGroup() bool { return m[0]&1 != 0 }

// String returns m in lower-case hexadecimal with colons, as the metadata service
// and Linux print it.
func (m MAC) String() string {
	const digits = "0123456789abcdef"
	b := make([]byte, 0, 17)
	for i, o := range m {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, digits[o>>4], digits[o&15])
	}
	return string(b)
}

// EtherType says what an Ethernet frame carries (IEEE 802 numbers).
type EtherType uint16

// The EtherTypes that an AWS network carries.
const (
	EtherTypeIPv4 EtherType = 0x0800
	EtherTypeARP  EtherType = 0x0806
	EtherTypeIPv6 EtherType = 0x86dd
)

// EthernetLen is the length of an Ethernet header without a VLAN tag, in bytes.
const EthernetLen = 14

// Ethernet is a view of a frame from its destination address on, without FCS.
type Ethernet []byte

// Check reports [ShortFrame] where the header is cut short.
func (e Ethernet) Check() error { return e.check().err() }

func (e Ethernet) check() Fault {
	if len(e) < EthernetLen {
		return ShortFrame
	}
	return NoFault
}

// Dst returns the destination address.
func (e Ethernet) Dst() MAC { return MAC(e[0:6]) }

// Src returns the source address.
func (e Ethernet) Src() MAC { return MAC(e[6:12]) }

// Type returns the EtherType.
func (e Ethernet) Type() EtherType { return EtherType(binary.BigEndian.Uint16(e[12:])) }

// Payload returns what follows the header; it shares e's memory.
func (e Ethernet) Payload() []byte { return e[EthernetLen:] }

// PutEthernet writes a header into the first 14 bytes of b. It panics where b is shorter.
func PutEthernet(b []byte, dst, src MAC, t EtherType) {
	_ = b[EthernetLen-1]
	copy(b, dst[:])
	copy(b[6:], src[:])
	binary.BigEndian.PutUint16(b[12:], uint16(t))
}

// ARP is a view of an ARP packet for Ethernet and IPv4 (RFC 826).
type ARP []byte

// ARPLen is the length of an ARP packet for Ethernet and IPv4, in bytes.
const ARPLen = 28

// ARP operations (RFC 826).
const (
	ARPRequest uint16 = 1
	ARPReply   uint16 = 2
)

// Check reports [BadARP] where a is cut short or not for Ethernet and IPv4.
func (a ARP) Check() error { return a.check().err() }

func (a ARP) check() Fault {
	if len(a) < ARPLen || binary.BigEndian.Uint64(a)>>16 != 0x0001_0800_0604 {
		return BadARP
	}
	return NoFault
}

// Op returns the operation.
func (a ARP) Op() uint16 { return binary.BigEndian.Uint16(a[6:]) }

// SenderMAC returns the sender's Ethernet address.
func (a ARP) SenderMAC() MAC { return MAC(a[8:14]) }

// Sender returns the sender's IPv4 address.
func (a ARP) Sender() Addr { return AddrFrom4([4]byte(a[14:18])) }

// TargetMAC returns the target's Ethernet address, zero in a request.
func (a ARP) TargetMAC() MAC { return MAC(a[18:24]) }

// Target returns the IPv4 address asked for.
func (a ARP) Target() Addr { return AddrFrom4([4]byte(a[24:28])) }

// AppendARP appends an ARP packet (without Ethernet header) to b. sender and target
// are IPv4 addresses, or the zero Addr, which goes out as 0.0.0.0: a probe's sender
// (RFC 5227). It panics where they are IPv6.
func AppendARP(b []byte, op uint16, senderMAC MAC, sender Addr, targetMAC MAC, target Addr) []byte {
	if sender.IsValid() && !sender.Is4() || target.IsValid() && !target.Is4() {
		panic("wire: ARP between " + sender.String() + " and " + target.String() + ", which are not IPv4")
	}
	b = append(b, 0, 1, 8, 0, 6, 4, byte(op>>8), byte(op))
	b = append(b, senderMAC[:]...)
	b = binary.BigEndian.AppendUint32(b, sender.V4())
	b = append(b, targetMAC[:]...)
	return binary.BigEndian.AppendUint32(b, target.V4())
}
