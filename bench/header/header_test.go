// Package header times what a router does to one packet's header, by package wire and
// by gVisor's header package.
package header_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/vpcsim/vpcsim/wire"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// sink keeps the compiler from leaving out what is measured.
var sink uint16

var (
	src = wire.MustParseAddr("10.0.0.11")
	dst = wire.MustParseAddr("10.0.1.55")
)

func segment() []byte {
	return wire.AppendTCP(nil, wire.Header{Src: src, Dst: dst, TTL: 255}, wire.Segment{SrcPort: 40000, DstPort: 5001, Flags: wire.ACK}, make([]byte, 512))
}

func check(b *testing.B, packet []byte) {
	var p wire.Packet
	if err := p.Read(packet); err != nil {
		b.Fatal(err)
	}
	if err := p.VerifyChecksum(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSetSrc is what a NAT does for an address and a port.
func BenchmarkSetSrc(b *testing.B) {
	b.Run("wire", func(b *testing.B) {
		packet := segment()
		var p wire.Packet
		if err := p.Read(packet); err != nil {
			b.Fatal(err)
		}
		from, to, port := src, dst, uint16(1)
		for b.Loop() {
			p.SetSrc(to, port)
			from, to, port = to, from, port+1
		}
		check(b, packet)
	})
	b.Run("gVisor", func(b *testing.B) {
		packet := segment()
		from, to := tcpip.AddrFrom4([4]byte{10, 0, 0, 11}), tcpip.AddrFrom4([4]byte{10, 0, 1, 55})
		ip, tcp, port := header.IPv4(packet), header.TCP(packet[header.IPv4MinimumSize:]), uint16(1)
		for b.Loop() {
			ip.SetSourceAddressWithChecksumUpdate(to)
			tcp.UpdateChecksumPseudoHeaderAddress(from, to, true)
			tcp.SetSourcePortWithChecksumUpdate(port)
			from, to, port = to, from, port+1
		}
		check(b, packet)
	})
}

// BenchmarkChecksum sums whole packets.
func BenchmarkChecksum(b *testing.B) {
	chance := rand.NewChaCha8([32]byte{})
	for _, n := range []int{20, 64, 1500} {
		data := make([]byte, n)
		chance.Read(data)
		if wire.Checksum(data) != ^checksum.Checksum(data, 0) {
			b.Fatalf("the sums of %x differ", data)
		}
		b.Run(fmt.Sprint(n, "/wire"), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				sink = wire.Checksum(data)
			}
		})
		b.Run(fmt.Sprint(n, "/gVisor"), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				sink = ^checksum.Checksum(data, 0)
			}
		})
	}
}
