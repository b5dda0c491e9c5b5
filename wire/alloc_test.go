package wire

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// leastAllocs is the fewest allocations of f over a few runs: a stray collection of
// garbage is not f's.
func leastAllocs(f func()) float64 {
	least := testing.AllocsPerRun(100, f)
	for range 5 {
		least = min(least, testing.AllocsPerRun(100, f))
	}
	return least
}

// must makes sure that it is the way of success that does not allocate.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func TestThePacketPathDoesNotAllocate(t *testing.T) {
	for family, h := range families() {
		packet := segment(h)
		var about Packet
		require.NoError(t, about.Read(packet))
		quoting := AppendICMPError(nil, h, 3, 0, 0, &about)
		later := AppendIP(nil, Header{Src: h.Src, Dst: h.Dst, Offset: 8}, make([]byte, 9))
		tiny := AppendIP(nil, Header{Src: h.Src, Dst: h.Dst, MF: true, Proto: ProtoTCP}, make([]byte, 8))
		room := make([]byte, 0, 2048)
		for name, f := range map[string]func(){
			"Read": func() { must(sinkPacket.Read(packet)) },
			"Read that fails": func() {
				if sinkPacket.Read(tiny) != TinyFragment {
					panic("read")
				}
			},
			"VerifyChecksum": func() { must(sinkPacket.Read(packet)); must(sinkPacket.VerifyChecksum()) },
			"Set": func() {
				must(sinkPacket.Read(packet))
				sinkPacket.SetSrc(h.Dst, sinkPacket.Flow.SrcPort+1)
				sinkPacket.SetDst(h.Src, sinkPacket.Flow.DstPort+1)
				sinkOK = sinkPacket.DecTTL()
				sinkPacket.SetTTL(64)
			},
			"Inner": func() {
				must(sinkPacket.Read(quoting))
				in, ok := sinkPacket.Inner()
				if !ok {
					panic("nothing quoted")
				}
				in.SetSrc(h.Dst, in.Flow.SrcPort+1)
				in.SetDst(h.Src, in.Flow.DstPort+1)
			},
			"Inner of a packet on the stack": func() {
				var p Packet
				must(p.Read(quoting))
				in, ok := p.Inner()
				in.SetSrc(h.Dst, in.Flow.SrcPort+1)
				sinkOK = ok
			},
			"FragmentKey": func() {
				must(sinkPacket.Read(later))
				if _, sinkOK = sinkPacket.FragmentKey(); !sinkOK || sinkPacket.FragmentOffset() != 8 {
					panic("no fragment")
				}
			},
			"AppendICMPError": func() {
				if !about.AllowsError(11, 0) {
					panic("no error allowed")
				}
				room = AppendICMPError(room[:0], h, 11, 0, 0, &about)
			},
			"AppendUDP": func() { room = AppendUDP(room[:0], h, 1, 2, packet[:8]) },
			"AppendTCP": func() { room = AppendTCP(room[:0], h, Segment{Flags: SYN}, nil) },
			"CheckDiscovery": func() {
				room = AppendNeighborSolicitation(room[:0], Header{Src: link6}, peer6, macA)
				must(sinkPacket.Read(room))
				must(sinkPacket.CheckDiscovery())
			},
		} {
			require.Zero(t, leastAllocs(f), family+" "+name)
		}
	}
}

// inlined are the functions that callers on the packet path may take for free.
var inlined = []string{
	"(*Packet).Bytes", "(*Packet).DontFragment", "(*Packet).FragmentOffset", "(*Packet).HasPorts", "(*Packet).Is4",
	"(*Packet).IsDiscovery", "(*Packet).IsError", "(*Packet).IsReply", "(*Packet).IsRequest", "(*Packet).Len",
	"(*Packet).MoreFragments", "(*Packet).SetDst", "(*Packet).SetSrc", "(*Packet).TTL", "(*Packet).Transport", "(*Inner).HasPorts",
	"Addr.Compare", "Addr.Is4", "Addr.IsForwardable", "Addr.IsLinkLocal", "Addr.IsMulticast", "Addr.IsValid", "Addr.V4", "Addr.Words",
	"AddrFrom", "AddrFrom16", "AddrFrom4", "AddrFromV4", "AddrFromWords", "Prefix.Contains",
	"Flow.Reverse", "Delta.Apply", "Delta.Plus", "Delta16", "fold", "sum2", "(*place).hasPorts",
	"Ethernet.Check", "Ethernet.Dst", "Ethernet.Payload", "Ethernet.Src", "Ethernet.Type", "MAC.IsGroup", "PutEthernet",
	"IPv4.Dst", "IPv4.FragmentOffset", "IPv4.HeaderLen", "IPv4.Options", "IPv4.Payload", "IPv4.Src", "IPv4.TotalLen",
	"IPv6.Dst", "IPv6.NextHeader", "IPv6.Payload", "IPv6.Src", "UDP.Payload", "UDP.check", "TCP.Options", "TCP.Payload",
	"TCP.check", "ICMP.check", "ICMP.ID", "ICMP.MTU", "ICMP.Payload", "ARP.Check", "TCPFlags.Has",
}

func TestHotFunctionsAreInlined(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("skipped: no go command on the path")
	}
	out, err := exec.Command(goTool, "build", "-gcflags=-m", ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	can := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if _, name, ok := strings.Cut(line, ": can inline "); ok {
			can[strings.TrimSpace(name)] = true
		}
	}
	for _, name := range inlined {
		require.True(t, can[name], "%s is not inlined any more", name)
	}
}
