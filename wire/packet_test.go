package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRewritingKeepsChecksumsRight(t *testing.T) {
	h := Header{Src: MustParseAddr("10.0.0.11"), Dst: MustParseAddr("10.0.1.55"), TTL: 64}
	b := AppendUDP(nil, h, 4000, 53, []byte("hello"))
	var p Packet
	require.NoError(t, p.Read(b))
	require.NoError(t, p.VerifyChecksum())
	p.SetSrc(MustParseAddr("10.0.2.149"), 1024)
	require.True(t, p.DecTTL())
	require.NoError(t, p.VerifyChecksum())
	var q Packet
	require.NoError(t, q.Read(b))
	require.Equal(t, p.Flow, q.Flow)
	require.Equal(t, "10.0.2.149:1024 > 10.0.1.55:53 udp", q.Flow.String())
	e := AppendICMP(nil, Header{Src: h.Dst, Dst: MustParseAddr("10.0.2.149"), TTL: 64}, ICMPUnreachable, PortUnreachable, 0, b)
	require.NoError(t, q.Read(e))
	in, ok := q.Inner()
	require.True(t, ok)
	in.SetSrc(h.Src, 4000)
	q.SetDst(h.Src, 0)
	require.NoError(t, q.VerifyChecksum())
}
