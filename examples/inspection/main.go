// Inspection shows a centralised firewall behind a transit gateway in three zones: why
// every other pair of zones fails while appliance mode is off, and that all talk when it
// is on.
//
//	go run ./examples/inspection
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/vpcsim/vpcsim/vpctest"
)

func main() {
	if err := run(os.Stdout, vpctest.Program); err != nil {
		log.Fatal(err)
	}
}

const introduction = `clients 10.1.0.0/16 --+                                                   +-- firewall in us-east-1a
                      +-- transit gateway -- VPC 10.3.0.0/16, inspection -+-- firewall in us-east-1b
servers 10.2.0.0/16 --+                                                   +-- firewall in us-east-1c

Each VPC is attached in three zones. The spokes' route table of the transit gateway
sends everything to the inspection VPC, where the attachment's subnet in each zone has
a route to that zone's firewall: Linux, with iptables that let in what begins at a
client and what belongs to a known connection. What a firewall lets pass goes back to
the gateway, which knows the spokes by propagated routes.

Each cell is a ping from the row's zone to the column's, and the firewalls that saw
request and reply.
`

const off = `
Appliance mode off: packets leave the gateway in the zone in which they came, so the
request meets the firewall of the client's zone and the reply that of the server's.
That one knows of no connection.
`

const on = `
Appliance mode on, for the inspection VPC's attachment: one firewall for both directions
of a flow. Within a zone it is that zone's, else a hash of the flow chooses; another
flow may have another.
`

func run(out io.Writer, t vpctest.TB) error {
	fmt.Fprint(out, introduction)
	for _, appliance := range []bool{false, true} {
		l, err := newLab(t, appliance)
		if err != nil {
			return err
		}
		text := off
		if appliance {
			text = on
		}
		fmt.Fprintln(out, text)
		all := l.table()
		show(out, all)
		if !appliance {
			fmt.Fprintf(out, "\nThe ping from %s to %s, packet by packet:\n\n%s", zones[0], zones[1], all[0][1].story)
		}
	}
	return nil
}

// show prints the table, and under it why cells failed.
func show(out io.Writer, all [3][3]cell) {
	fmt.Fprintf(out, "%-12s", "")
	for _, z := range zones {
		fmt.Fprintf(out, "%-26s", "to "+z)
	}
	fmt.Fprintln(out)
	for i, row := range all {
		fmt.Fprintf(out, "%-12s", zones[i])
		for _, c := range row {
			verdict := "no answer"
			if c.answered {
				verdict = "ok"
			}
			fmt.Fprintf(out, "%-26s", fmt.Sprintf("%s (%s, %s)", verdict, letter(c.out), letter(c.back)))
		}
		fmt.Fprintln(out)
	}
	reasons := map[string]int{}
	var order []string
	for _, row := range all {
		for _, c := range row {
			if why := c.end.String(); !c.answered {
				if reasons[why] == 0 {
					order = append(order, why)
				}
				reasons[why]++
			}
		}
	}
	for _, why := range order {
		fmt.Fprintf(out, "%d times: %s\n", reasons[why], why)
	}
}

// letter is the last of a zone's name.
func letter(zone string) string {
	if zone == "" {
		return "none"
	}
	return zone[len(zone)-1:]
}
