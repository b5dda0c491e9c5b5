package capture

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/require"
)

// readAll returns the frames of a file's bytes, and what ended them if not its end.
func readAll(b []byte) (frames []Frame, start time.Time, err error) {
	r, err := NewReader(bytes.NewReader(b), "x.pcap")
	if err != nil {
		return nil, time.Time{}, err
	}
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return frames, r.Start(), nil
		}
		if err != nil {
			return frames, r.Start(), err
		}
		frames = append(frames, f)
	}
}

// fromFirst returns frames as they are read back: times count from the first.
func fromFirst(frames []Frame, iface string) []Frame {
	var out []Frame
	for _, f := range frames {
		f.At -= frames[0].At
		f.Interface = iface
		out = append(out, f)
	}
	return out
}

func requireFrames(t *testing.T, want, got []Frame) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		w, g := want[i], got[i]
		require.True(t, bytes.Equal(w.Bytes, g.Bytes), "frame %d: %x, not %x", i, g.Bytes, w.Bytes)
		w.Bytes, g.Bytes = nil, nil
		require.Equal(t, w, g, "frame %d", i)
	}
}

func TestWhatWasWrittenIsReadBack(t *testing.T) {
	for _, link := range []LinkType{LinkEthernet, LinkRaw, LinkLinuxSLL, LinkLinuxSLL2, LinkIPv4} {
		frames := newMaker(uint64(link)).frames(link, 100)
		got, start, err := readAll(pcap(link, frames))
		require.NoError(t, err)
		require.Equal(t, epoch.Add(frames[0].At), start)
		requireFrames(t, fromFirst(frames, ""), got)
	}
	got, start, err := readAll(twoInterfaces(t))
	require.NoError(t, err)
	require.Equal(t, epoch.Add(1), start)
	require.Len(t, got, 4)
	require.Equal(t, "eni-1", got[0].Interface)
	require.Equal(t, "eni-2", got[3].Interface)
	require.Equal(t, time.Millisecond, got[3].At)
	ip, ok := got[3].IP()
	require.True(t, ok)
	require.Equal(t, ping(), ip)
}

// gopackets is the twin: the frames that gopacket's readers make of a file.
func gopackets(t *testing.T, b []byte) (frames []Frame) {
	t.Helper()
	var read func() ([]byte, gopacket.CaptureInfo, error)
	var link func(gopacket.CaptureInfo) layers.LinkType
	name := func(int) string { return "" }
	if binary.BigEndian.Uint32(b) == magicPcapNG {
		r, err := pcapgo.NewNgReader(bytes.NewReader(b), pcapgo.NgReaderOptions{WantMixedLinkType: true})
		require.NoError(t, err)
		read = r.ReadPacketData
		link = func(ci gopacket.CaptureInfo) layers.LinkType { return ci.AncillaryData[0].(layers.LinkType) }
		name = func(n int) string {
			i, err := r.Interface(n)
			require.NoError(t, err)
			return i.Name
		}
	} else {
		r, err := pcapgo.NewReader(bytes.NewReader(b))
		require.NoError(t, err)
		read, link = r.ReadPacketData, func(gopacket.CaptureInfo) layers.LinkType { return r.LinkType() }
	}
	var first time.Time
	for {
		data, ci, err := read()
		if errors.Is(err, io.EOF) {
			return frames
		}
		require.NoError(t, err)
		if frames == nil {
			first = ci.Timestamp
		}
		frames = append(frames, Frame{ci.Timestamp.Sub(first), LinkType(link(ci)), name(ci.InterfaceIndex), data, ci.Length})
	}
}

func TestFilesOfWiresharksAreReadAsGopacketReadsThem(t *testing.T) {
	editcap, err := exec.LookPath("editcap")
	if err != nil {
		t.Skip("editcap is not installed")
	}
	dir := t.TempDir()
	for n, source := range [][]byte{twoInterfaces(t), rawPacket(t), pcap(LinkLinuxSLL, newMaker(3).frames(LinkLinuxSLL, 50))} {
		in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
		require.NoError(t, os.WriteFile(in, source, 0o600))
		for _, format := range []string{"pcap", "nsecpcap", "pcapng"} {
			text, err := exec.Command(editcap, "-F", format, in, out).CombinedOutput()
			require.NoError(t, err, string(text))
			b, err := os.ReadFile(out)
			require.NoError(t, err)
			got, err := ReadFile(out)
			require.NoError(t, err)
			require.NotEmpty(t, got)
			requireFrames(t, gopackets(t, b), got)
			t.Logf("file %d as %s: %d frames", n, format, len(got))
		}
	}
}

