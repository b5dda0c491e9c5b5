package wire

import (
	"bufio"
	"encoding/gob"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

// reading is what a parser made of bytes: ours or a peer's.
type reading struct {
	ok       bool
	flow     Flow
	part     Fragment
	offset   int
	ttl      uint8
	flags    TCPFlags
	typ      uint8
	code     uint8
	checksum bool // of the transport of a whole packet: right, or not to be judged
}

// ourReading reads b with [Packet.Read].
func ourReading(b []byte) (reading, error) {
	var p Packet
	if err := p.Read(b); err != nil {
		return reading{}, err
	}
	return reading{
		ok: true, flow: p.Flow, part: p.Fragment, offset: p.FragmentOffset(), ttl: p.TTL(),
		flags: p.Flags, typ: p.Type, code: p.Code, checksum: p.VerifyChecksum() == nil,
	}, nil
}

func (r *reading) setPart(offset int, more bool) {
	r.offset = offset
	switch {
	case offset > 0:
		r.part = LaterFragment
	case more:
		r.part = FirstFragment
	}
}

// setQuery puts an ICMP identifier where Flow has it; which types have one is ours to say.
func (r *reading) setQuery(t []byte) {
	r.typ, r.code = t[0], t[1]
	switch id := uint16(t[4])<<8 | uint16(t[5]); roleOf(r.flow.Proto, r.typ) {
	case roleRequest:
		r.flow.SrcPort = id
	case roleReply:
		r.flow.DstPort = id
	}
}

// gvisorReading is what internal/gvisorread says of a packet. It is a program, so
// that who imports this package does not hear of gVisor from its tests.
type gvisorReading struct {
	OK, Checksum     bool
	Src, Dst         []byte
	Proto, TTL       uint8
	Offset           int
	More             bool
	SrcPort, DstPort uint16
	Flags            uint8
	ICMP             []byte
}

// startGVisor runs the program until the test ends and returns who asks it.
func startGVisor(t *testing.T) func(b []byte) reading {
	t.Helper()
	program := filepath.Join(t.TempDir(), "gvisorread")
	out, err := exec.Command("go", "build", "-o", program, "../internal/gvisorread").CombinedOutput()
	require.NoError(t, err, "%s", out)
	c := exec.Command(program)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	require.NoError(t, err)
	answers, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		require.NoError(t, c.Wait())
	})
	to, from := gob.NewEncoder(in), gob.NewDecoder(bufio.NewReader(answers))
	return func(b []byte) reading {
		var g gvisorReading
		require.NoError(t, to.Encode(b))
		require.NoError(t, from.Decode(&g))
		return g.reading()
	}
}

// reading is g in this package's words.
func (g *gvisorReading) reading() (r reading) {
	r.ok, r.checksum, r.ttl, r.flags = g.OK, g.Checksum, g.TTL, TCPFlags(g.Flags)
	r.flow = Flow{Proto: Proto(g.Proto), SrcPort: g.SrcPort, DstPort: g.DstPort}
	switch len(g.Src) {
	case 4:
		r.flow.Src, r.flow.Dst = AddrFrom4([4]byte(g.Src)), AddrFrom4([4]byte(g.Dst))
	case 16:
		r.flow.Src, r.flow.Dst = AddrFrom16([16]byte(g.Src)), AddrFrom16([16]byte(g.Dst))
	}
	r.setPart(g.Offset, g.More)
	if len(g.ICMP) > 0 {
		r.setQuery(g.ICMP)
	}
	return r
}

// truncation takes note where gopacket finds bytes missing.
type truncation bool

func (t *truncation) SetTruncated() { *t = true }

