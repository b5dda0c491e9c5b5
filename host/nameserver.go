package host

import (
	"encoding/binary"
	"net/netip"

	"github.com/vpcsim/vpcsim/dns"
)

// ServeDNS answers queries at an address of the guest, by UDP and by TCP, with what
// answer returns; the zero Addr is all addresses. answer is told who asks. A query that
// can't be read is answered with FORMERR. An answer that the client does not take by UDP
// is cut, and the client asks by TCP (RFC 1035 section 4.2, RFC 6891).
func (h *Host) ServeDNS(at netip.Addr, answer func(from netip.Addr, q dns.Message) dns.Message) error {
	u, err := h.ListenUDP(netip.AddrPortFrom(at, dns.Port))
	if err != nil {
		return err
	}
	u.OnDatagram(func(c *UDPConn, d Datagram) {
		if b := reply(d.Payload, d.Src.Addr(), answer, true); b != nil {
			c.Send(d.Src, b)
		}
	})
	_, err = h.ListenTCP(netip.AddrPortFrom(at, dns.Port), func(c *Conn) {
		s := &dnsConn{answer: answer}
		c.OnReadable(s.readable)
	})
	return err
}

// reply returns the bytes of the answer to a query, nil where there is none.
func reply(query []byte, from netip.Addr, answer func(netip.Addr, dns.Message) dns.Message, udp bool) []byte {
	q, err := dns.Parse(query)
	if q.Response || len(query) < 12 {
		return nil
	}
	m := q.Answer(dns.FormErr)
	if err == nil {
		m = answer(from, q)
	}
	if q.UDPSize > 0 {
		m.UDPSize = dns.EDNSUDP
	}
	b, err := m.Append(nil)
	if err != nil {
		m = q.Answer(dns.ServFail)
		if b, err = m.Append(nil); err != nil {
			return nil
		}
	}
	if udp && len(b) > max(dns.MaxUDP, min(int(q.UDPSize), dns.EDNSUDP)) {
		m.Truncated, m.Answers = true, nil
		b, _ = m.Append(nil)
	}
	return b
}

// dnsConn is a client's TCP connection: messages, each with its length before it.
type dnsConn struct {
	answer func(netip.Addr, dns.Message) dns.Message
	buf    []byte
}

func (s *dnsConn) readable(c *Conn) {
	s.buf = append(s.buf, c.Next()...)
	for len(s.buf) >= 2 {
		n := int(binary.BigEndian.Uint16(s.buf))
		if len(s.buf) < 2+n {
			break
		}
		if b := reply(s.buf[2:2+n], c.Remote().Addr(), s.answer, false); b != nil {
			c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
		}
		s.buf = s.buf[2+n:]
	}
	if c.Ended() {
		c.Close()
	}
}