// block returns a pcapng block of big-endian words and bytes.
func block(kind uint32, body ...any) []byte {
	var b bytes.Buffer
	for _, v := range body {
		if err := binary.Write(&b, binary.BigEndian, v); err != nil {
			panic(err)
		}
	}
	n := uint32(b.Len() + 12)
	u32 := binary.BigEndian.AppendUint32
	return u32(append(u32(u32(nil, kind), n), b.Bytes()...), n)
}

type words = []uint32

var (
	bigSection  = block(blockSection, words{0x1a2b3c4d, 0x00010000, 0xffffffff, 0xffffffff})
	bigEthernet = block(blockInterface, words{0x00010000, 0}, []uint16{optionName, 2}, []byte("ab\x00\x00"), []uint16{0, 0})
)

func join(b ...[]byte) []byte { return bytes.Join(b, nil) }

func TestRareBlocksAreRead(t *testing.T) {
	frame := bytes.Repeat([]byte{0xa5}, 20)
	binaryClock := block(blockInterface, words{0x00650000, 0},
		[]uint16{optionTick, 1}, []byte{0x80 | 20, 0, 0, 0}, []uint16{optionOffset, 8}, []uint64{100}, []uint16{0, 0})
	snapped := block(blockInterface, words{0x00010000, 8})
	file := join(bigSection, bigEthernet, binaryClock,
		block(0xbad, words{1, 2, 3}), // a block of a kind to come
		block(blockPacket, []uint16{1, 7}, words{0, 3 << 19, 20, 30}, frame),
		block(blockEnhanced, words{0, 0, 101_500_001, 20, 20}, frame, []uint16{1, 4}, []byte("note")),
		bigSection, snapped, block(blockSimple, words{20}, frame))
	got, start, err := readAll(file)
	require.NoError(t, err)
	require.Equal(t, time.Unix(101, 500_000_000).UTC(), start)
	requireFrames(t, []Frame{
		{Link: LinkRaw, Bytes: frame, Len: 30},
		{At: time.Microsecond, Link: LinkEthernet, Interface: "ab", Bytes: frame, Len: 20},
		{At: -101500 * time.Millisecond, Link: LinkEthernet, Bytes: frame[:8], Len: 20},
	}, got)

	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, err = w.Write(file)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	zipped, _, err := readAll(z.Bytes())
	require.NoError(t, err)
	requireFrames(t, got, zipped)
}

