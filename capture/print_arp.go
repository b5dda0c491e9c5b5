package capture

import (
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/vpcsim/vpcsim/wire"
)

const arpHeaderLen = 8 // up to the first address

// arp prints an ARP packet of any hardware and protocol (RFC 826, RFC 903, RFC 2390).
func (l *line) arp(b []byte, n int) {
	if len(b) < arpHeaderLen {
		l.cut("arp")
		return
	}
	hlen, plen := int(b[4]), int(b[5])
	if len(b) < arpHeaderLen+2*(hlen+plen) {
		l.cut("arp")
		return
	}
	l.print("ARP, ")
	if etherType(b[2:]) != wire.EtherTypeIPv4 && etherType(b[2:]) != arpTrailers || plen != 4 || hlen == 0 {
		l.printf("%s (len %d), %s (len %d), length %d", hardware(b), hlen, protocolType(b), plen, n)
		return
	}
	sha, b2 := b[arpHeaderLen:][:hlen], b[arpHeaderLen+hlen:]
	spa, tha, tpa := b2[:4], b2[4:][:hlen], b2[4+hlen:][:4]
	switch op := binary.BigEndian.Uint16(b[6:]); op {
	case wire.ARPRequest:
		l.print("Request who-has " + l.addr4(tpa))
		if strings.Trim(string(tha), "\x00") != "" {
			l.print(" (" + l.hardwareAddr(tha) + ")")
		}
		l.print(" tell " + l.addr4(spa))
	case wire.ARPReply:
		l.print("Reply " + l.addr4(spa) + " is-at " + l.hardwareAddr(sha))
	case 3:
		l.print("Reverse Request who-is " + l.hardwareAddr(tha) + " tell " + l.hardwareAddr(sha))
	case 4:
		l.print("Reverse Reply " + l.hardwareAddr(tha) + " at " + l.addr4(tpa))
	case 8:
		l.print("Inverse Request who-is " + l.hardwareAddr(tha) + " tell " + l.hardwareAddr(sha))
	case 9:
		l.print("Inverse Reply " + l.hardwareAddr(sha) + " at " + l.addr4(spa))
	default:
		if op == 10 {
			l.print("NACK Reply ")
		} else {
			l.printf("Unknown (%d) ", op)
		}
		l.dump(b)
		return
	}
	l.printf(", length %d", n)
}

// arpTrailers is the EtherType of trailer encapsulation (RFC 893), whose
// addresses are IPv4's.
const arpTrailers wire.EtherType = 0x1000

func (l *line) hardwareAddr(b []byte) string {
	if len(b) == 6 {
		return l.mac(wire.MAC(b))
	}
	var s []string
	for i := range b {
		s = append(s, hex.EncodeToString(b[i:i+1]))
	}
	return strings.Join(s, ":")
}

func hardware(b []byte) string {
	switch n := binary.BigEndian.Uint16(b); n {
	case 1:
		return "Ethernet"
	case 6:
		return "TokenRing"
	case 7:
		return "ArcNet"
	case 15:
		return "FrameRelay"
	case 23:
		return "Strip"
	case 24:
		return "IEEE 1394"
	case 32:
		return "InfiniBand"
	default:
		return "Unknown Hardware (" + itoa(n) + ")"
	}
}

func protocolType(b []byte) string {
	switch t := etherType(b[2:]); t {
	case wire.EtherTypeIPv4:
		return "IPv4"
	case wire.EtherTypeIPv6:
		return "IPv6"
	case wire.EtherTypeARP:
		return "ARP"
	case arpTrailers:
		return "Trail"
	default:
		return "Unknown Protocol (0x" + hex.EncodeToString(b[2:4]) + ")"
	}
}
