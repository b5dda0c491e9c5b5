package main

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/vpc"
)

func diffCommand(s *session) *cobra.Command {
	var d differ
	c := &cobra.Command{
		Use:   "diff A [B]",
		Short: "Say what two networks, or a network and a change of it, answer differently",
		Long: `diff asks two networks the same questions, from each running instance to each other
interface, to the internet, and from the internet to each public address, and writes the paths
that are lost or gained, that pass other resources, or that are seen as coming from another
address. With A alone it compares A with A after the changes of --set.

Exit status: 0 no difference, 1 some, 2 bad input.`,
		Example: `  vpcsim diff before after
  vpcsim diff before after --tcp 443 --tcp 5432
  vpcsim diff lab --set rtb-1/0.0.0.0/0=nat-2 --json`,
		Args: arguments(1, 2),
		RunE: func(_ *cobra.Command, args []string) error { return d.run(s, args) },
	}
	c.Flags().IntSliceVar(&d.tcp, "tcp", []int{22, 80, 443}, "the TCP ports to ask for")
	c.Flags().IntSliceVar(&d.udp, "udp", nil, "the UDP ports to ask for")
	c.Flags().BoolVar(&d.noPing, "no-icmp", false, "do not ping")
	return c
}

type differ struct {
	tcp, udp []int
	noPing   bool
}

func (d *differ) run(s *session, args []string) error {
	if len(args) == 1 && len(s.set) == 0 {
		return errors.New("expected two folders, or one and a change to try by --set")
	}
	ports, err := d.ports()
	if err != nil {
		return err
	}
	before, err := s.loadPlain(args[0])
	if err != nil {
		return err
	}
	after, err := s.load(args[len(args)-1])
	if err != nil {
		return err
	}
	deltas, err := reach.Diff(before.World, after.World, d.questions(before, after, ports), before.config)
	if err != nil {
		return err
	}
	if s.json {
		if deltas == nil {
			deltas = []reach.Delta{}
		}
		err = s.writeJSON(deltas)
	} else {
		for _, x := range deltas {
			if _, err = fmt.Fprintln(s.out, x); err != nil {
				return err
			}
		}
	}
	if err == nil && len(deltas) > 0 {
		return errFound
	}
	return err
}

func (d *differ) ports() ([]reach.Port, error) {
	var ports []reach.Port
	for _, of := range []struct {
		proto string
		list  []int
	}{{"tcp", d.tcp}, {"udp", d.udp}} {
		for _, n := range of.list {
			if n < 1 || n > 65535 {
				return nil, fmt.Errorf("--%s %d: expected a port, 1 to 65535", of.proto, n)
			}
			ports = append(ports, reach.Port{Proto: of.proto, Number: uint16(n)})
		}
	}
	return ports, nil
}

// questions are those of both networks, each once.
func (d *differ) questions(before, after *network, ports []reach.Port) []reach.Spec {
	var all []reach.Spec
	seen := map[reach.Spec]bool{}
	add := func(specs []reach.Spec) {
		for _, q := range specs {
			if !seen[q] {
				seen[q] = true
				all = append(all, q)
			}
		}
	}
	for _, n := range []*network{before, after} {
		if !d.noPing {
			add(reach.AllPairs(n.World))
			add(outside(n, nil))
		}
		if len(ports) > 0 {
			add(reach.AllPairs(n.World, ports...))
			add(outside(n, ports))
		}
	}
	return all
}

// outside are the questions from instances to the internet and from there to public
// addresses; pings where no ports are given.
func outside(n *network, ports []reach.Port) []reach.Spec {
	if ports == nil {
		ports = []reach.Port{{Proto: "icmp"}}
	}
	var specs []reach.Spec
	for _, nic := range interfaces(n) {
		running := nic.Instance() != nil && nic.Instance().State() == vpc.Running
		var public netip.Addr
		for _, a := range nic.PrivateAddresses() {
			if a.Public.IsValid() && !public.IsValid() {
				public = a.Public
			}
		}
		for _, p := range ports {
			if running {
				specs = append(specs, reach.Spec{From: nic.ID(), To: "internet", Proto: p.Proto, Port: int(p.Number)})
			}
			if public.IsValid() {
				specs = append(specs, reach.Spec{From: "internet", To: public.String(), Proto: p.Proto, Port: int(p.Number)})
			}
		}
	}
	return specs
}

func interfaces(n *network) []*vpc.NetworkInterface {
	var all []*vpc.NetworkInterface
	for _, r := range n.Regions {
		r.View(func(tx *vpc.Tx) { all = append(all, vpc.Resources[*vpc.NetworkInterface](tx)...) })
	}
	return all
}
