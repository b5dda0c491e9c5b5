package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/wire"
)

var epoch = time.Date(2023, 3, 4, 5, 6, 7, 123456789, time.UTC)

// realTcpdump returns what tcpdump prints for a file's bytes, with its warnings.
func realTcpdump(t *testing.T, file []byte, args ...string) (lines, warnings string) {
	t.Helper()
	path, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Skip("tcpdump is not installed")
	}
	c := exec.Command(path, append([]string{"-r", "-"}, args...)...)
	c.Env = append(os.Environ(), "TZ=UTC")
	c.Stdin = bytes.NewReader(file)
	var out, err2 bytes.Buffer
	c.Stdout, c.Stderr = &out, &err2
	require.NoError(t, c.Run(), err2.String())
	return out.String(), err2.String()
}

// needThisTcpdump skips a test of malformed packets where another tcpdump than the
// one that is followed would judge it: such lines change between versions.
func needThisTcpdump(t *testing.T) {
	t.Helper()
	out, err := exec.Command("tcpdump", "--version").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "tcpdump version 4.99.3") {
		t.Skip("tcpdump 4.99.3 is not installed")
	}
}

// pcap returns frames as a pcap file, in nanoseconds.
func pcap(link LinkType, frames []Frame) []byte {
	u32 := binary.LittleEndian.AppendUint32
	b := u32(nil, magicNanoseconds)
	b = u32(u32(append(b, 2, 0, 4, 0), 0), 0)
	b = u32(u32(b, frameMax), uint32(link))
	for _, f := range frames {
		at := epoch.Add(f.At)
		b = u32(u32(b, uint32(at.Unix())), uint32(at.Nanosecond()))
		b = u32(u32(b, uint32(len(f.Bytes))), uint32(f.wireLen()))
		b = append(b, f.Bytes...)
	}
	return b
}

// story is every line that a Tcpdump prints.
func story(p *Tcpdump, frames []Frame) string {
	var b strings.Builder
	for _, f := range frames {
		b.WriteString(p.Line(f) + "\n")
	}
	return b.String()
}

func TestLinesAreTcpdumps(t *testing.T) {
	needThisTcpdump(t)
	for _, link := range []LinkType{LinkEthernet, LinkRaw, LinkLinuxSLL, LinkLinuxSLL2, LinkIPv4, LinkIPv6} {
		for seed := range uint64(10) {
			frames := newMaker(seed).frames(link, 500)
			want, _ := realTcpdump(t, pcap(link, frames), "-n", "-tttt")
			got := story(&Tcpdump{Base: epoch, Numeric: true, Stamp: StampDate}, frames)
			requireLines(t, want, got, seed)
		}
	}
}

// requireLines compares line by line: the first that differs is enough to know.
func requireLines(t *testing.T, want, got string, seed uint64) {
	t.Helper()
	requireStories(t, want, got, fmt.Sprintf("seed %d", seed))
}

func requireStories(t *testing.T, want, got, of string) {
	t.Helper()
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		require.Equal(t, w[i], g[i], "%s line %d", of, i+1)
	}
	require.Len(t, g, len(w), of)
}

// withoutDNS returns what tcpdump prints without -n where no name server answers:
// ports and protocols by name, addresses as numbers.
func withoutDNS(t *testing.T, file []byte) string {
	t.Helper()
	tcpdump, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Skip("tcpdump is not installed")
	}
	if exec.Command("unshare", "-n", "true").Run() != nil || exec.Command("grep", "-q", "iscsi-target", "/etc/services").Run() != nil {
		t.Skip("no right to make a network namespace, or no /etc/services")
	}
	c := exec.Command("unshare", "-n", tcpdump, "-t", "-r", "-")
	c.Stdin = bytes.NewReader(file)
	out, err := c.Output()
	require.NoError(t, err)
	return string(out)
}

func TestPortsAndProtocolsHaveTheNamesOfTcpdump(t *testing.T) {
	needThisTcpdump(t)
	h := wire.Header{Src: wire.MustParseAddr("192.0.2.1"), Dst: wire.MustParseAddr("192.0.2.2"), TTL: 64}
	var frames []Frame
	for _, port := range slices.Sorted(maps.Keys(services)) {
		syn := wire.AppendTCP(nil, h, wire.Segment{SrcPort: 40000, DstPort: port, Flags: wire.SYN}, nil)
		udp := wire.AppendUDP(nil, h, 40000, port, nil)
		lost := wire.AppendICMP(nil, h, wire.ICMPUnreachable, wire.PortUnreachable, 0, udp)
		frames = append(frames, Frame{Link: LinkRaw, Bytes: syn}, Frame{Link: LinkRaw, Bytes: lost})
	}
	for _, p := range slices.Sorted(maps.Keys(protocolNames)) {
		h := h
		h.Proto, h.Offset = p, 8
		frames = append(frames, Frame{Link: LinkRaw, Bytes: wire.AppendIP(nil, h, nil)})
	}
	want := withoutDNS(t, pcap(LinkRaw, frames))
	requireLines(t, want, story(&Tcpdump{Stamp: StampNone}, frames), 0)
}

