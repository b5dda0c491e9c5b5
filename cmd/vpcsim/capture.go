package main

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/vpcsim/vpcsim/capture"
	"github.com/vpcsim/vpcsim/reach"
)

func captureCommand(s *session) *cobra.Command {
	var t traffic
	var from, to, file string
	var at []string
	c := &cobra.Command{
		Use:   "capture DIR --from NAME --to NAME [--tcp PORT] [--at HOP] [-w FILE]",
		Short: "Capture a probe at any hop, as pcapng or as tcpdump prints it",
		Long: `capture sends a probe and writes the packets as each hop left them: request, reply and
ICMP errors, with an interface in the file for each hop. --at takes the ids or names of hops (an
interface, a subnet, a gateway); without it all hops are written. Without -w the packets are
printed as tcpdump does.`,
		Example: `  vpcsim capture lab --from web --to db --tcp 5432 -w web-db.pcapng
  vpcsim capture lab --from app --to internet --icmp --at nat-a
  vpcsim capture lab --from app --to internet --udp 53 --at igw-1 -w - | tshark -r -`,
		Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if from == "" || to == "" {
				return fmt.Errorf("expected --from and --to")
			}
			q, err := t.spec(c, from, to)
			if err != nil {
				return err
			}
			return s.capture(args[0], q, at, file)
		},
	}
	c.Flags().StringVar(&from, "from", "", "who sends")
	c.Flags().StringVar(&to, "to", "", "whom to")
	c.Flags().StringArrayVar(&at, "at", nil, "a hop, by id or name; may be repeated")
	c.Flags().StringVarP(&file, "write", "w", "", "the pcapng file to write, - for standard output")
	t.flags(c)
	c.ValidArgsFunction = s.names(1)
	s.ends(c, "from", "to", "at")
	return c
}

// capturedFrame is the JSON of one packet.
type capturedFrame struct {
	AtNS int64  `json:"at_ns"`
	Hop  string `json:"hop"`
	Text string `json:"text"`
	IP   []byte `json:"ip"`
}

func (s *session) capture(dir string, spec reach.Spec, at []string, file string) error {
	n, p, q, err := s.question(dir, spec, true)
	if err != nil {
		return err
	}
	hops, err := hopIDs(n, at)
	if err != nil {
		return err
	}
	r := p.Probe(q)
	frames := capture.Story(r.Story, hops)
	if len(frames) == 0 && len(at) > 0 {
		return fmt.Errorf("--at %v: no packet of the probe came by; it passed %v", at, slices.Concat(r.Way, r.WayBack))
	}
	switch {
	case s.json:
		return s.writeJSON(captured(frames))
	case file == "-":
		return capture.WriteRaw(s.out, time.Time{}, frames)
	case file != "":
		var b bytes.Buffer
		if err := capture.WriteRaw(&b, time.Time{}, frames); err != nil {
			return err
		}
		return write("write", file, b.Bytes())
	}
	for _, f := range captured(frames) {
		if _, err := fmt.Fprintf(s.out, "%s  %s\n", f.Hop, f.Text); err != nil {
			return err
		}
	}
	return nil
}

func captured(frames []capture.Frame) []capturedFrame {
	dump := capture.Tcpdump{Numeric: true}
	out := []capturedFrame{}
	for _, f := range frames {
		out = append(out, capturedFrame{int64(f.At), f.Interface, dump.Line(f), f.Bytes})
	}
	return out
}

// hopIDs makes what chooses hops by their names; nil chooses all.
func hopIDs(n *network, at []string) (func(id, node string) bool, error) {
	if len(at) == 0 {
		return nil, nil
	}
	ids := map[string]bool{}
	for _, name := range at {
		found := n.Find(name)
		if len(found) == 0 && name != "internet" {
			return nil, fmt.Errorf("--at %q: nothing in the network is called so; expected a Name tag, an id or an address", name)
		}
		ids[name] = true
		for _, x := range found {
			ids[x.ID()] = true
		}
	}
	return func(id, node string) bool { return ids[id] || id == "" && ids[node] }, nil
}
