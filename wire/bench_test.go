package wire

import (
	"strconv"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

// Sinks keep the compiler from leaving out what is measured.
var (
	sinkPacket Packet
	sink16     uint16
	sinkOK     bool
)

// segment returns a TCP segment of 512 bytes of either family.
func segment(h Header) []byte {
	return AppendTCP(nil, h, Segment{SrcPort: 40000, DstPort: 5001, Flags: ACK}, make([]byte, 512))
}

func families() map[string]Header {
	return map[string]Header{"v4": {Src: host4, Dst: peer4, TTL: 255}, "v6": {Src: host6, Dst: peer6, TTL: 255}}
}

func BenchmarkRead(b *testing.B) {
	for _, f := range []string{"v4", "v6"} {
		packet := segment(families()[f])
		b.Run(f+"/wire", func(b *testing.B) {
			for b.Loop() {
				if sinkPacket.Read(packet) != nil {
					b.Fatal("not read")
				}
			}
		})
		b.Run(f+"/gopacket", func(b *testing.B) { benchmarkGopacket(b, f, packet) })
	}
}

// benchmarkGopacket decodes into layers that are used again, gopacket's fastest way.
func benchmarkGopacket(b *testing.B, family string, packet []byte) {
	var v4 layers.IPv4
	var v6 layers.IPv6
	var tcp layers.TCP
	var payload gopacket.Payload
	first := layers.LayerTypeIPv4
	if family == "v6" {
		first = layers.LayerTypeIPv6
	}
	parser := gopacket.NewDecodingLayerParser(first, &v4, &v6, &tcp, &payload)
	decoded := make([]gopacket.LayerType, 0, 4)
	for b.Loop() {
		if parser.DecodeLayers(packet, &decoded) != nil || len(decoded) != 3 {
			b.Fatal("not decoded")
		}
	}
}

func BenchmarkSetSrc(b *testing.B) {
	for _, f := range []string{"v4", "v6"} {
		h := families()[f]
		b.Run(f, func(b *testing.B) {
			var p Packet
			require.NoError(b, p.Read(segment(h)))
			to, port := h.Dst, uint16(1)
			for b.Loop() {
				from := p.Flow.Src
				p.SetSrc(to, port)
				to, port = from, port+1
			}
			require.NoError(b, p.VerifyChecksum())
		})
	}
}

func BenchmarkDecTTL(b *testing.B) {
	for _, f := range []string{"v4", "v6"} {
		b.Run(f, func(b *testing.B) {
			var p Packet
			require.NoError(b, p.Read(segment(families()[f])))
			for b.Loop() {
				if sinkOK = p.DecTTL(); !sinkOK {
					p.SetTTL(255)
				}
			}
		})
	}
}

func BenchmarkInner(b *testing.B) {
	for _, f := range []string{"v4", "v6"} {
		b.Run(f, func(b *testing.B) {
			var about, e Packet
			h := families()[f]
			require.NoError(b, about.Read(segment(h)))
			require.NoError(b, e.Read(AppendICMPError(nil, h, 3, 0, 0, &about)))
			to := h.Dst
			for b.Loop() {
				in, ok := e.Inner()
				if !ok {
					b.Fatal("nothing quoted")
				}
				from := in.Flow.Src
				in.SetSrc(to, 40000)
				to = from
			}
		})
	}
}

func BenchmarkChecksum(b *testing.B) {
	for _, n := range []int{20, 64, 1500} {
		data := newGen(50).bytes(n)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				sink16 = Checksum(data)
			}
		})
	}
}
