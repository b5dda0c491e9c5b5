package capture

import (
	"fmt"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/vpcsim/vpcsim/wire"
)

// Serialize returns the bytes of gopacket layers, outermost first, with lengths
// and checksums filled in; the network layer that a TCP, UDP or ICMPv6 checksum
// covers is the one before it. An error is gopacket's, or says that such a layer
// has no network layer before it.
func Serialize(l ...gopacket.SerializableLayer) ([]byte, error) {
	var network gopacket.NetworkLayer
	for _, layer := range l {
		if n, ok := layer.(gopacket.NetworkLayer); ok {
			network = n
		}
		sum, ok := layer.(interface {
			SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
		})
		if !ok {
			continue
		}
		if network == nil {
			return nil, fmt.Errorf("capture: %s without an IPv4 or IPv6 layer before it", layer.LayerType())
		}
		if err := sum.SetNetworkLayerForChecksum(network); err != nil {
			return nil, fmt.Errorf("capture: %s: %w", layer.LayerType(), err)
		}
	}
	b := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, l...)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	return b.Bytes(), nil
}

// Packet returns the frame as a gopacket packet, its time (counted from the Unix
// epoch) and lengths in the metadata. Bytes that are not what they should be end in gopacket's own
// DecodeFailure layer. It copies the bytes. A frame of Linux's cooked link type
// v2, which gopacket doesn't know, begins with its IP or ARP layer.
func (f Frame) Packet() gopacket.Packet {
	b, first := f.Bytes, gopacket.Decoder(layers.LayerTypeEthernet)
	switch f.Link.known() {
	case LinkEthernet:
	case LinkLinuxSLL:
		first = layers.LayerTypeLinuxSLL
	default:
		var t wire.EtherType
		t, b, _ = f.Payload()
		first = layers.EthernetType(t)
	}
	p := gopacket.NewPacket(b, first, gopacket.Default)
	m := p.Metadata()
	m.Timestamp = base(time.Time{}).Add(f.At)
	m.CaptureLength, m.Length = len(b), f.wireLen()-(len(f.Bytes)-len(b))
	m.Truncated = m.Truncated || m.CaptureLength < m.Length
	return p
}
