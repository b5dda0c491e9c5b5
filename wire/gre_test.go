package wire

import (
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

func TestGRE(t *testing.T) {
	require.Equal(t, []byte{0, 0, 0x08, 0x00, 0x45}, AppendGRE(nil, EtherTypeIPv4, []byte{0x45}))
	for name, c := range map[string]struct {
		bytes   []byte
		payload []byte // nil where the header is none
	}{
		"plain":                 {[]byte{0, 0, 0x86, 0xdd, 0x60}, []byte{0x60}},
		"key":                   {[]byte{0x20, 0, 8, 0, 1, 2, 3, 4, 0x45}, []byte{0x45}},
		"checksum":              {[]byte{0x80, 0, 8, 0, 1, 2, 0, 0, 0x45}, []byte{0x45}},
		"key and sequence":      {[]byte{0x30, 0, 8, 0, 1, 2, 3, 4, 0, 0, 0, 1, 0x45}, []byte{0x45}},
		"three bytes":           {[]byte{0, 0, 8}, nil},
		"version 1 (RFC 2637)":  {[]byte{0x30, 1, 0x88, 0x0b, 0, 0, 0, 0, 0, 0, 0, 0}, nil},
		"routing (RFC 1701)":    {[]byte{0x40, 0, 8, 0, 0, 0, 0, 0}, nil},
		"a key that is cut off": {[]byte{0x20, 0, 8, 0, 1, 2, 3}, nil},
		"no bytes":              {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if c.payload == nil {
				require.Equal(t, BadGRE, GRE(c.bytes).Check())
				return
			}
			require.NoError(t, GRE(c.bytes).Check())
			require.Equal(t, c.payload, GRE(c.bytes).Payload())
		})
	}
}

// What we take for a header gopacket does too, and reads alike; without a checksum, whose
// second half gopacket takes for an offset into a routing field.
func FuzzGRE(f *testing.F) {
	f.Add([]byte{0, 0, 0x08, 0x00, 0x45})
	f.Add([]byte{0x30, 0, 8, 0, 1, 2, 3, 4, 0, 0, 0, 1, 0x45})
	f.Fuzz(func(t *testing.T, b []byte) {
		g := GRE(b)
		if g.Check() != nil || g[0]&greChecksum != 0 || g[1]&0x80 != 0 { // 0x80 is RFC 2637's
			return
		}
		var peer layers.GRE
		require.NoError(t, peer.DecodeFromBytes(b, gopacket.NilDecodeFeedback))
		require.Equal(t, uint16(peer.Protocol), uint16(g.Protocol()))
		require.Equal(t, peer.Payload, g.Payload())
	})
}
