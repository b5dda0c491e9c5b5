package wire

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

// geneveBytes is a header with AWS's three options, written by hand after RFC 8926 and
// the Gateway Load Balancer's class, 0x0108.
var geneveBytes = []byte{
	0x08, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x01, 0x08, 0x01, 0x02, 1, 2, 3, 4, 5, 6, 7, 8,
	0x01, 0x08, 0x02, 0x02, 8, 7, 6, 5, 4, 3, 2, 1,
	0x01, 0x08, 0x03, 0x01, 9, 9, 9, 9,
	0x45,
}

func TestGeneve(t *testing.T) {
	g := Geneve(geneveBytes)
	require.NoError(t, g.Check())
	require.Equal(t, EtherTypeIPv4, g.Protocol())
	require.Equal(t, 32, g.OptionsLen())
	require.Zero(t, g.VNI())
	require.False(t, g.Control())
	require.False(t, g.Critical())
	require.Equal(t, []byte{1, 2, 3, 4, 5, 6, 7, 8}, g.Options().Find(0x0108, 1))
	require.Equal(t, []byte{8, 7, 6, 5, 4, 3, 2, 1}, g.Options().Find(0x0108, 2))
	require.Equal(t, []byte{9, 9, 9, 9}, g.Options().Find(0x0108, 3))
	require.Nil(t, g.Options().Find(0x0108, 4))
	require.Nil(t, g.Options().Find(0x0109, 3))
	require.Equal(t, []byte{0x45}, g.Payload())

	var o GeneveOptions
	o = AppendGeneveOption(o, 0x0108, 1, []byte{1, 2, 3, 4, 5, 6, 7, 8})
	o = AppendGeneveOption(o, 0x0108, 2, []byte{8, 7, 6, 5, 4, 3, 2, 1})
	o = AppendGeneveOption(o, 0x0108, 3, []byte{9, 9, 9, 9})
	require.Equal(t, geneveBytes, AppendGeneve(nil, EtherTypeIPv4, 0, o, []byte{0x45}))
	require.Panics(t, func() { AppendGeneveOption(nil, 1, 1, []byte{1}) })
	require.Panics(t, func() { AppendGeneve(nil, EtherTypeIPv4, 0, make([]byte, 256), nil) })
}

func TestGeneveFaults(t *testing.T) {
	change := func(at int, to byte) []byte {
		b := bytes.Clone(geneveBytes)
		b[at] = to
		return b
	}
	for name, b := range map[string][]byte{
		"no bytes":                    nil,
		"seven bytes":                 geneveBytes[:7],
		"version 1":                   change(0, 0x48),
		"options beyond the packet":   change(0, 0x0b),
		"an option beyond the others": change(35, 0x02),
		"half an option's header":     append([]byte{1, 0, 8, 0, 0, 0, 0, 0}, 1, 8, 1),
	} {
		require.Equal(t, BadGeneve, Geneve(b).Check(), name)
	}
}

// The twin is gopacket's reading.
func TestGeneveIsReadAsGopacketReadsIt(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var o GeneveOptions
		for range rng.IntN(4) {
			data := make([]byte, 4*rng.IntN(6))
			for i := range data {
				data[i] = byte(rng.Uint32())
			}
			o = AppendGeneveOption(o, uint16(rng.Uint32()), byte(rng.Uint32()), data)
		}
		b := AppendGeneve(nil, EtherTypeIPv6, rng.Uint32N(1<<24), o, []byte("payload"))
		g := Geneve(b)
		require.NoError(t, g.Check())
		var twin layers.Geneve
		require.NoError(t, twin.DecodeFromBytes(b, gopacket.NilDecodeFeedback))
		require.Equal(t, twin.VNI, g.VNI())
		require.EqualValues(t, twin.Protocol, g.Protocol())
		require.Equal(t, twin.Payload, g.Payload())
		for _, x := range twin.Options {
			if len(x.Data) > 0 {
				require.NotNil(t, g.Options().Find(x.Class, x.Type))
			}
		}
	}
}

func FuzzGeneve(f *testing.F) {
	f.Add(geneveBytes)
	f.Fuzz(func(t *testing.T, b []byte) {
		g := Geneve(bytes.Clone(b))
		if g.Check() != nil {
			return
		}
		o := g.Options()
		for class := uint16(0x0107); class < 0x010a; class++ {
			o.Find(class, 1)
		}
		require.Equal(t, len(b), GeneveLen+len(o)+len(g.Payload()))
		again := Geneve(AppendGeneve(nil, g.Protocol(), g.VNI(), o, g.Payload()))
		require.NoError(t, again.Check())
		require.Equal(t, []byte(o), []byte(again.Options()))
		require.Equal(t, g.Payload(), again.Payload())
	})
}
