package tgw

import (
	"cmp"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// listed is how long a deleted attachment stays listed (EC2 API, TransitGatewayRoute).
const listed = 2 * time.Hour

// Attachment is what is attached to a transit gateway. That of a VPC is an interface
// in one subnet of each zone that is to reach it; a route table of the VPC may name
// such an interface too: what is delivered there enters the gateway, whatever its
// destination (S004). The others are another transit gateway ([Peer]), and links to sites
// of one's own.
type Attachment struct {
	vpc.Base
	gateway        *TransitGateway
	kind           ec2.TransitGatewayAttachmentResourceType
	vpc            *vpc.VPC                // of a VPC's attachment
	nics           []*vpc.NetworkInterface // one a zone
	appliance, six bool
	unreferenced   bool                              // groups of other attached VPCs are not named
	peer           *peer                             // of a peering attachment
	link           remote.Link                       // of a VPN, Direct Connect or Connect attachment
	owner          string                            // of what a link leads to, "" where that is the gateway's
	table          *RouteTable                       // associated with, or nil
	untold         string                            // why nobody can tell which table it is associated with, "" where one can
	partial        bool                              // not all of its interfaces are known
	restored       ec2.TransitGatewayAttachmentState // "" or available where it is not a description's
	created, ended time.Time                         // ended is zero until it is deleted; a peer's status has its own
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
	// NoSecurityGroupReferencing has groups of the VPC and of others not named across the
	// gateway, where it lets them be.
	NoSecurityGroupReferencing bool
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
			Base: b, gateway: g, kind: ec2.TransitGatewayAttachmentResourceTypeVpc, vpc: subnets[0].VPC(), appliance: c.ApplianceMode,
			six: c.IPv6, unreferenced: c.NoSecurityGroupReferencing, created: tx.Region().Now(),
		}
		if a.nics, err = a.newInterfaces(tx, subnets); err != nil {
			return err
		}
		g.add(tx, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// add makes an attachment known and gives it the defaults of the gateway.
func (g *TransitGateway) add(tx *vpc.Tx, a *Attachment) {
	a.table = g.associates
	if g.propagates != nil && a.propagates() {
		g.propagates.propagated = append(slices.Clone(g.propagates.propagated), a)
	}
	g.attachments = append(g.attachments, a)
	tx.Add(a)
}

// references reports whether groups may be named across the attachment.
func (a *Attachment) references() bool {
	return a.gateway.references && !a.unreferenced && a.vpc != nil
}

// propagates reports whether route tables may take over what is known of the
// attachment: peering attachments have static routes alone (Transit Gateway guide,
// "Peering attachments").
func (a *Attachment) propagates() bool { return a.peer == nil }

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
		if err := checkKind(a, ec2.TransitGatewayAttachmentResourceTypeVpc); err != nil {
			return err
		}
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
		if err := checkKind(a, ec2.TransitGatewayAttachmentResourceTypeVpc); err != nil {
			return err
		}
		a.appliance = on
		return nil
	})
}

// Delete deletes the attachment (DeleteTransitGatewayVpcAttachment and its kin): the
// interfaces go, association and propagation end, and routes that lead to it, in the
// VPC's tables or the gateway's, become black holes. A peering attachment ends for
// both gateways, also one that waits for acceptance.
func (a *Attachment) Delete() error {
	return a.Change(func(tx *vpc.Tx) error {
		if a.link != nil {
			return vpc.Refuse("IncorrectState", "%s is in invalid state", a.ID())
		}
		if a.peer != nil {
			return a.unpeer(tx, ec2.TransitGatewayAttachmentStateDeleted)
		}
		for _, n := range a.nics {
			tx.DeleteManagedInterface(n)
		}
		a.drop(tx)
		a.ended = tx.Region().Now()
		tx.Remove(a)
		return nil
	})
}

// drop ends association and propagation.
func (a *Attachment) drop(tx *vpc.Tx) {
	for _, t := range a.gateway.tables {
		t.propagated = slices.DeleteFunc(slices.Clone(t.propagated), func(o *Attachment) bool { return o == a })
	}
	a.table = nil
}

// available reports whether packets go by the attachment.
func (a *Attachment) available() bool {
	s := a.state()
	return s == ec2.TransitGatewayAttachmentStateAvailable || s == ec2.TransitGatewayAttachmentStateModifying
}

// state returns the state of the attachment as AWS describes it.
func (a *Attachment) state() ec2.TransitGatewayAttachmentState {
	switch {
	case a.peer != nil:
		return a.peer.status.Get().state
	case a.ended.IsZero():
		return cmp.Or(a.restored, ec2.TransitGatewayAttachmentStateAvailable)
	}
	return ec2.TransitGatewayAttachmentStateDeleted
}

// State returns the attachment's state, such as available.
func (a *Attachment) State() ec2.TransitGatewayAttachmentState {
	var s ec2.TransitGatewayAttachmentState
	a.Region().View(func(*vpc.Tx) { s = a.state() })
	return s
}

// over reports whether the attachment has ended, and since when.
func (a *Attachment) over() (bool, time.Time) {
	if a.peer == nil {
		return !a.ended.IsZero(), a.ended
	}
	s := a.peer.status.Get()
	return !s.ended.IsZero(), s.ended
}

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

// RouteTable returns the table that routes what enters by the attachment, nil where none
// does.
func (a *Attachment) RouteTable() *RouteTable {
	var t *RouteTable
	a.Region().View(func(*vpc.Tx) { t = a.table })
	return t
}

// Kind says what is attached, such as vpc.
func (a *Attachment) Kind() ec2.TransitGatewayAttachmentResourceType { return a.kind }

// VPC returns the VPC that is attached, nil of another kind of attachment.
func (a *Attachment) VPC() *vpc.VPC { return a.vpc }

// Interfaces returns the attachment's interfaces, one a subnet, in the order in which
// the subnets were given.
func (a *Attachment) Interfaces() []*vpc.NetworkInterface {
	var n []*vpc.NetworkInterface
	a.Region().View(func(*vpc.Tx) { n = slices.Clone(a.nics) })
	return n
}
