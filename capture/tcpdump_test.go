package capture

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		require.Equal(t, w[i], g[i], "seed %d line %d", seed, i+1)
	}
	require.Len(t, g, len(w), "seed %d", seed)
}
