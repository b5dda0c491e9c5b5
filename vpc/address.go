package vpc

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
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

// AllocateAddress takes a public IPv4 address for the account. A PublicIP that is
// none or somebody's is refused with InvalidAddress.Unavailable (code and sentence
// are inferred).
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
	if err := tx.Within(QuotaAddresses, len(tx.r.eips), tx.r.name); err != nil {
		return nil, err
	}
	public, err := tx.choosePublic(c.PublicIP)
	if err != nil {
		return nil, err
	}
	b, err := tx.NewBase("eipalloc", c.ID, c.Name)
	if err != nil {
		return nil, err
	}
	e := &Address{Base: b, public: public}
	tx.r.public.take(public)
	tx.r.eips = append(tx.r.eips, e)
	tx.Add(e)
	return e, nil
}

func (tx *Tx) choosePublic(want netip.Addr) (netip.Addr, error) {
	if !want.IsValid() {
		if a := tx.r.public.free(); a.IsValid() {
			return a, nil
		}
		return want, Refuse("AddressLimitExceeded", "The maximum number of addresses has been reached.")
	}
	if !want.Is4() || tx.r.public.taken[want] {
		return want, Refuse("InvalidAddress.Unavailable", "Address %s is not available.", want)
	}
	return want, nil
}

// PublicIP returns the public address.
func (e *Address) PublicIP() netip.Addr { return e.public }

// Interface returns the interface that has the address, or nil.
func (e *Address) Interface() *NetworkInterface {
	var n *NetworkInterface
	e.region.read(func() { n = e.to })
	return n
}

// AssociationID returns the id of the association, "" where there is none.
func (e *Address) AssociationID() string {
	var id string
	e.region.read(func() { id = e.assoc })
	return id
}

// Associate gives the address to an interface's primary private address.
func (e *Address) Associate(n *NetworkInterface) error {
	return e.AssociatePrivateIP(n, netip.Addr{}, false)
}

// AssociateInstance gives the address to the primary private address of an
// instance's only interface. An instance with several is refused with
// InvalidInstanceID.
func (e *Address) AssociateInstance(i *Instance) error {
	return e.Change(func(tx *Tx) error {
		n, err := tx.onlyInterface(i)
		if err != nil {
			return err
		}
		return tx.AssociateAddress(e, n, netip.Addr{}, false)
	})
}

// AssociatePrivateIP gives the address to one private address of an interface; the
// zero Addr is the primary one. An address that is associated is refused with
// Resource.AlreadyAssociated, unless reassociate is true; a VPC without internet
// gateway is refused with Gateway.NotAttached. A public address that the private one
// has already gives way.
func (e *Address) AssociatePrivateIP(n *NetworkInterface, private netip.Addr, reassociate bool) error {
	return e.Change(func(tx *Tx) error {
		if err := tx.Needs("networkInterfaceId", n); err != nil {
			return err
		}
		if err := n.checkOwned(); err != nil {
			return err
		}
		return tx.AssociateAddress(e, n, private, reassociate)
	})
}

// AssociateAddress is Address.AssociatePrivateIP inside a change, for interfaces of
// services too.
func (tx *Tx) AssociateAddress(e *Address, n *NetworkInterface, private netip.Addr, reassociate bool) error {
	if v := n.subnet.vpc; v.gateway("igw") == nil {
		return Refuse("Gateway.NotAttached", "Network %s is not attached to any internet gateway", v.id)
	}
	if !private.IsValid() {
		private = first(n.addrs).IP
	}
	at := n.private(private)
	switch {
	case at == nil:
		return Refuse("InvalidParameterValue", "Address %s is not assigned to interface %s", private, n.id)
	case e.to == n && e.private == private:
		return nil
	case e.to != nil && !reassociate:
		return Refuse("Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", e.id, e.assoc)
	case e.to != nil && e.to.kind != InterfaceUser:
		return e.to.checkOwned()
	}
	if e.to != nil {
		tx.dissolve(e)
	}
	n.disassociate(at)
	at.Public, at.Address = e.public, e
	e.to, e.private, e.assoc = n, private, tx.r.ids.next("eipassoc")
	tx.r.links[e.assoc] = e
	return nil
}

// Disassociate takes the address away from its interface (DisassociateAddress). That
// of a service's interface is refused (the code is inferred).
func (e *Address) Disassociate() error {
	return e.Change(func(tx *Tx) error {
		if e.to == nil {
			return Refuse("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", e.id)
		}
		if err := e.to.checkOwned(); err != nil {
			return err
		}
		tx.dissolve(e)
		return nil
	})
}

// dissolve ends the address's association.
func (tx *Tx) dissolve(e *Address) {
	if at := e.to.private(e.private); at != nil {
		at.Public, at.Address = netip.Addr{}, nil
	}
	delete(tx.r.links, e.assoc)
	e.to, e.private, e.assoc = nil, netip.Addr{}, ""
}

// Release gives the address back. One that is associated is refused with
// InvalidIPAddress.InUse (the sentence is inferred).
func (e *Address) Release() error {
	return e.Change(func(tx *Tx) error {
		if e.to != nil {
			return Refuse("InvalidIPAddress.InUse", "Address %s is in use.", e.public)
		}
		tx.r.public.release(e.public)
		tx.r.eips = remove(tx.r.eips, e)
		tx.Remove(e)
		return nil
	})
}

// disassociate takes whatever public address p has.
func (n *NetworkInterface) disassociate(p *PrivateAddress) {
	switch {
	case p.Address != nil:
		(&Tx{r: n.region}).dissolve(p.Address)
	case p.Public.IsValid():
		n.region.public.release(p.Public)
		p.Public = netip.Addr{}
	}
}

// HasPublicAddresses reports whether an interface of the VPC has a public IPv4 address.
func (tx *Tx) HasPublicAddresses(v *VPC) bool {
	return slices.ContainsFunc(v.interfaces, func(n *NetworkInterface) bool {
		return slices.ContainsFunc(n.addrs, func(p PrivateAddress) bool { return p.Public.IsValid() })
	})
}

// DescribeAddresses lists the Elastic IP addresses, in the order in which they were
// allocated.
func (r *Region) DescribeAddresses() *ec2.DescribeAddressesResult {
	list := []ec2.Address{}
	r.read(func() {
		for _, e := range r.eips {
			list = append(list, e.shape())
		}
	})
	return &ec2.DescribeAddressesResult{Addresses: list}
}

func (e *Address) shape() ec2.Address {
	s := ec2.Address{
		AllocationId: new(e.id), PublicIp: new(e.public.String()), Domain: new(ec2.DomainTypeVpc), PublicIpv4Pool: new("amazon"),
		NetworkBorderGroup: new(e.region.name), Tags: e.tagShapes(),
	}
	if e.to != nil {
		s.AssociationId, s.NetworkInterfaceId, s.NetworkInterfaceOwnerId = new(e.assoc), new(e.to.id), new(e.to.OwnerID())
		s.PrivateIpAddress = new(e.private.String())
		if e.to.instance != nil {
			s.InstanceId = new(e.to.instance.id)
		}
	}
	return s
}
