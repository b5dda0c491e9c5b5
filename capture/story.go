package capture

import (
	"io"
	"time"

	"github.com/vpcsim/vpcsim/trace"
)

// Story returns the packets of a story whose log kept them ([trace.Log].Packets), as each
// node left them, in the order in which they passed: IP packets of LinkRaw. The
// Interface of a frame is the node's resource, its name where it is part of none. at
// chooses the nodes by the resource's id and the node's name; nil takes all.
func Story(s trace.Story, at func(id, node string) bool) []Frame {
	var frames []Frame
	for _, w := range s {
		for i := range w.Steps {
			b, step := w.Packet(i), &w.Steps[i]
			if b == nil || at != nil && !at(step.NodeID, step.Node) {
				continue
			}
			f := Frame{At: step.At, Link: LinkRaw, Interface: step.NodeID, Bytes: b}
			if f.Interface == "" {
				f.Interface = step.Node
			}
			frames = append(frames, f)
		}
	}
	return frames
}

// WriteRaw writes IP packets of LinkRaw as a pcapng file, an interface in it for each
// that the frames name. base is the time that simulated time 0 is written as.
func WriteRaw(out io.Writer, base time.Time, frames []Frame) error {
	p, err := NewPcapNG(out, PcapNGConfig{Base: base, Link: LinkEthernet, Comment: "vpcsim: IP packets as each hop left them; MAC addresses are zero"})
	if err != nil {
		return err
	}
	numbers := map[string]int{}
	for _, f := range frames {
		if _, ok := numbers[f.Interface]; !ok {
			if numbers[f.Interface], err = p.AddInterface(Interface{Name: f.Interface}); err != nil {
				return err
			}
		}
	}
	for _, f := range frames {
		if err := p.WritePacket(numbers[f.Interface], f.At, f.Bytes); err != nil {
			return err
		}
	}
	return p.Flush()
}