func TestABadFileIsRefusedInWords(t *testing.T) {
	good := pcap(LinkEthernet, []Frame{{Bytes: make([]byte, 60)}})
	set := func(at int, v byte) []byte {
		b := bytes.Clone(good)
		b[at] = v
		return b
	}
	packet := func(w words, b ...any) []byte { return block(blockEnhanced, append([]any{w}, b...)...) }
	option := func(code uint16, v ...byte) []byte {
		return block(blockInterface, words{0x00010000, 0}, []uint16{code, uint16(len(v))}, v, make([]byte, -len(v)&3))
	}
	short := block(blockEnhanced, words{0, 0, 0, 60, 60}, make([]byte, 40))
	for _, c := range []struct {
		file []byte
		want string
	}{
		{nil, "0 bytes: expected a pcap or pcapng file"},
		{[]byte("GET / HTTP/1.1"), "begins with 47 45 54 20: expected a pcap or pcapng file"},
		{[]byte{0x1f, 0x8b, 0}, "unexpected EOF"},
		{good[:20], "at byte 0: the file ends after 20 bytes: expected 24"},
		{set(4, 3), "pcap version 3.4: expected 2.4"},
		{set(20, 0), "link type 0: expected EN10MB, RAW, LINUX_SLL, IPV4, IPV6 or LINUX_SLL2"},
		{good[:30], "frame 1: at byte 24: the file ends after 6 bytes: expected 16"},
		{good[:99], "frame 1: at byte 40: the file ends after 59 bytes: expected 60"},
		{set(35, 1), "frame 1: at byte 24: a frame of 16777276 bytes: expected 262144 at most"},
		{set(36, 59), "frame 1: at byte 24: 60 bytes captured of a frame of 59"},
		{bigSection[:10], "frame 1: at byte 8: the file ends after 2 bytes: expected 4"},
		{block(blockSection, words{0x12345678}), "frame 1: at byte 0: a section's byte-order magic is 12 34 56 78: expected 1a 2b 3c 4d or its reverse"},
		{join(bigSection, words2(1, 13)), "frame 1: at byte 28: a block of 13 bytes: expected a multiple of 4, from 12 to 16777216"},
		{join(bigSection, words2(1, 1<<30)), "frame 1: at byte 28: a block of 1073741824 bytes: expected a multiple of 4, from 12 to 16777216"},
		{join(bigSection, words2(5, 16, 0, 20)), "frame 1: at byte 28: a block of 16 bytes that ends with the length 20"},
		{join(bigSection, block(blockInterface, words{0})), "frame 1: at byte 28: an interface description of 4 bytes: expected 8"},
		{join(bigSection, block(blockInterface, words{0x00010000, 0}, []uint16{2, 5})), "frame 1: at byte 28: option 2 of 5 bytes in an interface description with 0 left"},
		{join(bigSection, option(optionTick)), "frame 1: at byte 28: a time resolution of 0 bytes: expected 1"},
		{join(bigSection, option(optionTick, 20)), "frame 1: at byte 28: a time resolution of 10^-20 s: expected 10^-19 at most"},
		{join(bigSection, option(optionTick, 0xff)), "frame 1: at byte 28: a time resolution of 2^-127 s: expected 2^-63 at most"},
		{join(bigSection, option(optionOffset, 1)), "frame 1: at byte 28: a time offset of 1 bytes: expected 8"},
		{join(bigSection, packet(words{0, 0, 0, 0, 0})), "frame 1: at byte 28: a frame of interface 0 in a section of 0 interfaces"},
		{join(bigSection, bigEthernet, block(blockEnhanced, words{0})), "frame 1: at byte 60: a packet block of 4 bytes: expected 20"},
		{join(bigSection, bigEthernet, block(blockSimple)), "frame 1: at byte 60: a simple packet block of 0 bytes: expected 4"},
		{join(bigSection, bigEthernet, short), "frame 1: at byte 60: 60 bytes captured in a block with room for 40"},
		{join(bigSection, bigEthernet, packet(words{0, 0, 0, 0, 9}), packet(words{0, 0, 0, 9, 8})), "frame 2: at byte 92: 9 bytes captured of a frame of 8"},
		{join(bigSection, block(blockInterface, words{0x00090000, 0}), packet(words{0, 0, 0, 0, 0})), "frame 1: at byte 48: interface 0: link type 9: expected EN10MB, RAW, LINUX_SLL, IPV4, IPV6 or LINUX_SLL2"},
	} {
		_, _, err := readAll(c.file)
		require.EqualError(t, err, "capture: x.pcap: "+c.want)
	}
	_, err := Open("testdata/no such file")
	require.EqualError(t, err, "capture: open testdata/no such file: no such file or directory")
}

func words2(w ...uint32) (b []byte) {
	for _, v := range w {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func TestAnErrorIsReturnedEverAfter(t *testing.T) {
	b := pcap(LinkEthernet, []Frame{{Bytes: make([]byte, 60)}, {Bytes: make([]byte, 60)}})
	r, err := NewReader(bytes.NewReader(b[:len(b)-1]), "x.pcap")
	require.NoError(t, err)
	_, err = r.Next()
	require.NoError(t, err)
	for range 2 {
		_, err = r.Next()
		require.EqualError(t, err, "capture: x.pcap: frame 2: at byte 116: the file ends after 59 bytes: expected 60")
	}
	require.NoError(t, r.Close())

	path := filepath.Join(t.TempDir(), "cut.pcap")
	require.NoError(t, os.WriteFile(path, b[:len(b)-1], 0o600))
	frames, err := ReadFile(path)
	require.EqualError(t, err, "capture: "+path+": frame 2: at byte 116: the file ends after 59 bytes: expected 60")
	require.Len(t, frames, 1)
}

func FuzzReader(f *testing.F) {
	m := newMaker(5)
	f.Add(pcap(LinkEthernet, m.frames(LinkEthernet, 3)))
	f.Add(pcap(LinkLinuxSLL2, m.frames(LinkLinuxSLL2, 3)))
	frame := make([]byte, 60)
	f.Add(join(bigSection, bigEthernet, block(blockEnhanced, words{0, 0, 1, 60, 60}, frame)))
	f.Add(join(bigSection, bigEthernet, block(blockSimple, words{60}, frame)))
	f.Add([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		frames, _, err := readAll(b)
		for _, f := range frames {
			require.LessOrEqual(t, len(f.Bytes), f.Len)
		}
		if err != nil {
			require.Regexp(t, "^capture: x.pcap: ", err.Error())
		}
	})
}
