package reach

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// Config is what a snapshot of a network does not hold and a Prober has to assume.
// The zero Config will do.
type Config struct {
	// TTL is that of packets as hosts send them, in hops; 0 is 255, Amazon Linux 2's
	// (measured: S002, labs).
	TTL uint8
	// Closed has ports closed that Ports does not open. Else they are open: what a
	// program listens on is in no snapshot.
	Closed bool
	// Ports are the open ports of interfaces, by the id of the interface or of its
	// instance, in place of what Closed says: only those listed are open. With the
	// interface of a service that is not modelled, such as a database's, they say what
	// answers there.
	Ports map[string][]Port
	// Appliances say what guests do with packets that are for others, by the id of the
	// interface or of its instance. What a guest does that is not listed is unknown.
	Appliances map[string]Appliance
	// Outcomes is how many outcomes of random choices are tried at most; 0 is 64.
	Outcomes int
	// Packets keeps the bytes of packets in the Story of a Result; see trace.Walk.Packet.
	Packets bool
	// LeftOut says what of a resource, by its id, name or an address, the network lacks though
	// its description has it: all of it (whole) or a part; "" for nothing. An end that was
	// left out is Unknown, and a Blocker says what of its Object was. nil says nothing;
	// load.Network.Lacks is one.
	LeftOut func(name string) (what string, whole bool)
	// Seed makes the choices differ that nobody can try all of, such as the ports of a
	// NAT gateway.
	Seed uint64
}

// Port is a port of a protocol, "tcp" or "udp".
type Port struct {
	Proto  string
	Number uint16
}

// Appliance is what a guest does with packets that are for others: it sends them on by
// its own route table, as Linux with ip_forward does; those that a Gateway Load Balancer
// hands it in GENEVE it sends back.
type Appliance struct {
	// Masquerade has it put its own address in as the source: a NAT instance.
	Masquerade bool
}

// maxOutcomes is the default of Config.Outcomes.
const maxOutcomes = 64

// Prober asks questions of a network. It belongs to one goroutine; several of one
// network work in parallel, and the network must not change while they do. Between two
// questions it may change.
type Prober struct {
	config Config
	world  *world.World
	lives  []*vpc.Live
	seen   []*vpc.Snapshot // of each life, when guests were plugged in
	index  *index          // nil until asked for
	run    *run            // the probe under way

	linuxes map[string]*linux // by the instance's or the interface's id
}

// New returns a Prober of the regions of w, which it leaves alone: it brings them to
// life anew. It returns an error where c names what is not there. Making one compiles
// every region.
func New(w *world.World, c Config) (*Prober, error) {
	if c.TTL == 0 {
		c.TTL = 255
	}
	if c.Outcomes <= 0 {
		c.Outcomes = maxOutcomes
	}
	p := &Prober{config: c, world: world.New(world.Config{Seed: c.Seed}), linuxes: map[string]*linux{}}
	for _, r := range w.Regions() {
		p.lives = append(p.lives, p.world.Add(r))
	}
	p.seen = make([]*vpc.Snapshot, len(p.lives))
	p.world.Internet.Anyone = crowd{p}
	p.world.Engine.Log = &trace.Log{}
	p.world.Engine.Instead = p.instead
	if err := p.checkConfig(); err != nil {
		return nil, err
	}
	return p, p.refresh()
}

// checkConfig finds names in the configuration that lead to nothing.
func (p *Prober) checkConfig() error {
	check := func(field, id string) error {
		for _, l := range p.lives {
			switch l.Region().Find(id).(type) {
			case *vpc.NetworkInterface, *vpc.Instance:
				return nil
			}
		}
		return fmt.Errorf("reach: %s: %q: expected the id of an interface or of an instance of the network", field, id)
	}
	for id, ports := range p.config.Ports {
		if err := check("ports", id); err != nil {
			return err
		}
		for _, port := range ports {
			if port.Proto != "tcp" && port.Proto != "udp" {
				return fmt.Errorf("reach: ports: %s: %q: expected tcp or udp", id, port.Proto)
			}
		}
	}
	for id := range p.config.Appliances {
		if err := check("appliances", id); err != nil {
			return err
		}
	}
	return nil
}

