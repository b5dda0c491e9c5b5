package vpc

import (
	"cmp"
	"slices"
	"time"
)

// attachment ties an interface to an instance, or to the service that owns it.
type attachment struct {
	id      string
	index   int // of the device
	card    int // of the network card
	deletes bool
	at      time.Time
}

// Attach attaches an interface at the next free device index.
func (i *Instance) Attach(n *NetworkInterface) error {
	_, err := i.AttachAt(n, -1)
	return err
}

// AttachAt attaches an interface at a device index, or the next free one where it is
// negative, and returns the attachment's id (AttachNetworkInterface). The interface
// must be attached to nothing and lie in the zone of the instance (the codes for
// both are AWS's, that of the zone and both sentences are inferred).
func (i *Instance) AttachAt(n *NetworkInterface, index int) (string, error) {
	var id string
	err := i.Change(func(tx *Tx) error {
		if err := tx.Needs("networkInterfaceId", n); err != nil {
			return err
		}
		if err := i.checkAttach(tx, n); err != nil {
			return err
		}
		at, taken := i.device(index)
		if taken {
			return Refuse("InvalidParameterValue", "Instance '%s' already has an interface attached at device index '%d'.", i.id, at)
		}
		tx.attach(i, n, at, false)
		id = n.link.id
		return nil
	})
	return id, err
}

func (i *Instance) checkAttach(tx *Tx, n *NetworkInterface) error {
	if err := n.checkOwned(); err != nil {
		return err
	}
	switch {
	case n.link != nil:
		return Refuse("InvalidNetworkInterface.InUse", "Interface: [%s] in use.", n.id)
	case i.state == Terminated:
		return Refuse("IncorrectInstanceState", "Instance '%s' is not 'running' or 'stopped'.", i.id)
	case n.subnet.zone != i.zone():
		return Refuse("InvalidParameterCombination", "You may not attach a network interface to an instance if they are not in the same availability zone")
	}
	return tx.Within(QuotaInterfacesPerInstance, len(i.interfaces), i.id)
}

// device returns the device index to attach at and whether something is there.
func (i *Instance) device(index int) (int, bool) {
	there := func(k int) bool {
		return slices.ContainsFunc(i.interfaces, func(n *NetworkInterface) bool { return n.link.index == k })
	}
	if index >= 0 {
		return index, there(index)
	}
	for index = 0; there(index); index++ {
	}
	return index, false
}

func (tx *Tx) attach(i *Instance, n *NetworkInterface, index int, deletes bool) {
	n.instance, n.link = i, &attachment{id: tx.r.ids.next("eni-attach"), index: index, deletes: deletes, at: tx.r.Now()}
	tx.r.links[n.link.id] = n
	i.interfaces = append(i.interfaces, n)
	slices.SortFunc(i.interfaces, func(a, b *NetworkInterface) int { return cmp.Compare(a.link.index, b.link.index) })
}

// Detach detaches a secondary interface, which keeps its addresses
// (DetachNetworkInterface). Routes that name it become black holes until it is
// attached again.
func (i *Instance) Detach(n *NetworkInterface) error {
	return i.Change(func(tx *Tx) error {
		if err := tx.Needs("networkInterfaceId", n); err != nil {
			return err
		}
		if n.instance != i {
			return Refuse("InvalidAttachmentID.NotFound", "The network interface attachment ID '%s' does not exist", n.id)
		}
		return tx.detach(n)
	})
}

// DetachNetworkInterface detaches an interface by its attachment's id. The primary
// interface of an instance can't be detached, nor can a service's interface.
func (r *Region) DetachNetworkInterface(attachment string) error {
	return r.Change(func(tx *Tx) error {
		if n, ok := r.links[attachment].(*NetworkInterface); ok {
			return tx.detach(n)
		}
		return Refuse("InvalidAttachmentID.NotFound", "The network interface attachment ID '%s' does not exist", attachment)
	})
}

func (tx *Tx) detach(n *NetworkInterface) error {
	switch {
	case n.facts().link == "ela-attach":
		return Refuse("OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.")
	case n.kind != InterfaceUser:
		return n.checkOwned()
	case n.link.index == 0:
		return Refuse("OperationNotPermitted", "The network interface at device index 0 and networkCard index 0 cannot be detached.")
	}
	tx.loosen(n)
	return nil
}

// loosen ends the attachment to an instance. A public address of the launch goes
// with it.
func (tx *Tx) loosen(n *NetworkInterface) {
	n.instance.interfaces = remove(n.instance.interfaces, n)
	delete(tx.r.links, n.link.id)
	n.instance, n.link = nil, nil
}

// SetDeleteOnTermination changes whether the interface goes with its instance
// (ModifyNetworkInterfaceAttribute): the primary one does, others don't unless told.
// An interface that is attached to no instance is refused with
// InvalidAttachmentID.NotFound.
func (n *NetworkInterface) SetDeleteOnTermination(on bool) error {
	return n.Change(func(*Tx) error {
		if err := n.checkOwned(); err != nil {
			return err
		}
		if n.link == nil {
			return Refuse("InvalidAttachmentID.NotFound", "The network interface attachment ID '' does not exist")
		}
		n.link.deletes = on
		return nil
	})
}

// AttachmentID returns the id of the attachment to an instance or a service, ""
// where there is none.
func (n *NetworkInterface) AttachmentID() string {
	var id string
	n.region.read(func() {
		if n.link != nil {
			id = n.link.id
		}
	})
	return id
}
