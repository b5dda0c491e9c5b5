package capture

import (
	"encoding/binary"
	"strconv"
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// LinkType says what a captured frame begins with, in the numbers that capture
// files use (https://www.tcpdump.org/linktypes.html). The zero LinkType is taken
// for Ethernet: pcap's own 0, BSD loopback, is not supported.
type LinkType uint16

// The link types that are read and printed; [PcapNG] writes the first two.
const (
	LinkEthernet  LinkType = 1
	LinkRaw       LinkType = 101 // an IP packet and nothing before it
	LinkLinuxSLL  LinkType = 113 // Linux "cooked" capture
	LinkIPv4      LinkType = 228 // raw, IPv4 only
	LinkIPv6      LinkType = 229 // raw, IPv6 only
	LinkLinuxSLL2 LinkType = 276 // Linux "cooked" capture v2, of tcpdump -i any
)

// Lengths of Linux's cooked headers, in bytes.
const (
	sllLen  = 16
	sll2Len = 20
)

var linkNames = map[LinkType]string{
	LinkEthernet:  "EN10MB",
	LinkRaw:       "RAW",
	LinkLinuxSLL:  "LINUX_SLL",
	LinkIPv4:      "IPV4",
	LinkIPv6:      "IPV6",
	LinkLinuxSLL2: "LINUX_SLL2",
}

// String returns the name that tcpdump knows the link type by, or its number.
func (t LinkType) String() string {
	if s, ok := linkNames[t.known()]; ok {
		return s
	}
	return strconv.Itoa(int(t))
}

// known returns t with the default in the place of zero.
func (t LinkType) known() LinkType {
	if t == 0 {
		return LinkEthernet
	}
	return t
}

// Frame is one frame at one place at one time. The zero Frame is an empty
// Ethernet frame.
type Frame struct {
	// At is the simulated time; of a frame that was read, the time since the
	// first frame of its file (negative where files are out of order).
	At time.Duration
	// Link says what Bytes begins with.
	Link LinkType
	// Interface names where the frame was captured: an ENI's id. Empty where it is
	// not known: pcap files have none.
	Interface string
	// Bytes is the frame as far as it was captured, from its link header on.
	Bytes []byte
	// Len is the frame's length on the wire in bytes, where it is longer than
	// Bytes; 0 says that Bytes is the whole frame.
	Len int
}

// wireLen returns the frame's length on the wire, never below what was captured.
func (f Frame) wireLen() int { return max(f.Len, len(f.Bytes)) }

// IP returns the IP packet in the frame, as far as it was captured and with
// whatever padding stands behind it; false where the frame holds none or its link
// header is cut short. It shares f's memory and does not allocate.
func (f Frame) IP() ([]byte, bool) {
	t, p, ok := f.Payload()
	if !ok || t != wire.EtherTypeIPv4 && t != wire.EtherTypeIPv6 {
		return nil, false
	}
	return p, true
}

// Payload returns what stands behind the link header and any VLAN tags (IEEE
// 802.1Q), and its EtherType; false where the header is cut short or the link
// type is not supported. It shares f's memory and does not allocate.
func (f Frame) Payload() (wire.EtherType, []byte, bool) {
	b := f.Bytes
	var t wire.EtherType
	switch f.Link.known() {
	case LinkEthernet:
		if len(b) < wire.EthernetLen {
			return 0, nil, false
		}
		t, b = etherType(b[12:]), b[wire.EthernetLen:]
	case LinkLinuxSLL:
		if len(b) < sllLen {
			return 0, nil, false
		}
		t, b = etherType(b[14:]), b[sllLen:]
	case LinkLinuxSLL2:
		if len(b) < sll2Len {
			return 0, nil, false
		}
		t, b = etherType(b), b[sll2Len:]
	case LinkRaw, LinkIPv4, LinkIPv6:
		return rawType(b), b, len(b) > 0
	default:
		return 0, nil, false
	}
	for isVLAN(t) {
		if len(b) < vlanLen {
			return 0, nil, false
		}
		t, b = etherType(b[2:]), b[vlanLen:]
	}
	return t, b, true
}

func etherType(b []byte) wire.EtherType { return wire.EtherType(binary.BigEndian.Uint16(b)) }

// rawType tells the family of a packet without a link header by its version.
func rawType(b []byte) wire.EtherType {
	switch {
	case len(b) == 0:
		return 0
	case b[0]>>4 == 4:
		return wire.EtherTypeIPv4
	case b[0]>>4 == 6:
		return wire.EtherTypeIPv6
	}
	return 0
}

const vlanLen = 4 // tag and the EtherType behind it

// isVLAN reports whether t announces a VLAN tag: 802.1Q, 802.1ad and the two
// numbers in use before it.
func isVLAN(t wire.EtherType) bool {
	return t == 0x8100 || t == 0x88a8 || t == 0x9100 || t == 0x9200
}
