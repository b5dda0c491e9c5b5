package vpc

import (
	"slices"
)

// InstanceState is the state of an instance, in AWS's words.
type InstanceState string

// The states of an instance that stays in one.
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
	state      InstanceState
	interfaces []*NetworkInterface // by device index; a detached one leaves nil
}

// RunInstance launches one instance in the subnet.
func (s *Subnet) RunInstance(c InstanceConfig) (*Instance, error) {
	var i *Instance
	err := s.region.Change(func(tx *Tx) (err error) {
		i, err = tx.runInstance(s, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return i, nil
}

func (tx *Tx) runInstance(s *Subnet, c InstanceConfig) (*Instance, error) {
	id, err := tx.NewID("i", c.ID)
	if err != nil {
		return nil, err
	}
	if c.Interface.Name == "" {
		c.Interface.Name = c.Name
	}
	n, err := tx.newInterface(s, c.Interface)
	if err != nil {
		return nil, err
	}
	i := &Instance{Base: Base{id: id, region: s.region}, state: Running, interfaces: []*NetworkInterface{n}}
	n.instance = i
	if c.Name != "" {
		i.setTag("Name", c.Name)
	}
	if c.AssociatePublicIP || s.mapPublic {
		n.addrs[0].Public, _ = tx.r.pool.next(tx.r.publicInUse)
	}
	tx.Add(i)
	return i, nil
}

// Interfaces returns the attached interfaces by device index.
func (i *Instance) Interfaces() []*NetworkInterface {
	var n []*NetworkInterface
	i.region.read(func() { n = slices.Clone(i.interfaces) })
	return n
}

// Interface returns the primary interface.
func (i *Instance) Interface() *NetworkInterface { return i.Interfaces()[0] }

// State returns the instance's state.
func (i *Instance) State() InstanceState {
	var s InstanceState
	i.region.read(func() { s = i.state })
	return s
}

// Attach attaches an interface at the next device index. It must be attached to
// nothing and lie in the zone of the instance (the codes for both are AWS's; the
// sentences are inferred).
func (i *Instance) Attach(n *NetworkInterface) error {
	return i.region.Change(func(*Tx) error {
		if err := n.checkOwned(); err != nil {
			return err
		}
		if n.instance != nil {
			return refuse("InvalidNetworkInterface.InUse", "Interface: [%s] in use.", n.id)
		}
		if i.state == Terminated {
			return refuse("IncorrectInstanceState", "Instance '%s' is not 'running' or 'stopped'.", i.id)
		}
		if n.subnet.zone != i.interfaces[0].subnet.zone {
			return refuse("InvalidParameterCombination", "You may not attach a network interface to an instance if they are not in the same availability zone")
		}
		n.instance = i
		i.interfaces = append(i.interfaces, n)
		return nil
	})
}

// Detach detaches a secondary interface, which keeps its addresses.
func (i *Instance) Detach(n *NetworkInterface) error {
	return i.region.Change(func(*Tx) error {
		if n.instance != i {
			return refuse("InvalidAttachmentID.NotFound", "The network interface attachment ID '%s' does not exist", n.id)
		}
		if i.interfaces[0] == n {
			return refuse("OperationNotPermitted", "The network interface at device index 0 and networkCard index 0 cannot be detached.")
		}
		n.instance = nil
		i.interfaces = remove(i.interfaces, n)
		return nil
	})
}

// Stop stops the instance: its interfaces stay, its public address that is no
// Elastic IP goes (EC2 guide, "Instance IP addressing").
func (i *Instance) Stop() error { return i.become(Stopped, Running) }

// Start starts a stopped instance.
func (i *Instance) Start() error { return i.become(Running, Stopped) }

func (i *Instance) become(to, from InstanceState) error {
	return i.region.Change(func(tx *Tx) error {
		if i.state == to {
			return nil
		}
		if i.state != from {
			return refuse("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be %s.", i.id, to)
		}
		i.state = to
		p := &i.interfaces[0].addrs[0]
		switch {
		case p.Address != nil:
		case to == Stopped && p.Public.IsValid():
			p.Public = p.Public.Unmap()
			i.interfaces[0].disassociate(p)
		case to == Running && i.interfaces[0].subnet.mapPublic:
			p.Public, _ = tx.r.pool.next(tx.r.publicInUse)
		}
		return nil
	})
}

// Terminate ends the instance. Its primary interface goes with it, secondary ones
// stay, attached to nothing.
func (i *Instance) Terminate() error {
	return i.region.Change(func(tx *Tx) error {
		i.state = Terminated
		for k, n := range i.interfaces {
			n.instance = nil
			if k == 0 {
				tx.dropInterface(n)
			}
		}
		i.interfaces = nil
		return nil
	})
}

// Instance returns the instance that the interface is attached to, or nil.
func (n *NetworkInterface) Instance() *Instance {
	var i *Instance
	n.region.read(func() { i = n.instance })
	return i
}
