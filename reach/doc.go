// Package reach asks a network what would reach whom, with real packets: a [Prober]
// sends what ping, nmap or curl would send through the walk of the dataplane, has
// light guests answer, and says what the sender would see.
//
//	p, err := reach.New(w, reach.Config{})
//	r := p.Ask(reach.Spec{From: "10.3.1.140", To: "10.1.1.133", Proto: "tcp", Port: 22})
//	fmt.Println(r.Observed, r.Reason, r.Where) // filtered no security group ingress rule allows it eni-…
//
// A Prober has an engine, a clock and live state of its own: it disturbs neither the
// world that it was made from nor, since everything on a probe's way forgets it
// afterwards, the next probe. The same question has the same answer in any order.
//
// [Prober.Verdict] goes on past filters and tells every blocker of both directions,
// with the change that would remove each. An [Overlay] is a change to try; [Compare] and
// [Diff] tell what it does.
//
// What the network does not hold is Unknown, with the object and why, and Unknown is
// never reachable: what a guest does with packets for others, what lies behind a VPN,
// what a service does that is not modelled. What is assumed says so: guests answer ping
// and have their ports open, hosts on the internet too (see [Config]).
package reach
