// Gvisorread reads IP packets as gVisor's header package does: gob-encoded byte
// slices come in on standard input, and for each a [Reading] goes out on standard
// output. It is a program, not a package, for the tests that compare with it: a
// module that uses this one hears nothing of gVisor from the tests of what it imports.
package main

import (
	"bufio"
	"encoding/gob"
	"errors"
	"io"
	"log"
	"os"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// Reading is what gVisor made of a packet; the transport's fields are of a whole
// packet or a first fragment.
type Reading struct {
	// OK says that the packet was read, Checksum that the transport checksum of a
	// whole packet is right or that there is none to be judged.
	OK, Checksum bool
	// Src and Dst are the addresses, 4 or 16 bytes each.
	Src, Dst []byte
	Proto    uint8
	TTL      uint8
	// Offset is the fragment's, in bytes; More says that others follow.
	Offset int
	More   bool
	// SrcPort and DstPort are TCP's or UDP's, Flags TCP's.
	SrcPort, DstPort uint16
	Flags            uint8
	// ICMP is type, code, checksum and the word behind it, empty of other protocols.
	ICMP []byte
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	from, to := gob.NewDecoder(bufio.NewReader(os.Stdin)), gob.NewEncoder(out)
	for {
		var packet []byte
		err := from.Decode(&packet)
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = errors.Join(to.Encode(read(packet)), out.Flush())
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}

// read reads b in the way gVisor's stack does.
func read(b []byte) Reading {
	switch header.IPVersion(b) {
	case header.IPv4Version:
		return readIPv4(b)
	case header.IPv6Version:
		return readIPv6(b)
	}
	return Reading{}
}

func readIPv4(b []byte) (r Reading) {
	h := header.IPv4(b)
	if !h.IsValid(len(b)) || !h.IsChecksumValid() {
		return r
	}
	src, dst := h.SourceAddress(), h.DestinationAddress()
	r.Src, r.Dst, r.Proto, r.TTL = src.AsSlice(), dst.AsSlice(), h.Protocol(), h.TTL()
	r.Offset, r.More = int(h.FragmentOffset()), h.More()
	r.transport(h.Payload(), src, dst, header.IPv4ProtocolNumber)
	return r
}

func readIPv6(b []byte) (r Reading) {
	h := header.IPv6(b)
	if !h.IsValid(len(b)) {
		return r
	}
	src, dst := h.SourceAddress(), h.DestinationAddress()
	r.Src, r.Dst, r.TTL = src.AsSlice(), dst.AsSlice(), h.HopLimit()
	payload := b[header.IPv6MinimumSize : header.IPv6MinimumSize+int(h.PayloadLength())]
	it := header.MakeIPv6PayloadIterator(header.IPv6ExtensionHeaderIdentifier(h.NextHeader()), buffer.MakeWithData(payload))
	defer it.Release()
	for {
		next, done, err := it.Next()
		if err != nil {
			return r
		}
		if done { // only "no next header" ends the headers so
			r.Proto, r.OK, r.Checksum = uint8(header.IPv6NoNextHeaderIdentifier), true, true
			return r
		}
		switch e := next.(type) {
		case header.IPv6FragmentExtHdr:
			r.Offset, r.More = int(e.FragmentOffset())*header.IPv6FragmentExtHdrFragmentOffsetBytesPerUnit, e.More()
		case header.IPv6RawPayloadHeader:
			r.Proto = uint8(e.Identifier)
			r.transport(e.Buf.Flatten(), src, dst, header.IPv6ProtocolNumber)
			e.Release()
			return r
		}
		next.Release()
	}
}

// transport reads the transport header as gVisor's transport layers do, which see
// whole packets only: of a first fragment it asks for the header.
func (r *Reading) transport(t []byte, src, dst tcpip.Address, net tcpip.NetworkProtocolNumber) {
	r.OK, r.Checksum = true, true
	if r.Offset > 0 {
		return
	}
	whole := !r.More
	switch p := tcpip.TransportProtocolNumber(r.Proto); {
	case p == header.TCPProtocolNumber:
		if r.OK = len(t) >= header.TCPMinimumSize; !r.OK {
			return
		}
		h := header.TCP(t)
		sum := func() uint16 { return checksum.Checksum(t[h.DataOffset():], 0) }
		_, right, ok := header.TCPValid(h, sum, uint16(len(t)-int(h.DataOffset())), src, dst, false)
		r.OK, r.Checksum = ok, right || !whole
		r.SrcPort, r.DstPort, r.Flags = h.SourcePort(), h.DestinationPort(), uint8(h.Flags())
	case p == header.UDPProtocolNumber:
		if r.OK = len(t) >= header.UDPMinimumSize; !r.OK {
			return
		}
		h := header.UDP(t)
		sum := func() uint16 { return checksum.Checksum(t[header.UDPMinimumSize:h.Length()], 0) }
		ok, right := header.UDPValid(h, sum, uint16(len(t)-header.UDPMinimumSize), net, src, dst, !whole)
		r.OK, r.Checksum = ok || !whole && h.Length() >= header.UDPMinimumSize, right || !whole
		r.SrcPort, r.DstPort = h.SourcePort(), h.DestinationPort()
	case p == header.ICMPv4ProtocolNumber && net == header.IPv4ProtocolNumber:
		if r.OK = len(t) >= header.ICMPv4MinimumSize; !r.OK {
			return
		}
		h := header.ICMPv4(t[:header.ICMPv4MinimumSize])
		r.Checksum = !whole || h.Checksum() == header.ICMPv4Checksum(h, checksum.Checksum(t[len(h):], 0))
		r.ICMP = h
	case p == header.ICMPv6ProtocolNumber && net == header.IPv6ProtocolNumber:
		if r.OK = len(t) >= header.ICMPv6MinimumSize; !r.OK {
			return
		}
		h := header.ICMPv6(t[:header.ICMPv6MinimumSize])
		r.Checksum = !whole || h.Checksum() == header.ICMPv6Checksum(header.ICMPv6ChecksumParams{
			Header: h, Src: src, Dst: dst, PayloadCsum: checksum.Checksum(t[len(h):], 0), PayloadLen: len(t) - len(h),
		})
		r.ICMP = h
	}
}
