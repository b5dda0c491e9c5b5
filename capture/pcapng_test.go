package capture

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/wire"
)

// tshark returns what tshark prints for a file's bytes, and its warnings without
// the one about being root.
func tshark(t *testing.T, file []byte, args ...string) (out, warnings string) {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed")
	}
	c := exec.Command(path, append([]string{"-r", "-", "-n"}, args...)...)
	c.Stdin = bytes.NewReader(file)
	var o, e bytes.Buffer
	c.Stdout, c.Stderr = &o, &e
	require.NoError(t, c.Run(), e.String())
	for line := range strings.Lines(e.String()) {
		if !strings.HasPrefix(line, "Running as user") {
			warnings += line
		}
	}
	return o.String(), warnings
}

func ping() []byte {
	h := wire.Header{Src: wire.MustParseAddr("10.0.0.11"), Dst: wire.MustParseAddr("10.0.1.55"), TTL: 255}
	return wire.AppendICMP(nil, h, wire.ICMPEcho, 0, 7<<16|1, make([]byte, 57))
}

// twoInterfaces is a file of a ping that two ENIs saw, and two places behind them.
func twoInterfaces(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	p, err := NewPcapNG(&b, PcapNGConfig{Base: epoch, Comment: "a ping"})
	require.NoError(t, err)
	for i, iface := range []Interface{
		{Name: "eni-1", Description: "source", Comment: "in 10.0.0.0/24"},
		{Name: "eni-2"},
	} {
		n, err := p.AddInterface(iface)
		require.NoError(t, err)
		require.Equal(t, i, n)
		f := make([]byte, wire.EthernetLen)
		wire.PutEthernet(f, wire.MAC{2, 2}, wire.MAC{2, 1}, wire.EtherTypeIPv4)
		at := time.Duration(i)*time.Millisecond + 1
		require.NoError(t, p.WriteFrame(n, at, append(f, ping()...)))
		require.NoError(t, p.WritePacket(n, at, ping()))
	}
	require.NoError(t, p.Flush())
	return b.Bytes()
}

// rawPacket is a file of a ping without Ethernet.
func rawPacket(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	p, err := NewPcapNG(&b, PcapNGConfig{Base: epoch, Link: LinkRaw})
	require.NoError(t, err)
	n, err := p.AddInterface(Interface{Name: "nat-1"})
	require.NoError(t, err)
	require.NoError(t, p.WritePacket(n, 1, ping()))
	require.NoError(t, p.Flush())
	return b.Bytes()
}

func TestTcpdumpAndTsharkReadFilesWithoutAWarning(t *testing.T) {
	const line = "IP 10.0.0.11 > 10.0.1.55: ICMP echo request, id 7, seq 1, length 65\n"
	lines, warnings := realTcpdump(t, twoInterfaces(t), "-n", "-t")
	require.Equal(t, strings.Repeat(line, 4), lines)
	require.Equal(t, "reading from file -, link-type EN10MB (Ethernet), snapshot length 262144\n", warnings)
	lines, warnings = realTcpdump(t, rawPacket(t), "-n", "-t")
	require.Equal(t, line, lines)
	require.Equal(t, "reading from file -, link-type RAW (Raw IP), snapshot length 262144\n", warnings)

	fields := []string{"-T", "fields", "-e", "frame.interface_name", "-e", "frame.interface_description",
		"-e", "frame.time_epoch", "-e", "eth.src", "-e", "icmp.ident", "-E", "occurrence=f", "-e", "_ws.malformed"}
	out, warnings := tshark(t, twoInterfaces(t), fields...)
	require.Equal(t, `eni-1	source	1677906367.123456790	02:01:00:00:00:00	7	
eni-1	source	1677906367.123456790	00:00:00:00:00:00	7	
eni-2		1677906367.124456790	02:01:00:00:00:00	7	
eni-2		1677906367.124456790	00:00:00:00:00:00	7	
`, out)
	require.Empty(t, warnings)
	out, warnings = tshark(t, rawPacket(t), fields...)
	require.Equal(t, "nat-1\t\t1677906367.123456790\t\t7\t\n", out)
	require.Empty(t, warnings)
}

func TestCapinfosShowsTheComments(t *testing.T) {
	path, err := exec.LookPath("capinfos")
	if err != nil {
		t.Skip("capinfos is not installed")
	}
	c := exec.Command(path, "-")
	c.Stdin = bytes.NewReader(twoInterfaces(t))
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	for _, want := range []string{"a ping", "Name = eni-1", "Description = source", "Comment = in 10.0.0.0/24", "Capture application: vpcsim", "nanoseconds (9)"} {
		require.Contains(t, string(out), want)
	}
}

func TestEqualFramesMakeEqualFiles(t *testing.T) {
	require.Equal(t, twoInterfaces(t), twoInterfaces(t))
}

func TestANilPcapNGTakesEverythingAndWritesNothing(t *testing.T) {
	var p *PcapNG
	iface, err := p.AddInterface(Interface{Name: "eni-1"})
	require.NoError(t, err)
	require.NoError(t, p.WriteFrame(iface, 0, nil))
	require.NoError(t, p.WritePacket(iface, 0, nil))
	require.NoError(t, p.Flush())
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAFileRefusesWhatItCantHold(t *testing.T) {
	_, err := NewPcapNG(nil, PcapNGConfig{Link: LinkLinuxSLL})
	require.EqualError(t, err, "capture: can't write link type LINUX_SLL: expected EN10MB or RAW")

	var b bytes.Buffer
	p, err := NewPcapNG(&b, PcapNGConfig{Link: LinkRaw})
	require.NoError(t, err)
	require.EqualError(t, p.WritePacket(0, 0, []byte{0x45}), "capture: a frame for interface 0, but no interface was added")
	_, err = p.AddInterface(Interface{Name: strings.Repeat("x", 65536)})
	require.EqualError(t, err, `capture: interface "`+strings.Repeat("x", 40)+`": a text of 65536 bytes: expected 65,535 at most`)
	_, err = p.AddInterface(Interface{Name: "eni-1"})
	require.NoError(t, err)
	_, err = p.AddInterface(Interface{Name: "eni-2"})
	require.EqualError(t, err, `capture: interface "eni-2" is the second in a file of link type RAW: expected one; link type EN10MB takes any number, of packets too`)
	require.EqualError(t, p.WriteFrame(0, 0, make([]byte, 60)), "capture: an Ethernet frame for a file of link type RAW: expected an IP packet")
	require.EqualError(t, p.WritePacket(1, 0, []byte{0x45}), "capture: a frame for interface 1: expected 0 to 0")
	require.NoError(t, p.Flush())
	require.NotContains(t, b.String(), "x")

	p, err = NewPcapNG(full{}, PcapNGConfig{})
	require.NoError(t, err)
	_, err = p.AddInterface(Interface{})
	require.NoError(t, err)
	require.NoError(t, p.WriteFrame(0, 0, make([]byte, 60)))
	require.EqualError(t, p.Flush(), "no space left on device")
}
