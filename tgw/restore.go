package tgw

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// Restore makes a transit gateway as described, without route tables and attachments,
// which are restored after it: [RestoreRouteTable], [RestoreAttachment],
// [RestoreAssociation], [RestorePropagation], [RestoreRoute]. See the Restore methods
// of [vpc.Tx].
func Restore(tx *vpc.Tx, s ec2.TransitGateway) (*TransitGateway, error) {
	b, err := tx.RestoreBase("TransitGatewayId", s.TransitGatewayId, s.OwnerId, s.Tags)
	if err != nil {
		return nil, err
	}
	g := &TransitGateway{Base: b, asn: DefaultASN, description: ec2.Value(s.Description), created: tx.RestoreTime(s.CreationTime)}
	if o := s.Options; o != nil {
		g.asn = cmp.Or(ec2.Value(o.AmazonSideAsn), g.asn)
		for _, text := range o.TransitGatewayCidrBlocks {
			if p, err := netip.ParsePrefix(text); err == nil { // nothing but new peers' addresses depends on it
				g.cidrs = append(g.cidrs, p.Masked())
			}
		}
		g.noECMP = ec2.Value(o.VpnEcmpSupport) == ec2.VpnEcmpSupportValueDisable
		g.references = ec2.Value(o.SecurityGroupReferencingSupport) == ec2.SecurityGroupReferencingSupportValueEnable
	}
	tx.Add(g)
	return g, nil
}

