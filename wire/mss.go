package wire

import "encoding/binary"

// optionMSS is the TCP option that announces a maximum segment size. Those of one byte
// have IPv4's numbers (RFC 9293 section 3.1).
const optionMSS = 2

// ClampMSS lowers the maximum segment size that a SYN announces to what fits a link of
// the given MTU, in bytes, with headers without options (RFC 9293 section 3.7.1), brings
// the checksum up to date (RFC 1624), and reports whether it did. A SYN that announces
// less or nothing, and what is no SYN, stays as it is. It does not allocate.
func (p *Packet) ClampMSS(mtu int) bool {
	if p.Flags&SYN == 0 || p.at.proto != ProtoTCP {
		return false
	}
	most := mtu - IPv6Len - TCPLen
	if p.at.v4 {
		most = mtu - IPv4Len - TCPLen
	}
	at := mssOption(TCP(p.at.b[p.at.l4:]).Options())
	if at < 0 || most < 0 || most > 0xffff {
		return false
	}
	i := int(p.at.l4) + TCPLen + at
	b := p.at.b[i : i+2 : i+2]
	was := binary.BigEndian.Uint16(b)
	if int(was) <= most {
		return false
	}
	binary.BigEndian.PutUint16(b, uint16(most))
	if p.at.sum != 0 {
		d := uint64(^was) + uint64(most)
		if at&1 != 0 { // the sum takes bytes in pairs: here the two stand in different ones
			d = uint64(^was<<8|^was>>8) + uint64(uint16(most)<<8|uint16(most)>>8)
		}
		s := int(p.at.sum)
		patch(p.at.b[s:s+2:s+2], d)
	}
	return true
}

// MSS returns the maximum segment size that a SYN announces, in bytes; 0 where it announces
// none and of what is no SYN.
func (p *Packet) MSS() int {
	if p.Flags&SYN == 0 || p.at.proto != ProtoTCP {
		return 0
	}
	o := TCP(p.at.b[p.at.l4:]).Options()
	at := mssOption(o)
	if at < 0 {
		return 0
	}
	return int(binary.BigEndian.Uint16(o[at:]))
}

// AppendMSS appends the option that announces a maximum segment size to a SYN's options.
func AppendMSS(options []byte, size uint16) []byte {
	return append(options, optionMSS, 4, byte(size>>8), byte(size))
}

// mssOption returns where the value of the option stands in a SYN's options, -1 where
// there is none or the options are cut short.
func mssOption(o []byte) int {
	for i := 0; i < len(o); {
		switch o[i] {
		case optionEnd:
			return -1
		case optionNop:
			i++
			continue
		}
		if i+1 >= len(o) || o[i+1] < 2 || i+int(o[i+1]) > len(o) {
			return -1
		}
		if o[i] == optionMSS && o[i+1] == 4 {
			return i + 2
		}
		i += int(o[i+1])
	}
	return -1
}

// AppendTooBig appends to b the ICMP error which tells p's sender that p does not fit the
// next link, of mtu bytes: fragmentation needed (RFC 1191 section 4), or packet too big
// (RFC 4443 section 3.2). h is as for [AppendICMPError]. It returns nil where none may be
// sent: [Packet.AllowsError] says so, or p may be fragmented.
func AppendTooBig(b []byte, h Header, mtu int, p *Packet) []byte {
	typ, code := ICMPv6TooBig, uint8(0)
	if p.at.v4 {
		typ, code = ICMPUnreachable, FragNeeded
	}
	if !p.AllowsError(typ, code) || p.at.v4 && !p.DontFragment() {
		return nil
	}
	return AppendICMPError(b, h, typ, code, uint32(mtu), p)
}