// refresh plugs guests into the interfaces of regions that have changed.
func (p *Prober) refresh() error {
	for i, l := range p.lives {
		if s := l.Snapshot(); s != p.seen[i] {
			p.seen[i], p.index = s, nil
			if err := p.plug(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// plug puts a guest behind each interface of a region that is a user's, and behind those
// of services that are not modelled, such as a Lambda function's: what they take is not
// known, but they may ask.
func (p *Prober) plug(l *vpc.Live) error {
	var all []*vpc.NetworkInterface
	l.Region().View(func(tx *vpc.Tx) { all = vpc.Resources[*vpc.NetworkInterface](tx) })
	for _, n := range all {
		port := l.Port(n)
		if i := l.Interface(n); i == nil || i.Owner != nil {
			continue
		}
		g := &guest{prober: p, live: l, nic: n, port: port}
		a, ok := p.appliance(n)
		if !ok && len(l.Interface(n).Tunnels) > 0 {
			g.tunnels, ok = true, true
		}
		if ok {
			x, err := p.linuxOf(n, a)
			if err != nil {
				return err
			}
			g.linux = x
		}
		port.Plug(g)
	}
	return nil
}

// linuxOf returns the Linux guest that has an interface, started for the first of them.
func (p *Prober) linuxOf(n *vpc.NetworkInterface, a Appliance) (*linux, error) {
	id, nics := n.ID(), []*vpc.NetworkInterface{n}
	if i := n.Instance(); i != nil {
		id, nics = i.ID(), i.Interfaces()
	}
	if x := p.linuxes[id]; x != nil && slices.Equal(x.nics, nics) {
		return x, nil
	}
	x := &linux{does: a, nics: nics}
	p.linuxes[id] = x
	return x, x.boot(p)
}

// appliance returns what the guest behind an interface does with packets for others.
func (p *Prober) appliance(n *vpc.NetworkInterface) (Appliance, bool) {
	if len(p.config.Appliances) == 0 {
		return Appliance{}, false
	}
	if a, ok := p.config.Appliances[n.ID()]; ok {
		return a, true
	}
	if i := n.Instance(); i != nil {
		a, ok := p.config.Appliances[i.ID()]
		return a, ok
	}
	return Appliance{}, false
}

// LeftOut returns an error that says why the network has nothing of what a name, an id or
// an address stands for; nil where it has, or where nobody has told.
func (p *Prober) LeftOut(name string) error {
	if p.config.LeftOut == nil {
		return nil
	}
	if what, whole := p.config.LeftOut(name); whole {
		return &leftOut{name, what}
	}
	return nil
}

// leftOut is the error of an end that the network has nothing of.
type leftOut struct{ name, what string }

// Error says what was left out, and why.
func (e *leftOut) Error() string {
	return fmt.Sprintf("reach: %q was left out of the network: %s", e.name, e.what)
}

// open reports whether the guest behind an interface listens on a port, and whether
// somebody has said so.
func (p *Prober) open(n *vpc.NetworkInterface, proto string, port uint16) (open, told bool) {
	ports, ok := p.config.Ports[n.ID()]
	if i := n.Instance(); !ok && i != nil && len(p.config.Ports) > 0 {
		ports, ok = p.config.Ports[i.ID()]
	}
	if !ok {
		return !p.config.Closed, p.config.Closed
	}
	for _, x := range ports {
		if x.Proto == proto && x.Number == port {
			return true, true
		}
	}
	return false, true
}

// told reports whether somebody has said what listens behind an interface.
func (p *Prober) told(n *vpc.NetworkInterface) bool {
	_, ok := p.config.Ports[n.ID()]
	return ok
}

// live returns the life of an interface's region.
func (p *Prober) live(n *vpc.NetworkInterface) *vpc.Live { return p.world.Live(n.Region()) }

// forget has everything on the way of the last probe forget it.
func (p *Prober) forget(walks []*trace.Walk) error {
	done := map[string]bool{"": true}
	once := func(id string) {
		if done[id] {
			return
		}
		done[id] = true
		for _, l := range p.lives {
			l.Forget(id)
		}
	}
	for _, w := range walks {
		once(w.FromID)
		once(w.WhereID)
		for i := range w.Steps {
			once(w.Steps[i].NodeID)
		}
	}
	for _, x := range p.linuxes {
		if slices.ContainsFunc(x.nics, func(n *vpc.NetworkInterface) bool { return done[n.ID()] }) {
			if err := x.boot(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// addrOf returns the address that an interface's guest uses toward dst: its first of
// the same family; invalid where it has none.
func addrOf(n *vpc.NetworkInterface, dst netip.Addr) netip.Addr {
	if dst.Is4() {
		return n.PrivateIP()
	}
	if six := n.IPv6(); len(six) > 0 {
		return six[0]
	}
	return netip.Addr{}
}
