package capture

import (
	"fmt"
	"io"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/vpcsim/vpcsim/wire"
)

// PcapNG writes frames of any number of interfaces to one pcapng file
// (draft-ietf-opsawg-pcapng), times in nanoseconds. A nil *PcapNG takes frames
// and writes nothing, so that a caller need not ask whether somebody captures.
// Equal frames make equal bytes: the file names neither machine nor user.
type PcapNG struct {
	w      io.Writer
	config PcapNGConfig
	ng     *pcapgo.NgWriter // nil until the first interface
	ifaces int
}

// PcapNGConfig is how a file is to be. Its zero value: Ethernet, simulated time 0
// is 1970-01-01 00:00:00 UTC, no comment.
type PcapNGConfig struct {
	// Base is the time that simulated time 0 is written as. The zero time is
	// taken for the Unix epoch.
	Base time.Time
	// Link is the link type of all interfaces: LinkEthernet, or LinkRaw for a place
	// behind an ENI. One for the whole file: libpcap, and so tcpdump, refuses a
	// file that mixes them, and a file of LinkRaw with a second interface (measured:
	// libpcap 1.10.3).
	Link LinkType
	// Comment stands in the file's header; tshark and capinfos show it.
	Comment string
}

// base returns b, or the Unix epoch in the place of the zero time.
func base(b time.Time) time.Time {
	if b.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return b
}

// NewPcapNG returns a file to be written to w. Nothing is written before the
// first interface: pcapng without any is a file that tcpdump refuses. An error
// says that the link type can't be written.
func NewPcapNG(w io.Writer, c PcapNGConfig) (*PcapNG, error) {
	c.Link = c.Link.known()
	if c.Link != LinkEthernet && c.Link != LinkRaw {
		return nil, fmt.Errorf("capture: can't write link type %s: expected %s or %s", c.Link, LinkEthernet, LinkRaw)
	}
	c.Base = base(c.Base)
	return &PcapNG{w: w, config: c}, nil
}

// Interface is a place that frames are captured at, as the file describes it.
type Interface struct {
	Name        string // an ENI's id, such as eni-0a1b2c3d4e5f60718
	Description string // what it is to its owner; may be empty
	Comment     string // may be empty
}

// AddInterface adds an interface, at any time before its first frame, and returns
// its number in the file. An error is the writer's, or says that a text is too
// long for the format: 65,535 bytes.
func (p *PcapNG) AddInterface(i Interface) (int, error) {
	if p == nil {
		return 0, nil
	}
	if p.config.Link == LinkRaw && p.ifaces > 0 {
		return 0, fmt.Errorf("capture: interface %.40q is the second in a file of link type RAW: expected one; link type EN10MB takes any number, of packets too", i.Name)
	}
	for _, s := range []string{i.Name, i.Description, i.Comment} {
		if len(s) > 65535 {
			return 0, fmt.Errorf("capture: interface %.40q: a text of %d bytes: expected 65,535 at most", i.Name, len(s))
		}
	}
	ng := pcapgo.NgInterface{
		Name: i.Name, Description: i.Description, Comment: i.Comment,
		LinkType: layers.LinkType(p.config.Link),
	}
	if p.ng == nil {
		w, err := pcapgo.NewNgWriterInterface(p.w, ng, pcapgo.NgWriterOptions{
			SectionInfo: pcapgo.NgSectionInfo{Application: "vpcsim", Comment: p.config.Comment},
		})
		if err != nil {
			return 0, err
		}
		p.ng = w
	} else if _, err := p.ng.AddInterface(ng); err != nil {
		return 0, err
	}
	p.ifaces++
	return p.ifaces - 1, nil
}

// WriteFrame writes an Ethernet frame that passed an interface at a simulated
// time. The frame is copied. An error is the writer's, or says that there is no
// such interface or that the file's link type is not Ethernet.
func (p *PcapNG) WriteFrame(iface int, at time.Duration, frame []byte) error {
	if p == nil {
		return nil
	}
	if p.config.Link != LinkEthernet {
		return fmt.Errorf("capture: an Ethernet frame for a file of link type %s: expected an IP packet", p.config.Link)
	}
	return p.write(iface, at, frame)
}

// WritePacket is WriteFrame for an IP packet from a place that has no Ethernet.
// In a file of link type Ethernet it gets a header whose two addresses are zero.
func (p *PcapNG) WritePacket(iface int, at time.Duration, packet []byte) error {
	if p == nil {
		return nil
	}
	if p.config.Link == LinkRaw {
		return p.write(iface, at, packet)
	}
	b := make([]byte, wire.EthernetLen, wire.EthernetLen+len(packet))
	wire.PutEthernet(b, wire.MAC{}, wire.MAC{}, rawType(packet))
	return p.write(iface, at, append(b, packet...))
}

func (p *PcapNG) write(iface int, at time.Duration, b []byte) error {
	switch {
	case p.ng == nil:
		return fmt.Errorf("capture: a frame for interface %d, but no interface was added", iface)
	case iface < 0 || iface >= p.ifaces:
		return fmt.Errorf("capture: a frame for interface %d: expected 0 to %d", iface, p.ifaces-1)
	}
	return p.ng.WritePacket(gopacket.CaptureInfo{
		Timestamp:      p.config.Base.Add(at),
		CaptureLength:  len(b),
		Length:         len(b),
		InterfaceIndex: iface,
	}, b)
}

// Flush writes what is held back to the writer. It must be called before the
// writer is closed or read.
func (p *PcapNG) Flush() error {
	if p == nil || p.ng == nil {
		return nil
	}
	return p.ng.Flush()
}
