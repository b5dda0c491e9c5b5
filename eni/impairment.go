package eni

import (
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Impairment is what is wrong with the link between an interface and its subnet. It
// is asked once of every packet on the link, in the order in which packets are sent.
type Impairment interface {
	// Impair says what becomes of a packet that is on the link at an instant: out
	// says that it comes from the interface, else it goes to it.
	Impair(at time.Duration, out bool) Fate
}

// Fate is what an [Impairment] does to a packet. The zero Fate lets it pass.
type Fate struct {
	// Lost names the fault that takes the packet, in words for traces; "" is none.
	Lost string
	// Delayed names the fault that holds the packet for Delay, 0 or more; "" is none.
	Delayed string
	Delay   time.Duration
}

// Impair has every packet of the interface, a service's too, pass m from now on, both
// ways; nil is a sound link again. What is answered beside the guest (ARP, neighbour
// discovery, the metadata service) is not on the link.
func (p *Port) Impair(m Impairment) {
	p.impairment = m
	p.engine.ForgetFlows()
}

// Impairment returns what every packet has to pass, nil of a sound link.
func (p *Port) Impairment() Impairment { return p.impairment }

// PowerOff leaves the guest behind the port dead, until [Port.PowerOn] or until
// another guest is plugged in: packets for it, those under way too, end as trace.Lost
// and name the fault, and what it would send is no packet. fault is in words for
// traces and not empty.
func (p *Port) PowerOff(fault string) { p.dead = fault }

// PowerOn brings the guest behind the port back to life, as it was.
func (p *Port) PowerOn() { p.dead = "" }

// Dead returns the fault that left the guest behind the port dead, "" where none did.
func (p *Port) Dead() string { return p.dead }

// sound reports whether nothing is wrong with the link. p may be nil.
func (p *Port) sound() bool { return p == nil || p.impairment == nil }

// impaired has a packet pass the port's impairment, where there is one, and reports
// whether that took it.
func (p *Port) impaired(c *dataplane.Context, packet *wire.Packet, out bool) bool {
	return p != nil && p.impairment != nil && p.impair(c, packet, out)
}

func (p *Port) impair(c *dataplane.Context, packet *wire.Packet, out bool) bool {
	f := p.impairment.Impair(c.Now+c.Latency, out)
	if f.Lost != "" {
		c.Note(packet, trace.Step{Act: trace.Ended, Reason: trace.Lost, Match: f.Lost})
		return true
	}
	if f.Delay > 0 {
		c.Latency += f.Delay
		c.Note(packet, trace.Step{Act: trace.Did, Match: f.Delayed})
	}
	return false
}

// bury ends a packet for a guest that is dead.
func (p *Port) bury(packet *wire.Packet) trace.Reason {
	if i := p.fresh(); i != nil {
		p.engine.Note(i.inName, packet, trace.Step{Act: trace.Ended, Reason: trace.Lost, Match: p.dead})
	}
	return trace.Lost
}
