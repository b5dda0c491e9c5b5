package vpc

import (
	"github.com/vpcsim/vpcsim/ec2"
	"slices"
	"time"
)

// InstanceState is the state of an instance, in AWS's words.
type InstanceState string

// The states of an instance that it stays in.
const (
	Running    InstanceState = "running"
	Stopped    InstanceState = "stopped"
	Terminated InstanceState = "terminated"
)

// InstanceConfig says how an instance is launched. The zero value is AWS's default.
type InstanceConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag, of the instance and of its interface.
	Name string
	// Type is the instance type, which nothing depends on; "" is t3.micro.
	Type string
	// Interface is how the primary interface is made; its Name is left out.
	Interface NetworkInterfaceConfig
	// AssociatePublicIP gives the primary address a public one for the instance's
	// life, as the subnet's MapPublicIPOnLaunch does.
	AssociatePublicIP bool
}

// Instance is a virtual machine: what interfaces are attached to. The operating
// system in it is a guest that the world plugs in.
type Instance struct {
	Base
	kind       string
	state      InstanceState
	subnet     *Subnet
	public     bool                // gets a public address at start
	interfaces []*NetworkInterface // by device index
	launched   time.Time
	ended      time.Time
	recorded   *ec2.Instance // what a restored one was described with: what is not modelled stays
	batch      string        // the id of the reservation that it was described in
	untold     string        // why no description tells whether it runs, "" where one does
}

// RunInstance launches one instance in the subnet.
func (s *Subnet) RunInstance(c InstanceConfig) (*Instance, error) {
	var i *Instance
	err := s.Change(func(tx *Tx) (err error) {
		i, err = tx.runInstance(s, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return i, nil
}

func (tx *Tx) runInstance(s *Subnet, c InstanceConfig) (*Instance, error) {
	if c.Interface.Name == "" {
		c.Interface.Name = c.Name
	}
	if c.Type == "" {
		c.Type = "t3.micro"
	}
	b, err := tx.NewBase("i", c.ID, c.Name)
	if err != nil {
		return nil, err
	}
	n, err := tx.newInterface(s, c.Interface)
	if err != nil {
		return nil, err
	}
	i := &Instance{
		Base: b, kind: c.Type, state: Running, subnet: s, public: c.AssociatePublicIP || s.mapPublic, launched: tx.r.Now(),
	}
	tx.attach(i, n, 0, true)
	i.givePublic()
	tx.r.instances = append(tx.r.instances, i)
	tx.Add(i)
	return i, nil
}

// givePublic gives the primary address a public one where the launch asked for it.
// When the region has none left the instance goes without.
func (i *Instance) givePublic() {
	r, n := i.region, i.interfaces[0]
	if !i.public || len(n.addrs) == 0 || n.addrs[0].Public.IsValid() {
		return
	}
	at := &n.addrs[0]
	if at.Public = r.public.free(); at.Public.IsValid() {
		r.public.take(at.Public)
	}
}

// Interfaces returns the attached interfaces by device index.
func (i *Instance) Interfaces() []*NetworkInterface {
	var n []*NetworkInterface
	i.region.read(func() { n = slices.Clone(i.interfaces) })
	return n
}

// Interface returns the primary interface, nil of a terminated instance.
func (i *Instance) Interface() *NetworkInterface {
	if n := i.Interfaces(); len(n) > 0 {
		return n[0]
	}
	return nil
}

// State returns the instance's state.
func (i *Instance) State() InstanceState {
	var s InstanceState
	i.region.read(func() { s = i.state })
	return s
}

// zone returns the name of the instance's zone.
func (i *Instance) zone() string {
	if i.subnet == nil { // restored without an interface
		return ""
	}
	return i.subnet.zone
}

// onlyInterface returns the interface of an instance that has just one.
func (tx *Tx) onlyInterface(i *Instance) (*NetworkInterface, error) {
	if err := tx.Needs("instanceId", i); err != nil {
		return nil, err
	}
	switch len(i.interfaces) {
	case 0:
		return nil, Refuse("IncorrectInstanceState", "Instance '%s' is not 'running' or 'stopped'.", i.id)
	case 1:
		return i.interfaces[0], nil
	}
	return nil, Refuse("InvalidInstanceID", msgSeveralInterfaces, i.id)
}

// SetSourceDestCheck turns source/dest check of the instance's only interface on or
// off (ModifyInstanceAttribute). An instance with several is refused with
// InvalidInstanceID.
func (i *Instance) SetSourceDestCheck(on bool) error {
	return i.Change(func(tx *Tx) error {
		n, err := tx.onlyInterface(i)
		if err != nil {
			return err
		}
		n.check = on
		return nil
	})
}

// Stop stops the instance: its interfaces stay, its public address that is no
// Elastic IP goes (EC2 guide, "Instance IP addressing"). Stopping a stopped one
// changes nothing.
func (i *Instance) Stop() error { return i.become(Stopped, Running) }

// Start starts a stopped instance, which gets a new public address where the launch
// asked for one and it has no Elastic IP. Starting a running one changes nothing.
func (i *Instance) Start() error { return i.become(Running, Stopped) }

func (i *Instance) become(to, from InstanceState) error {
	return i.Change(func(tx *Tx) error {
		if i.untold != "" { // whichever it was
			i.state, i.untold = from, ""
		}
		if i.state == to {
			return nil
		}
		if i.state != from {
			return Refuse("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be %s.", i.id, verbs[to])
		}
		i.state = to
		if len(i.interfaces) == 0 || len(i.interfaces[0].addrs) == 0 { // restored without one, or with IPv6 alone
			return nil
		}
		n := i.interfaces[0]
		if at := &n.addrs[0]; to == Stopped && at.Address == nil {
			n.disassociate(at)
		}
		if to == Running {
			i.launched = tx.r.Now()
			i.givePublic()
		}
		return nil
	})
}

var verbs = map[InstanceState]string{Running: "started", Stopped: "stopped"}

// Terminate ends the instance. Its primary interface goes with it, secondary ones
// stay, attached to nothing, unless [NetworkInterface.SetDeleteOnTermination] said
// otherwise. Terminating a terminated instance changes nothing.
func (i *Instance) Terminate() error {
	return i.Change(func(tx *Tx) error {
		if i.state == Terminated {
			return nil
		}
		i.state, i.ended = Terminated, tx.r.Now()
		for _, n := range slices.Clone(i.interfaces) {
			deletes := n.link.deletes
			tx.loosen(n)
			if deletes {
				tx.dropInterface(n)
			}
		}
		return nil
	})
}
