package tgw

import (
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/vpc"
)

// listed is how long a deleted attachment stays listed (EC2 API, TransitGatewayRoute).
const listed = 2 * time.Hour

// Attachment is a VPC attached to a transit gateway: an interface in one subnet of
// each zone that is to reach it. A route table of the VPC may name such an interface
// too: what is delivered there enters the gateway, whatever its destination (S004).
type Attachment struct {
	vpc.Base
	gateway        *TransitGateway
	vpc            *vpc.VPC
	nics           []*vpc.NetworkInterface // one a zone
	appliance, six bool
	table          *RouteTable // associated with, or nil
	created, ended time.Time   // ended is zero until it is deleted
}

// AttachmentConfig says how a VPC is attached.
type AttachmentConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// ApplianceMode has packets for the VPC enter by one interface for the life of a
	// flow, in both directions, and not in the zone that they come from.
	ApplianceMode bool
	// IPv6 carries IPv6 too; the subnets need IPv6 CIDRs.
	IPv6 bool
}

// Attach attaches the VPC of the subnets, which lie in a zone each
// (CreateTransitGatewayVpcAttachment). The attachment is associated with the
// gateway's default route table and propagates to it, unless the gateway was made
// otherwise. A VPC is attached once.
func (g *TransitGateway) Attach(c AttachmentConfig, subnets ...*vpc.Subnet) (*Attachment, error) {
	var a *Attachment
	err := g.Change(func(tx *vpc.Tx) error {
		if err := checkAttach(tx, g, subnets); err != nil {
			return err
		}
		b, err := tx.NewBase("tgw-attach", c.ID, c.Name)
		if err != nil {
			return err
		}
		a = &Attachment{
			Base: b, gateway: g, vpc: subnets[0].VPC(), appliance: c.ApplianceMode, six: c.IPv6, created: tx.Region().Now(),
		}
		if a.nics, err = a.newInterfaces(tx, subnets); err != nil {
			return err
		}
		if g.associates != nil {
			a.table = g.associates
		}
		if g.propagates != nil {
			g.propagates.propagated = append(g.propagates.propagated, a)
		}
		g.attachments = append(g.attachments, a)
		tx.Add(a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// newInterfaces makes the interfaces, as AWS describes them (measured: a lab).
func (a *Attachment) newInterfaces(tx *vpc.Tx, subnets []*vpc.Subnet) ([]*vpc.NetworkInterface, error) {
	m := vpc.ManagedInterface{
		Type: vpc.InterfaceTransitGateway, Description: "Network Interface for Transit Gateway Attachment " + a.ID(),
	}
	if a.six {
		m.IPv6 = 1
	}
	return tx.NewManagedInterfaces(subnets, a, m)
}

// AddSubnets attaches further zones (ModifyTransitGatewayVpcAttachment).
func (a *Attachment) AddSubnets(subnets ...*vpc.Subnet) error {
	return a.Change(func(tx *vpc.Tx) error {
		if err := tx.CheckPlaces(append(a.subnets(), subnets...), nil); err != nil {
			return err
		}
		nics, err := a.newInterfaces(tx, subnets)
		if err != nil {
			return err
		}
		a.nics = append(slices.Clone(a.nics), nics...)
		return nil
	})
}

// RemoveSubnet takes the zone of a subnet from the attachment, which keeps one at
// least (ModifyTransitGatewayVpcAttachment). Routes that name its interface become
// black holes.
func (a *Attachment) RemoveSubnet(s *vpc.Subnet) error {
	return a.Change(func(tx *vpc.Tx) error {
		i := slices.Index(a.subnets(), s)
		if err := checkRemove(tx, a, s, i); err != nil {
			return err
		}
		tx.DeleteManagedInterface(a.nics[i])
		a.nics = slices.Delete(slices.Clone(a.nics), i, i+1)
		return nil
	})
}

// SetApplianceMode changes AttachmentConfig.ApplianceMode
// (ModifyTransitGatewayVpcAttachment).
func (a *Attachment) SetApplianceMode(on bool) error {
	return a.Change(func(*vpc.Tx) error {
		a.appliance = on
		return nil
	})
}

// Delete detaches the VPC (DeleteTransitGatewayVpcAttachment): the interfaces go,
// association and propagation end, and routes that lead to the attachment, in the
// VPC's tables or the gateway's, become black holes.
func (a *Attachment) Delete() error {
	return a.Change(func(tx *vpc.Tx) error {
		for _, n := range a.nics {
			tx.DeleteManagedInterface(n)
		}
		for _, t := range a.gateway.tables {
			t.propagated = slices.DeleteFunc(t.propagated, func(o *Attachment) bool { return o == a })
		}
		a.table, a.ended = nil, tx.Region().Now()
		tx.Remove(a)
		return nil
	})
}

func (a *Attachment) available() bool { return a.ended.IsZero() }

// subnets returns the subnets of the interfaces, in their order.
func (a *Attachment) subnets() []*vpc.Subnet {
	list := make([]*vpc.Subnet, len(a.nics))
	for i, n := range a.nics {
		list[i] = n.Subnet()
	}
	return list
}

// Gateway returns the transit gateway.
func (a *Attachment) Gateway() *TransitGateway { return a.gateway }

// VPC returns the VPC that is attached.
func (a *Attachment) VPC() *vpc.VPC { return a.vpc }

// Interfaces returns the attachment's interfaces, one a subnet, in the order in which
// the subnets were given.
func (a *Attachment) Interfaces() []*vpc.NetworkInterface {
	var n []*vpc.NetworkInterface
	a.Region().View(func(*vpc.Tx) { n = slices.Clone(a.nics) })
	return n
}