func TestMakersHaveTheNamesOfTcpdump(t *testing.T) {
	needThisTcpdump(t)
	var frames []Frame
	for _, mac := range []wire.MAC{{2, 1, 2, 3, 4, 5}, {0, 0, 0, 1, 2, 3}} {
		f := make([]byte, wire.EthernetLen)
		wire.PutEthernet(f, wire.Broadcast, mac, wire.EtherTypeARP)
		f = wire.AppendARP(f, wire.ARPReply, mac, wire.MustParseAddr("192.0.2.1"), wire.MAC{}, wire.MustParseAddr("192.0.2.2"))
		frames = append(frames, Frame{Bytes: f})
	}
	requireLines(t, withoutDNS(t, pcap(LinkEthernet, frames)), story(&Tcpdump{Stamp: StampNone}, frames), 0)
}

func TestTimesAreTcpdumps(t *testing.T) {
	needThisTcpdump(t)
	frames := newMaker(1).frames(LinkEthernet, 50)
	frames[40].At = -time.Hour
	for stamp, arg := range map[Stamp]string{StampClock: "-n", StampNone: "-t", StampDate: "-tttt"} {
		want, _ := realTcpdump(t, pcap(LinkEthernet, frames), "-n", arg)
		requireLines(t, want, story(&Tcpdump{Base: epoch, Numeric: true, Stamp: stamp}, frames), uint64(stamp))
	}
}

// privateName is the name that AWS's resolver has for an address of S002's VPC.
func privateName(a netip.Addr) string {
	if !netip.MustParsePrefix("10.0.1.0/24").Contains(a) {
		return ""
	}
	return "ip-" + strings.ReplaceAll(a.String(), ".", "-") + ".ap-northeast-3.compute.internal"
}

func TestTheDestinationOfS002SeesTheGatewaysProbesAndItsPing(t *testing.T) {
	gateway, target := wire.MustParseAddr("10.0.2.149"), wire.MustParseAddr("10.0.1.55")
	from := wire.Header{Src: gateway, Dst: target, TTL: 1}
	back := wire.Header{Src: target, Dst: gateway, TTL: 255}
	probe := wire.AppendUDP(nil, from, 59743, 33437, make([]byte, 32))
	frames := []Frame{
		{Bytes: probe},
		{Bytes: wire.AppendICMP(nil, back, wire.ICMPUnreachable, wire.PortUnreachable, 0, probe)},
		{Bytes: wire.AppendICMP(nil, from, wire.ICMPEcho, 0, 31391<<16|1, make([]byte, 56))},
		{Bytes: wire.AppendICMP(nil, back, wire.ICMPEchoReply, 0, 31391<<16|1, make([]byte, 56))},
		{Bytes: wire.AppendICMP(nil, back, wire.ICMPTimeExceeded, 0, 0, probe)},
	}
	for i := range frames {
		frames[i].At, frames[i].Link = time.Duration(i)*time.Millisecond, LinkRaw
	}
	require.Equal(t, `00:00:00.000000 IP 10.0.2.149.59743 > ip-10-0-1-55.ap-northeast-3.compute.internal.33437: UDP, length 32
00:00:00.001000 IP ip-10-0-1-55.ap-northeast-3.compute.internal > 10.0.2.149: ICMP ip-10-0-1-55.ap-northeast-3.compute.internal udp port 33437 unreachable, length 68
00:00:00.002000 IP 10.0.2.149 > ip-10-0-1-55.ap-northeast-3.compute.internal: ICMP echo request, id 31391, seq 1, length 64
00:00:00.003000 IP ip-10-0-1-55.ap-northeast-3.compute.internal > 10.0.2.149: ICMP echo reply, id 31391, seq 1, length 64
00:00:00.004000 IP ip-10-0-1-55.ap-northeast-3.compute.internal > 10.0.2.149: ICMP time exceeded in-transit, length 68
`, story(&Tcpdump{Names: privateName}, frames))
}

func FuzzLine(f *testing.F) {
	m := newMaker(7)
	for _, link := range []LinkType{LinkEthernet, LinkRaw, LinkLinuxSLL, LinkLinuxSLL2, 999} {
		for range 20 {
			f.Add(uint16(link), m.frame(link), 0)
		}
	}
	f.Fuzz(func(t *testing.T, link uint16, b []byte, n int) {
		frame := Frame{Link: LinkType(link), Bytes: b, Len: n}
		var p Tcpdump
		require.NotEmpty(t, p.Line(frame))
		require.Equal(t, (&Tcpdump{}).Line(frame), (&Tcpdump{}).Line(frame))
	})
}