// gopacketReading reads b with gopacket's layers, one by one. It judges no checksum.
func gopacketReading(b []byte) (r reading) {
	var cut truncation
	r.checksum = true
	if len(b) == 0 {
		return r
	}
	switch b[0] >> 4 {
	case 4:
		var h layers.IPv4
		if h.DecodeFromBytes(b, &cut) != nil {
			return r
		}
		r.flow = Flow{Src: AddrFrom4([4]byte(h.SrcIP)), Dst: AddrFrom4([4]byte(h.DstIP)), Proto: Proto(h.Protocol)}
		r.ttl = h.TTL
		r.setPart(int(h.FragOffset)*8, h.Flags&layers.IPv4MoreFragments != 0)
		r.gopacketTransport(h.Payload, &cut, layers.IPProtocolICMPv4)
	case 6:
		var h layers.IPv6
		if h.DecodeFromBytes(b, &cut) != nil {
			return r
		}
		r.flow = Flow{Src: AddrFrom16([16]byte(h.SrcIP)), Dst: AddrFrom16([16]byte(h.DstIP)), Proto: Proto(h.NextHeader)}
		r.ttl = h.HopLimit
		if h.HopByHop != nil {
			r.flow.Proto = Proto(h.HopByHop.NextHeader)
		}
		payload, ok := r.gopacketExtensions(h.Payload, &cut)
		if !ok {
			return r
		}
		r.gopacketTransport(payload, &cut, layers.IPProtocolICMPv6)
	}
	r.ok = r.ok && !bool(cut)
	return r
}

// gopacketExtensions walks to the upper layer.
func (r *reading) gopacketExtensions(t []byte, cut *truncation) ([]byte, bool) {
	for r.part != LaterFragment {
		switch layers.IPProtocol(r.flow.Proto) {
		case layers.IPProtocolIPv6HopByHop, layers.IPProtocolIPv6Routing, layers.IPProtocolIPv6Destination:
			var e layers.IPv6ExtensionSkipper
			if e.DecodeFromBytes(t, cut) != nil {
				return nil, false
			}
			r.flow.Proto, t = Proto(e.NextHeader), e.Payload
		case layers.IPProtocolIPv6Fragment:
			f, ok := gopacket.NewPacket(t, layers.LayerTypeIPv6Fragment, gopacket.NoCopy).Layer(layers.LayerTypeIPv6Fragment).(*layers.IPv6Fragment)
			if !ok {
				return nil, false
			}
			r.flow.Proto, t = Proto(f.NextHeader), f.Payload
			r.setPart(int(f.FragmentOffset)*8, f.MoreFragments)
		case layers.IPProtocolAH:
			a, ok := gopacket.NewPacket(t, layers.LayerTypeIPSecAH, gopacket.NoCopy).Layer(layers.LayerTypeIPSecAH).(*layers.IPSecAH)
			if !ok {
				return nil, false
			}
			r.flow.Proto, t = Proto(a.NextHeader), a.Payload
		default:
			return t, true
		}
	}
	return t, true
}

// gopacketTransport reads the transport header. Of a first fragment gopacket's UDP
// finds bytes missing, as it must.
func (r *reading) gopacketTransport(t []byte, cut *truncation, icmp layers.IPProtocol) {
	r.ok = true
	if r.part == LaterFragment {
		return
	}
	switch layers.IPProtocol(r.flow.Proto) {
	case layers.IPProtocolTCP:
		var h layers.TCP
		r.ok = h.DecodeFromBytes(t, cut) == nil
		r.flow.SrcPort, r.flow.DstPort = uint16(h.SrcPort), uint16(h.DstPort)
		for i, set := range []bool{h.FIN, h.SYN, h.RST, h.PSH, h.ACK, h.URG, h.ECE, h.CWR} {
			if set {
				r.flags |= 1 << i
			}
		}
	case layers.IPProtocolUDP:
		var h layers.UDP
		before := *cut
		r.ok = h.DecodeFromBytes(t, cut) == nil
		if r.part == FirstFragment && len(t) >= 8 {
			*cut = before
		}
		r.flow.SrcPort, r.flow.DstPort = uint16(h.SrcPort), uint16(h.DstPort)
	case icmp:
		var v4 layers.ICMPv4
		var v6 layers.ICMPv6
		if icmp == layers.IPProtocolICMPv4 {
			r.ok = v4.DecodeFromBytes(t, cut) == nil
		} else {
			r.ok = v6.DecodeFromBytes(t, cut) == nil
		}
		if r.ok && len(t) >= 8 {
			r.setQuery(t)
		}
	}
}
