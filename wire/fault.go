package wire

// Fault says what is wrong with bytes that were to be a frame, a packet or a
// header. It is an error; the zero Fault is none and is never returned as one.
type Fault uint8

// Every way in which bytes can be no packet. A row each in docs/fidelity.md.
const (
	NoFault Fault = iota
	// ShortFrame: fewer than the 14 bytes of an Ethernet header (IEEE 802.3).
	ShortFrame
	// NoIPVersion: the first four bits are neither 4 nor 6.
	NoIPVersion
	// ShortHeader: fewer bytes than the IP header needs (RFC 791, RFC 8200).
	ShortHeader
	// BadHeaderLength: IPv4's IHL is below 5 or beyond the packet (RFC 791).
	BadHeaderLength
	// BadTotalLength: the length field is below the header's or beyond the bytes.
	BadTotalLength
	// BadHeaderChecksum: the IPv4 header does not sum to zero (RFC 1071).
	BadHeaderChecksum
	// BadFragment: a fragment of a datagram that would be over 65,535 bytes (for
	// IPv6, not counting its 40), or a fragment that is not the last with a length
	// that is no multiple of 8 (RFC 791 section 3.2, RFC 8200 section 4.5).
	BadFragment
	// TinyFragment: a first fragment that does not hold the whole transport
	// header: RFC 1858 section 3.2.1's direct method, for every protocol that is
	// read. What overlaps a header later (section 4) is the reassembler's to refuse.
	TinyFragment
	// BadExtension: an IPv6 extension header that is cut short, a second fragment
	// header (RFC 8200 section 4.1: at most one), or more than eight headers (RFC
	// 8200 sets no bound; a bound is needed).
	BadExtension
	// MappedAddress: an IPv4-mapped address in an IPv6 header (RFC 4291 section 2.5.5.2).
	MappedAddress
	// ShortTransport: the TCP, UDP or ICMP header is cut short.
	ShortTransport
	// BadDataOffset: TCP's data offset is below 5 or beyond the segment (RFC 9293).
	BadDataOffset
	// BadUDPLength: UDP's length is below 8 or beyond the packet (RFC 768).
	BadUDPLength
	// BadChecksum: the transport checksum is wrong, or absent where it must not be.
	BadChecksum
	// BadARP: an ARP packet that is not Ethernet and IPv4, or cut short (RFC 826).
	BadARP
	// BadDiscovery: a neighbour discovery message that RFC 4861 sections 6.1 and 7.1
	// have discarded: forwarded by a router, cut short, with an option of length 0.
	BadDiscovery
	// BadGeneve: no GENEVE header of version 0, or one whose options do not fit (RFC
	// 8926 sections 3.4, 3.5).
	BadGeneve
	// BadGRE: no GRE header of version 0, or one that is cut short (RFC 2784 section 2).
	BadGRE
)

var faultText = [...]string{
	NoFault:           "no fault",
	ShortFrame:        "frame shorter than the 14 bytes of an Ethernet header",
	NoIPVersion:       "IP version is neither 4 nor 6",
	ShortHeader:       "packet shorter than its IP header",
	BadHeaderLength:   "IPv4 header length is below 20 bytes or beyond the packet",
	BadTotalLength:    "IP length field is below the header's length or beyond the packet",
	BadHeaderChecksum: "IPv4 header checksum is wrong",
	BadFragment:       "fragment is of a datagram over 65,535 bytes or no multiple of 8 bytes",
	TinyFragment:      "first fragment does not hold the whole transport header",
	BadExtension:      "IPv6 extension headers are cut short, hold two fragment headers or are more than 8",
	MappedAddress:     "IPv6 header holds an IPv4-mapped address",
	ShortTransport:    "transport header is cut short",
	BadDataOffset:     "TCP data offset is below 20 bytes or beyond the segment",
	BadUDPLength:      "UDP length is below 8 bytes or beyond the packet",
	BadChecksum:       "transport checksum is wrong",
	BadARP:            "ARP packet is not Ethernet and IPv4, or is cut short",
	BadDiscovery:      "neighbour discovery message was forwarded, is cut short or has an option of length 0",
	BadGeneve:         "GENEVE header is of another version, cut short or has options that do not fit",
	BadGRE:            "GRE header is of another version, has RFC 1701's routing or is cut short",
}

// Error returns what is wrong, in words.
func (f Fault) Error() string {
	if int(f) < len(faultText) {
		return faultText[f]
	}
	return "unknown fault"
}

// err returns f as an error, nil for NoFault. It does not allocate.
func (f Fault) err() error {
	if f == NoFault {
		return nil
	}
	return f
}
