package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/vpcsim/vpcsim/reach"
)

func diffCommand(s *session) *cobra.Command {
	var d differ
	c := &cobra.Command{
		Use:   "diff A [B]",
		Short: "Say what two networks, or a network and a change of it, answer differently",
		Long: `diff asks two networks the same questions, from each running instance to each other
interface, to the internet, and from the internet to each public address, and writes the paths
that are lost or gained, that pass other resources, or that are seen as coming from another
address. With A alone it compares A with A after the changes of --set; with two, --set changes B.
Where A alone is a Terraform plan, and nothing is set, it compares the network before the plan with
the one once it is applied: which paths the plan breaks, and which it opens.
Hosts are the same by their ids, else by their names; what only one network has is gone or new.

Exit status: 0 no difference, 1 some, 2 bad input.`,
		Example: `  vpcsim diff before after
  vpcsim diff before after --tcp 443 --tcp 5432
  vpcsim diff lab --set rtb-1/0.0.0.0/0=nat-2 --json
  vpcsim diff plan.json --tcp 5432`,
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
	ports, err := d.ports()
	if err != nil {
		return err
	}
	before, after, err := d.networks(s, args)
	if err != nil {
		return err
	}
	found, err := reach.Diff(reach.Side{World: before.World, Config: before.config}, reach.Side{World: after.World, Config: after.config}, d.questions(before, after, ports))
	if err != nil {
		return err
	}
	if s.json {
		err = s.writeJSON(found)
	} else {
		_, err = io.WriteString(s.out, found.String())
	}
	if err == nil && !found.Same() {
		return errFound
	}
	return err
}

// networks are the two that are compared; with one folder the second is a copy of the
// first with the changes made, with one plan the first is what is there before it.
func (d *differ) networks(s *session, args []string) (before, after *network, err error) {
	first := *s
	if len(args) == 1 && len(s.set) == 0 {
		if info, err := os.Stat(args[0]); err == nil && info.IsDir() {
			return nil, nil, errors.New("expected two folders or plans, one plan, or one of them and a change to try by --set")
		}
		first.before = true
	}
	if before, err = first.loadPlain(args[0]); err != nil {
		return nil, nil, err
	}
	switch {
	case len(args) == 2:
		after, err = s.load(args[1])
	case first.before:
		after, err = s.loadPlain(args[0])
	default:
		after, err = s.change(before)
	}
	return before, after, err
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

// questions are those of both networks, some twice.
func (d *differ) questions(before, after *network, ports []reach.Port) []reach.Spec {
	var all []reach.Spec
	for _, n := range []*network{before, after} {
		if !d.noPing {
			all = append(append(all, reach.AllPairs(n.World)...), reach.AcrossTheBorder(n.World)...)
		}
		if len(ports) > 0 {
			all = append(append(all, reach.AllPairs(n.World, ports...)...), reach.AcrossTheBorder(n.World, ports...)...)
		}
	}
	return all
}
