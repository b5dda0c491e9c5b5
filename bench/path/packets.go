package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// The network that all paths are: the host's packets leave by natAddr, and by
// publicAddr on the internet.
var (
	hostAddr   = netip.MustParseAddr("10.0.1.10")
	natAddr    = netip.MustParseAddr("10.0.0.5")
	publicAddr = netip.MustParseAddr("203.0.113.5")
)

// maxFlows is how many flows there may be to one server and port: fewer than ports.
const maxFlows = 50_000

const (
	ipLen      = 64 // of every packet
	firstPort  = 1024
	serverPort = 53
	ttl        = 64
)

// server returns the server that the i-th flow goes to. Those of one table's worth of
// flows go to one.
func server(i int) netip.Addr {
	n := i / maxFlows
	return netip.AddrFrom4([4]byte{198, 51, byte(100 + n/250), byte(1 + n%250)})
}

// request returns the i-th flow's packet: 64 bytes of IPv4 and UDP. The payload says
// which flow it is.
func request(i int) []byte {
	b := udp(netip.AddrPortFrom(hostAddr, uint16(firstPort+i%maxFlows)), netip.AddrPortFrom(server(i), serverPort))
	binary.BigEndian.PutUint32(b[28:], uint32(i))
	sum(b)
	return b
}

func udp(src, dst netip.AddrPort) []byte {
	b := make([]byte, ipLen)
	b[0], b[8], b[9] = 0x45, ttl, 17
	binary.BigEndian.PutUint16(b[2:], ipLen)
	copy(b[12:], src.Addr().AsSlice())
	copy(b[16:], dst.Addr().AsSlice())
	binary.BigEndian.PutUint16(b[20:], src.Port())
	binary.BigEndian.PutUint16(b[22:], dst.Port())
	binary.BigEndian.PutUint16(b[24:], ipLen-20)
	return b
}

// sum writes both checksums (RFC 1071), by the book and not fast.
func sum(b []byte) {
	b[10], b[11], b[26], b[27] = 0, 0, 0, 0
	binary.BigEndian.PutUint16(b[10:], ^ones(b[:20], 0))
	udp := ^ones(b[12:], 17+ipLen-20)
	if udp == 0 {
		udp = 0xffff // 0 says that there is none (RFC 768)
	}
	binary.BigEndian.PutUint16(b[26:], udp)
}

func ones(b []byte, s uint32) uint16 {
	for i := 0; i+1 < len(b); i += 2 {
		s += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	return uint16(s)
}

// checksums says which checksum of a packet is wrong.
func checksums(b []byte) error {
	switch {
	case len(b) != ipLen:
		return fmt.Errorf("a packet of %d bytes arrived, want %d", len(b), ipLen)
	case ones(b[:20], 0) != 0xffff:
		return errors.New("a packet with a wrong IP checksum arrived")
	case ones(b[12:], 17+ipLen-20) != 0xffff:
		return errors.New("a packet with a wrong UDP checksum arrived")
	}
	return nil
}

func addrPort(b []byte, addr, port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[addr:])), binary.BigEndian.Uint16(b[port:]))
}

// checkOut sends requests, checks what arrives at the server and returns the answers
// to it.
func checkOut(p path, requests [][]byte) (answers [][]byte, err error) {
	var wrong error
	_, _, err = p.send(requests, false, func(b []byte) {
		if wrong != nil || len(answers) == len(requests) {
			return
		}
		if wrong = checksums(b); wrong != nil {
			return
		}
		sent := requests[len(answers)]
		src, dst := addrPort(b, 12, 20), addrPort(b, 16, 22)
		if src.Addr() != publicAddr || dst != addrPort(sent, 16, 22) || !bytes.Equal(b[28:], sent[28:]) {
			wrong = fmt.Errorf("%v > %v arrived in place of %v > %v", src, dst, publicAddr, addrPort(sent, 16, 22))
			return
		}
		a := udp(dst, src)
		copy(a[28:], b[28:])
		sum(a)
		answers = append(answers, a)
	})
	switch {
	case err != nil:
		return nil, err
	case wrong == nil && len(answers) != len(requests):
		wrong = fmt.Errorf("%d of %d packets arrived", len(answers), len(requests))
	}
	return answers, wrong
}

// checkBack sends answers and checks what arrives at the host: each is for the port
// that its payload tells.
func checkBack(p path, answers [][]byte) error {
	var wrong error
	arrived := 0
	_, _, err := p.send(answers, true, func(b []byte) {
		arrived++
		if wrong == nil {
			wrong = checksums(b)
		}
		i := int(binary.BigEndian.Uint32(b[28:]))
		src, dst := addrPort(b, 12, 20), addrPort(b, 16, 22)
		want := netip.AddrPortFrom(hostAddr, uint16(firstPort+i%maxFlows))
		if wrong == nil && (dst != want || src != netip.AddrPortFrom(server(i), serverPort)) {
			wrong = fmt.Errorf("%v > %v arrived in place of the answer to %v", src, dst, want)
		}
	})
	switch {
	case err != nil:
		return err
	case wrong == nil && arrived != len(answers):
		return fmt.Errorf("%d of %d answers arrived", arrived, len(answers))
	}
	return wrong
}