// RestoreRouteTable makes an empty route table of a gateway that is restored.
func RestoreRouteTable(tx *vpc.Tx, s ec2.TransitGatewayRouteTable) (*RouteTable, error) {
	b, err := tx.RestoreBase("TransitGatewayRouteTableId", s.TransitGatewayRouteTableId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	g, err := vpc.Named[*TransitGateway](tx, "TransitGatewayId", s.TransitGatewayId)
	if err != nil {
		return nil, err
	}
	t := &RouteTable{Base: b, gateway: g, created: tx.RestoreTime(s.CreationTime)}
	if ec2.Value(s.DefaultAssociationRouteTable) {
		g.associates = t
	}
	if ec2.Value(s.DefaultPropagationRouteTable) {
		g.propagates = t
	}
	g.tables = append(g.tables, t)
	tx.Add(t)
	return t, nil
}

// Interfaces returns the interfaces of the attachment with the given id that were
// restored before: those that say whose they are in their description (measured: labs).
func Interfaces(tx *vpc.Tx, attachment string) []*vpc.NetworkInterface {
	return tx.Described("Network Interface for Transit Gateway Attachment " + attachment)
}

// RestoreAttachment makes the attachment of a VPC, with its [Interfaces]. Of a VPC that is
// not there, such as another account's, it says what RestoreOther says of what is not
// modelled.
func RestoreAttachment(tx *vpc.Tx, s ec2.TransitGatewayVpcAttachment) (*Attachment, error) {
	b, err := tx.RestoreBase("TransitGatewayAttachmentId", s.TransitGatewayAttachmentId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	g, err := vpc.Named[*TransitGateway](tx, "TransitGatewayId", s.TransitGatewayId)
	if err != nil {
		return nil, err
	}
	v, err := vpc.Named[*vpc.VPC](tx, "VpcId", s.VpcId)
	if err != nil {
		return g.attachUnknown(tx, b, ec2.TransitGatewayAttachment{
			ResourceId: s.VpcId, ResourceType: new(ec2.TransitGatewayAttachmentResourceTypeVpc), State: s.State, CreationTime: s.CreationTime,
		}), err
	}
	a := &Attachment{Base: b, gateway: g, kind: ec2.TransitGatewayAttachmentResourceTypeVpc, vpc: v, restored: ec2.Value(s.State), created: tx.RestoreTime(s.CreationTime)}
	if o := s.Options; o != nil {
		a.unreferenced = ec2.Value(o.SecurityGroupReferencingSupport) == ec2.SecurityGroupReferencingSupportValueDisable
		a.appliance = ec2.Value(o.ApplianceModeSupport) == ec2.ApplianceModeSupportValueEnable
		a.six = ec2.Value(o.Ipv6Support) == ec2.Ipv6SupportValueEnable
	}
	nics := Interfaces(tx, a.ID())
	var absent []error
	for i, id := range s.SubnetIds {
		k := slices.IndexFunc(nics, func(n *vpc.NetworkInterface) bool {
			return n.Subnet().ID() == id && n.Type() == vpc.InterfaceTransitGateway
		})
		if k < 0 {
			absent, a.partial = append(absent, vpc.Absent(fmt.Sprintf("SubnetIds[%d]", i), id)), true
			continue
		}
		nic, err := tx.Adopt(a, "SubnetIds", new(nics[k].ID()))
		if err != nil {
			return nil, err
		}
		a.nics = append(a.nics, nic)
	}
	g.attachments = append(g.attachments, a)
	tx.Add(a)
	return a, errors.Join(absent...)
}

// RestoreAssociation has packets that enter by the attachment routed by the table.
func RestoreAssociation(_ *vpc.Tx, a *Attachment, t *RouteTable) { a.table = t }

// RestoreUntold says why nobody can tell which table the attachment is associated with:
// what enters by it ends as trace.Unmodelled.
func (a *Attachment) RestoreUntold(_ *vpc.Tx, missing string) {
	if a.table == nil {
		a.untold = missing
	}
}

// RestoreUntold says why nobody can tell what propagates to the table: what no route of it
// matches, or what an attachment would propagate a narrower one for, ends as
// trace.Unmodelled.
func (t *RouteTable) RestoreUntold(_ *vpc.Tx, missing string) { t.untold = missing }

// RestoreUnlisted says why nobody can tell the table's static routes, of which any may be
// narrower than what propagates: everything ends as trace.Unmodelled.
func (t *RouteTable) RestoreUnlisted(_ *vpc.Tx, missing string) { t.unlisted = missing }

// RestorePropagation has the attachment propagate to the table. Of equal CIDRs that of
// the attachment made first stands in it: one that is attached later does not propagate
// them (Transit Gateway guide, "VPC attachments").
func RestorePropagation(_ *vpc.Tx, t *RouteTable, a *Attachment) {
	if slices.Contains(t.propagated, a) {
		return
	}
	at := slices.IndexFunc(t.propagated, func(o *Attachment) bool { return a.created.Before(o.created) })
	if at < 0 {
		at = len(t.propagated)
	}
	t.propagated = slices.Insert(t.propagated, at, a)
}

// prefer has the attachment's CIDRs stand in the table, whoever else propagates equal
// ones: a propagated route tells whose they are.
func (t *RouteTable) prefer(a *Attachment) {
	if at := slices.Index(t.propagated, a); at > 0 && a.vpc != nil && t.contested(a) {
		t.propagated = slices.Insert(slices.Delete(t.propagated, at, at+1), 0, a)
	}
}

// contested reports whether another attachment of a VPC propagates a CIDR of a's.
func (t *RouteTable) contested(a *Attachment) bool {
	return slices.ContainsFunc(t.propagated, func(o *Attachment) bool {
		return o != a && o.vpc != nil && slices.ContainsFunc(o.vpc.CIDRs(), func(p netip.Prefix) bool { return slices.Contains(a.vpc.CIDRs(), p) })
	})
}

// learn has the attachments that a propagated route names propagate to the table, and
// tells links of its destination.
func (t *RouteTable) learn(tx *vpc.Tx, s ec2.TransitGatewayRoute, dst netip.Prefix) {
	for _, by := range s.TransitGatewayAttachments {
		a, err := vpc.Named[*Attachment](tx, "", by.TransitGatewayAttachmentId)
		if err != nil {
			continue
		}
		RestorePropagation(tx, t, a)
		t.prefer(a)
		if l, ok := a.link.(remote.Learner); ok {
			l.Learn(tx, dst)
		}
	}
}

// RestoreReference has a table refer to a prefix list as described
// (GetTransitGatewayPrefixListReferences), before its routes are restored.
func RestoreReference(tx *vpc.Tx, s ec2.TransitGatewayPrefixListReference) error {
	t, err := vpc.Named[*RouteTable](tx, "TransitGatewayRouteTableId", s.TransitGatewayRouteTableId)
	if err != nil {
		return err
	}
	l, err := vpc.Named[*vpc.PrefixList](tx, "PrefixListId", s.PrefixListId)
	if err != nil {
		return err
	}
	r := reference{list: l}
	if s.TransitGatewayAttachment != nil {
		if r.to, err = vpc.Named[*Attachment](tx, "TransitGatewayAttachment.TransitGatewayAttachmentId", s.TransitGatewayAttachment.TransitGatewayAttachmentId); err != nil {
			return err
		}
	}
	if ec2.Value(s.State) != ec2.TransitGatewayPrefixListReferenceStateDeleting && t.reference(l) < 0 {
		t.lists = append(t.lists, r)
	}
	return nil
}

// entryOf reports whether a route is one of a prefix list's that the table refers to; one
// that its description tells of and nothing else is made a reference.
func (t *RouteTable) entryOf(tx *vpc.Tx, s ec2.TransitGatewayRoute, dst netip.Prefix) bool {
	l, err := vpc.Named[*vpc.PrefixList](tx, "PrefixListId", s.PrefixListId)
	if err != nil {
		return false
	}
	if entries, _ := tx.Entries(l); !slices.Contains(entries, dst) {
		return false // its entries are told by nobody, or were others
	}
	if t.reference(l) >= 0 {
		return true
	}
	r := reference{list: l}
	if len(s.TransitGatewayAttachments) > 0 {
		if r.to, err = vpc.Named[*Attachment](tx, "", s.TransitGatewayAttachments[0].TransitGatewayAttachmentId); err != nil {
			return false
		}
	}
	t.lists = append(t.lists, r)
	return true
}

// RestoreRoute adds a route as SearchTransitGatewayRoutes has it. A propagated one has
// its attachments propagate to the table, tells links what lies beyond them, and is left
// out itself. So is a route to an attachment that is not there,
// which is told.
func RestoreRoute(tx *vpc.Tx, t *RouteTable, s ec2.TransitGatewayRoute) error {
	if s.DestinationCidrBlock == nil {
		return nil
	}
	dst, err := vpc.ParseCIDR(*s.DestinationCidrBlock, "DestinationCidrBlock")
	if err != nil {
		return &vpc.ShapeError{Field: "DestinationCidrBlock", Value: *s.DestinationCidrBlock, Want: "a CIDR"}
	}
	if ec2.Value(s.Type) == ec2.TransitGatewayRouteTypePropagated {
		t.learn(tx, s, dst)
		return nil
	}
	if t.find(dst) >= 0 || t.entryOf(tx, s, dst) {
		return nil
	}
	r := Route{Destination: dst}
	if len(s.TransitGatewayAttachments) > 0 {
		by := s.TransitGatewayAttachments[0]
		r.Attachment, err = t.Attachment(tx, "TransitGatewayAttachments[0].TransitGatewayAttachmentId", by.TransitGatewayAttachmentId, by.ResourceId, by.ResourceType)
		if r.Attachment == nil {
			return err
		}
	}
	t.static = append(t.static, r)
	return err
}

// Attachment returns the attachment with an id, for a restored table that names it. One
// that is not there is made: packets for it end as trace.Unmodelled. It is told as absent.
func (t *RouteTable) Attachment(tx *vpc.Tx, field string, id, resource *string, kind *ec2.TransitGatewayAttachmentResourceType) (*Attachment, error) {
	a, err := vpc.Named[*Attachment](tx, field, id)
	if err == nil {
		return a, nil
	}
	b, wrong := tx.RestoreBase(field, id, nil, nil)
	if wrong != nil {
		return nil, err
	}
	a = t.gateway.attachUnknown(tx, b, ec2.TransitGatewayAttachment{
		ResourceId: resource, ResourceType: kind, State: new(ec2.TransitGatewayAttachmentStateAvailable),
	})
	u := a.link.(*unknown)
	u.missing = tx.Missing(a.ID())
	a.untold = u.missing
	if v, ok := tx.Find(u.id).(*vpc.VPC); ok {
		for _, dst := range tx.CIDRs(v) {
			u.Learn(tx, dst)
		}
	}
	return a, err
}
