// Replay pushes frames that were captured elsewhere, on a real machine, through two
// simulated networks: the private NAT gateway of examples/eastwest and the NAT
// instance of examples/natinstance. What comes out is a pcapng file for each, with
// a line for each frame that died and why.
//
//	go run ./examples/replay                        # a capture of our own making
//	go run ./examples/replay -map 192.0.2.1=client -map 192.0.2.9=server FILE.pcap
//	go run ./examples/replay -o /tmp/out FILE.pcap  # writes /tmp/out-eastwest.pcapng, …
package main

import (
	"bytes"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/vpcsim/vpcsim/capture"
)

//go:embed testdata/kernel.pcap
var kernel []byte

// mapping is the -map flags: captured addresses and what stands in their place.
type mapping map[netip.Addr]string

// String returns nothing: there is no default to show.
func (m mapping) String() string { return "" }

// Set reads ADDRESS=ADDRESS, ADDRESS=client or ADDRESS=server.
func (m mapping) Set(s string) error {
	from, to, ok := strings.Cut(s, "=")
	a, err := netip.ParseAddr(from)
	if !ok || err != nil {
		return fmt.Errorf("expected ADDRESS=ADDRESS, ADDRESS=client or ADDRESS=server")
	}
	if to != "client" && to != "server" {
		if _, err := netip.ParseAddr(to); err != nil {
			return fmt.Errorf("expected an address, client or server behind %s=", from)
		}
	}
	m[a] = to
	return nil
}

func main() {
	maps := mapping{}
	flag.Var(maps, "map", "rewrite a captured address: `OLD=NEW`, NEW being an address, client or server (repeatable)")
	out := flag.String("o", "", "write what comes out to `PREFIX`-eastwest.pcapng and PREFIX-natinstance.pcapng")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "Usage: replay [-map OLD=NEW]… [-o PREFIX] [FILE.pcap]\n"+
			"Replays a capture through a NAT gateway and a NAT instance; without FILE, one of our own.\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(os.Stdout, flag.Arg(0), maps, *out); err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(1)
	}
}

// run replays a file, the capture of our own where name is empty.
func run(out io.Writer, name string, maps mapping, prefix string) error {
	frames, err := read(name, maps)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d captured frames are sent through a private NAT gateway (eastwest), which drops fragments\n"+
		"of TCP and ICMP, and through a NAT instance, which puts them together. What dies is told, and why.\n\n", len(frames))
	for _, build := range []func() (*network, error){eastwest, natinstance} {
		n, err := build()
		if err != nil {
			return err
		}
		if err := n.replay(out, frames, maps, prefix); err != nil {
			return err
		}
	}
	return nil
}

func read(name string, maps mapping) ([]capture.Frame, error) {
	if name != "" {
		return capture.ReadFile(name)
	}
	if len(maps) == 0 {
		maps[netip.MustParseAddr("192.168.7.2")] = "client"
		maps[netip.MustParseAddr("192.168.7.3")] = "server"
	}
	r, err := capture.NewReader(bytes.NewReader(kernel), "kernel.pcap")
	if err != nil {
		return nil, err
	}
	var frames []capture.Frame
	for {
		f, err := r.Next()
		if err == io.EOF {
			return frames, nil
		}
		if err != nil {
			return nil, err
		}
		f.Bytes = bytes.Clone(f.Bytes)
		frames = append(frames, f)
	}
}
