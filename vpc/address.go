package vpc

import (
	"net/netip"
	"slices"
)

// Address is an Elastic IP address.
type Address struct {
	Base
	public  netip.Addr
	assoc   string // the association's id, "" while there is none
	to      *NetworkInterface
	private netip.Addr
}

// AddressConfig says how an Elastic IP address is allocated.
type AddressConfig struct {
	// ID is the allocation id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// PublicIP is the address to have; invalid takes a free one of TEST-NET-3 (RFC
	// 5737) or, when those are used up, of 198.18.0.0/15 (RFC 2544).
	PublicIP netip.Addr
}

// AllocateAddress takes a public IPv4 address for the account.
func (r *Region) AllocateAddress(c AddressConfig) (*Address, error) {
	var e *Address
	err := r.Change(func(tx *Tx) (err error) {
		e, err = tx.AllocateAddress(c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// AllocateAddress is Region.AllocateAddress inside a change.
func (tx *Tx) AllocateAddress(c AddressConfig) (*Address, error) {
	public, err := tx.choosePublic(c.PublicIP)
	if err != nil {
		return nil, err
	}
	id, err := tx.NewID("eipalloc", c.ID)
	if err != nil {
		return nil, err
	}
	e := &Address{Base: Base{id: id, region: tx.r}, public: public}
	if c.Name != "" {
		e.setTag("Name", c.Name)
	}
	tx.r.eips = append(tx.r.eips, e)
	tx.Add(e)
	return e, nil
}

func (tx *Tx) choosePublic(want netip.Addr) (netip.Addr, error) {
	if !want.IsValid() {
		a, ok := tx.r.pool.next(tx.r.publicInUse)
		if !ok {
			return a, refuse("AddressLimitExceeded", "The maximum number of addresses has been reached.")
		}
		return a, nil
	}
	if !want.Is4() || tx.r.publicInUse(want) {
		return want, refuse("InvalidAddress.Unavailable", "Address %s is not available.", want)
	}
	return want, nil
}

// publicInUse reports whether somebody of the region has the public address.
func (r *Region) publicInUse(a netip.Addr) bool {
	if slices.ContainsFunc(r.eips, func(e *Address) bool { return e.public == a }) {
		return true
	}
	for _, v := range r.vpcs {
		for _, n := range v.interfaces {
			if slices.ContainsFunc(n.addrs, func(p PrivateAddress) bool { return p.Public == a }) {
				return true
			}
		}
	}
	return false
}

// PublicIP returns the public address.
func (e *Address) PublicIP() netip.Addr { return e.public }

// Associate gives the address to an interface's primary private address.
func (e *Address) Associate(n *NetworkInterface) error {
	return e.AssociatePrivateIP(n, netip.Addr{}, false)
}

// AssociatePrivateIP gives the address to one private address of an interface; the
// zero Addr is the primary one. An address that is associated is refused with
// Resource.AlreadyAssociated, unless reassociate is true; a VPC without internet
// gateway is refused with Gateway.NotAttached.
func (e *Address) AssociatePrivateIP(n *NetworkInterface, private netip.Addr, reassociate bool) error {
	return e.region.Change(func(tx *Tx) error { return tx.AssociateAddress(e, n, private, reassociate) })
}

// AssociateAddress is Address.AssociatePrivateIP inside a change.
func (tx *Tx) AssociateAddress(e *Address, n *NetworkInterface, private netip.Addr, reassociate bool) error {
	if v := n.subnet.vpc; v.gateway("igw") == nil {
		return refuse("Gateway.NotAttached", "Network %s is not attached to any internet gateway", v.id)
	}
	if !private.IsValid() {
		private = n.addrs[0].IP
	}
	at := n.private(private)
	if at == nil {
		return refuse("InvalidParameterValue", "Address %s is not assigned to interface %s", private, n.id)
	}
	if e.to != nil && !reassociate {
		return refuse("Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", e.id, e.assoc)
	}
	if e.to != nil {
		e.release()
	}
	n.disassociate(at)
	at.Public, at.Address = e.public, e
	e.to, e.private, e.assoc = n, private, tx.r.ids.next("eipassoc")
	return nil
}

// Disassociate takes the address away from its interface.
func (e *Address) Disassociate() error {
	return e.region.Change(func(*Tx) error {
		if e.to == nil {
			return refuse("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", e.id)
		}
		e.release()
		return nil
	})
}

func (e *Address) release() {
	if at := e.to.private(e.private); at != nil {
		at.Public, at.Address = netip.Addr{}, nil
	}
	e.to, e.private, e.assoc = nil, netip.Addr{}, ""
}

// Release gives the address back. One that is associated is refused with
// InvalidIPAddress.InUse (the sentence is inferred).
func (e *Address) Release() error {
	return e.region.Change(func(tx *Tx) error {
		if e.to != nil {
			return refuse("InvalidIPAddress.InUse", "Address %s is in use.", e.public)
		}
		tx.r.eips = remove(tx.r.eips, e)
		tx.Remove(e)
		return nil
	})
}

// private returns the interface's row for a private address, or nil.
func (n *NetworkInterface) private(a netip.Addr) *PrivateAddress {
	for i := range n.addrs {
		if n.addrs[i].IP == a {
			return &n.addrs[i]
		}
	}
	return nil
}

// disassociate takes whatever public address p has.
func (n *NetworkInterface) disassociate(p *PrivateAddress) {
	if p.Address != nil {
		p.Address.release()
	}
	p.Public, p.Address = netip.Addr{}, nil
}

// HasPublicAddresses reports whether an interface of the VPC has a public IPv4 address.
func (tx *Tx) HasPublicAddresses(v *VPC) bool {
	return slices.ContainsFunc(v.interfaces, func(n *NetworkInterface) bool {
		return slices.ContainsFunc(n.addrs, func(p PrivateAddress) bool { return p.Public.IsValid() })
	})
}
