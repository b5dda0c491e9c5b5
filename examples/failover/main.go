// Failover shows what an appliance's death costs: an instance through which a route
// leads dies in the middle of a ping series and of two TCP connections; a controller
// that its health checks tell of it repairs the way by (a) moving the secondary network
// interface to a standby or (b) replacing the routes. How long it takes, what is lost and
// which connections survive depends on what the appliance knows of connections, and
// on whether the standby knows it too (S000).
//
//	go run ./examples/failover
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpctest"
)

func main() {
	if err := run(os.Stdout, vpctest.Program); err != nil {
		log.Fatal(err)
	}
}

// plan is one way in which it may go.
type plan struct {
	appliance appliance
	repair    repair
	handover  bool // the standby is told of connections
}

// plans are all of them. A forwarder has nothing to hand over.
func plans() []plan {
	var all []plan
	for _, a := range []appliance{forwarder, firewall, translator} {
		for _, r := range []repair{moveInterface, replaceRoutes} {
			all = append(all, plan{a, r, false})
			if a != forwarder {
				all = append(all, plan{a, r, true})
			}
		}
	}
	return all
}

func run(out io.Writer, t vpctest.TB) error {
	fmt.Fprintf(out, "%s\n", introduction)
	fmt.Fprintf(out, "%-10s  %-16s  %-9s  %-13s  %-8s  %-8s  %-12s  %-12s  %s\n",
		"appliance", "repair", "state", "pings lost", "silence", "noticed", "upload", "download", "packets lost at the dead instance, dropped elsewhere")
	for _, p := range plans() {
		r, err := play(t, p)
		if err != nil {
			return err
		}
		state := "lost"
		switch {
		case p.appliance == forwarder:
			state = "none"
		case p.handover:
			state = "handed on"
		}
		fmt.Fprintf(out, "%-10s  %-16s  %-9s  %-13s  %-8s  %-8s  %-12s  %-12s  %d%s\n",
			p.appliance, p.repair, state, fmt.Sprintf("%d of %d", r.pingsLost, r.pings), silent(r.silence), seconds(r.noticed),
			r.upload, r.download, r.lost, listed(r.dropped))
	}
	fmt.Fprintf(out, "\n%s\n", conclusion)
	return stories(out, t)
}

const introduction = `client 10.0.1.10 --- appliance 10.0.2.20 --- server 10.0.3.10, all in 10.0.0.0/16

The client's route table leads to the server's subnet by the appliance's interface, the
server's table back by the same. The appliance dies 10 s after ping, upload and download
have begun: no FIN, no RST. Routes to it stay active, AWS does not notice. A controller
pings its management address every second; after three failures it

  moves interface:  DetachNetworkInterface, AttachNetworkInterface to the standby
  replaces routes:  ReplaceRoute, in both tables, to the standby's own interface

API calls take no time here: AWS promises no figure. The appliance is one of

  forwarder:   Linux that forwards, and knows no connection
  firewall:    iptables lets in SYNs from the client's side and what belongs to a
               known connection
  NAT:         iptables masquerades the client's side

"silence" is from the death to the first echo reply, "noticed" from the death to the
repair, which takes effect with the next packet. A connection stalls for as long as no
byte comes: TCP sends again at intervals that double, so it stalls longer than ping. One
that nobody answers times out after a quarter of an hour. The simulated TCP has no
congestion control and goes on sending into the gap, so Linux would lose fewer packets.
`

const conclusion = `A forwarder forgets nothing, for it knows nothing. A firewall's standby drops what it
takes for the middle of unknown connections, unless it is told of them. With NAT the
address counts: it moves with the interface. Replaced routes give the server another
client, and state that names the dead appliance's address does harm: even ping, which
could do without, keeps sending under an address whose answers nobody gets.
A NAT's upload survives even without state, as Linux picks up connections in their
middle, and the port was free. Its download does not: the first packet comes from the
server, is for nobody, and is answered with RST.`

// seconds prints a duration in tenths.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// silent prints how long no echo reply came.
func silent(d time.Duration) string {
	if d == 0 {
		return "for good"
	}
	return seconds(d)
}

// listed prints how many packets were dropped for which reasons.
func listed(dropped []drops) string {
	text := ""
	for _, d := range dropped {
		text += fmt.Sprintf(", %d %s", d.n, d.why)
	}
	return text
}

// stories tells what became of single packets.
func stories(out io.Writer, t vpctest.TB) error {
	for _, s := range []struct {
		title string
		plan  plan
		find  func(*lab, *trace.Walk) bool
	}{
		{"A packet that the dead instance took:", plan{forwarder, moveInterface, false},
			func(l *lab, w *trace.Walk) bool { return w.End() == trace.Lost && w.First.Dst == l.serverAddr }},
		{"The upload's first segment at a standby that was not told of it:", plan{firewall, moveInterface, false},
			func(_ *lab, w *trace.Walk) bool { return w.End() == trace.HostFilter }},
		{"The download's first segment at a NAT that was not told of it:", plan{translator, moveInterface, false},
			func(l *lab, w *trace.Walk) bool { return w.End() == trace.NoListener && w.First.Src == l.serverAddr }},
		{"The same where routes were replaced and state was handed on: it still goes to the dead instance's address:", plan{translator, replaceRoutes, true},
			func(l *lab, w *trace.Walk) bool {
				return w.Start > l.repaired && w.End() == trace.Lost && w.First.Src == l.serverAddr
			}},
	} {
		l, err := newLab(t, s.plan)
		if err != nil {
			return err
		}
		l.live()
		fmt.Fprintf(out, "\n%s\n\n", s.title)
		walks := l.world.Trace()
		for _, w := range walks.Walks() {
			if w.Start >= l.died && s.find(l, w) {
				fmt.Fprint(out, walks.Story(w.ID))
				break
			}
		}
	}
	return nil
}
