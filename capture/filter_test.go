package capture

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/wire"
)

// expressions are filters that tcpdump knows, too.
var expressions = []string{
	"host 10.0.0.11", "src host 10.0.0.11", "dst 10.0.1.55", "host fd00::11", "src 2600:1f18::55",
	"net 10.0.0.0/16", "src net 0.0.0.0/1", "dst net 10.0.1.0/24", "net fd00::/8", "net 2000::/3",
	"port 22222", "src port 33333", "dst port 443", "tcp port 22222", "udp dst port 33333", "udp src port 22222",
	"icmp", "icmp6", "tcp", "udp", "arp", "ip", "ip6",
	"not ip6", "! arp and host 10.0.0.11", "not not tcp",
	"icmp or udp and host 10.0.1.55", "icmp or (udp and host 10.0.1.55)", "(icmp||udp)&&host 10.0.1.55",
	"host 10.0.2.149 and not (tcp or port 33434)", "tcp and udp or icmp6 and ip6",
}

func TestFiltersAreTcpdumps(t *testing.T) {
	needThisTcpdump(t)
	m := newMaker(11)
	m.sound = true
	var frames []Frame
	for _, f := range m.frames(LinkEthernet, 3000) {
		// libpcap looks behind VLAN tags only where told to, and where a load is beyond
		// the captured bytes the whole filter is false.
		if typ, _, ok := f.Payload(); ok && typ == wire.Ethernet(f.Bytes).Type() && len(f.Bytes) == f.Len {
			frames = append(frames, f)
		}
	}
	require.Greater(t, len(frames), 1500)
	file := pcap(LinkEthernet, frames)
	for _, text := range expressions {
		filter, err := ParseFilter(text)
		require.NoError(t, err)
		want, _ := realTcpdump(t, file, "-n", text)
		p, got := Tcpdump{Base: epoch, Numeric: true}, ""
		n := 0
		for _, f := range frames {
			if filter.Match(f) {
				got += p.Line(f) + "\n"
				n++
			}
		}
		requireStories(t, want, got, text)
		require.True(t, n > 0 && n < len(frames) || text == "tcp and udp", "%q wants %d of %d", text, n, len(frames))
	}
}

func TestAFilterMeansWhatItsPartsMean(t *testing.T) {
	for _, f := range newMaker(12).frames(LinkRaw, 500) {
		require.True(t, Filter(nil).Match(f))
		tcp, low := filterProtocols["tcp"], Port(443)
		require.Equal(t, tcp.Match(f) && low.Match(f), tcp.And(low).Match(f))
		require.Equal(t, tcp.Match(f) || low.Match(f), tcp.Or(low).Match(f))
		require.Equal(t, !tcp.Match(f), tcp.Not().Match(f))
		require.False(t, Filter(nil).Not().Match(f))
		require.Equal(t, tcp.Match(f), Filter(nil).And(tcp).Match(f))
		require.True(t, tcp.Or(nil).Match(f))
	}
	all, err := ParseFilter(" ")
	require.NoError(t, err)
	require.Nil(t, all)
}

func TestTheFunctionsMeanWhatTheWordsMean(t *testing.T) {
	a, p := netip.MustParseAddr("10.0.0.11"), netip.MustParsePrefix("10.0.0.0/16")
	for text, made := range map[string]Filter{
		"host 10.0.0.11": Host(a), "src 10.0.0.11": Src(a), "dst 10.0.0.11": Dst(a),
		"net 10.0.0.0/16": Net(p), "src net 10.0.0.0/16": SrcNet(p), "dst net 10.0.0.0/16": DstNet(p),
		"port 443": Port(443), "src port 443": SrcPort(443), "dst port 443": DstPort(443),
		"tcp": Protocol(wire.ProtoTCP), "arp": Type(wire.EtherTypeARP),
	} {
		parsed, err := ParseFilter(text)
		require.NoError(t, err)
		wanted := 0
		for _, f := range newMaker(14).frames(LinkEthernet, 2000) {
			require.Equal(t, parsed.Match(f), made.Match(f), text)
			if made.Match(f) {
				wanted++
			}
		}
		require.Positive(t, wanted, text)
	}
}

func TestABadFilterIsRefusedInWords(t *testing.T) {
	const primitive = "expected an address, a protocol, host, net, port, src or dst"
	for text, want := range map[string]string{
		"host":                        "it ends: " + primitive,
		"host 10.0.0.":                `word 2 is "10.0.0.": ` + primitive,
		"host fe80::1%eth0":           `word 2 is "fe80::1%eth0": ` + primitive,
		"greater 60":                  `word 1 is "greater": ` + primitive,
		"net 10.0.0.1/24":             `word 2 is "10.0.0.1/24": expected a prefix without host bits, such as 10.0.0.0/24`,
		"net 10":                      `word 2 is "10": expected a prefix without host bits, such as 10.0.0.0/24`,
		"port http":                   `word 2 is "http": expected a port's number, from 0 to 65535`,
		"src port 65536":              `word 3 is "65536": expected a port's number, from 0 to 65535`,
		"tcp src 10.0.0.1":            `word 3 is "10.0.0.1": expected port`,
		"icmp udp":                    `word 2 is "udp": expected and or or`,
		"icmp and":                    "it ends: " + primitive,
		"(icmp":                       "it ends: expected a closing parenthesis",
		"icmp)":                       `word 2 is ")": expected and or or`,
		"not":                         "it ends: " + primitive,
		strings.Repeat("! ", 70):      "word 66 is over 64 levels deep",
		strings.Repeat("(", 70) + "x": "word 66 is over 64 levels deep",
	} {
		_, err := ParseFilter(text)
		require.ErrorContains(t, err, "capture: filter \"")
		require.EqualError(t, err, "capture: filter \""+text+"\": "+want)
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, text := range expressions {
		f.Add(text)
	}
	frames := newMaker(13).frames(LinkEthernet, 20)
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ParseFilter(text)
		if err != nil {
			require.Nil(t, filter)
			return
		}
		for _, f := range frames {
			require.Equal(t, filter.Match(f), !filter.Not().Match(f))
		}
	})
}
