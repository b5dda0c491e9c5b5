package tgw

import (
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// reference is a prefix list in a route table: a static route for each of its entries.
type reference struct {
	list *vpc.PrefixList
	to   *Attachment // nil is a black hole
}

// CreatePrefixListReference has the prefix list's entries lead to the attachment, a nil
// one into a black hole (CreateTransitGatewayPrefixListReference). Static routes with the
// same destination go before. In the quota of routes the list counts as many as it may
// have entries. A list that the table refers to is refused (code and sentence are
// inferred).
func (t *RouteTable) CreatePrefixListReference(l *vpc.PrefixList, a *Attachment) error {
	return t.Change(func(tx *vpc.Tx) error {
		if err := t.needsList(tx, l, a); err != nil {
			return err
		}
		if t.reference(l) >= 0 {
			return vpc.Refuse("PrefixListReferenceAlreadyExists", "Prefix list %s already exists in Transit Gateway Route Table %s.", l.ID(), t.ID())
		}
		_, most := tx.Entries(l)
		if err := tx.Within(vpc.QuotaTransitGatewayRoutes, t.gateway.used(tx)+most-1, t.gateway.ID()); err != nil {
			return err
		}
		t.lists = append(slices.Clone(t.lists), reference{l, a})
		return nil
	})
}

// ReplacePrefixListReference has the entries lead elsewhere
// (ModifyTransitGatewayPrefixListReference).
func (t *RouteTable) ReplacePrefixListReference(l *vpc.PrefixList, a *Attachment) error {
	return t.onReference(l, func(tx *vpc.Tx, i int) error {
		if err := t.needsList(tx, l, a); err != nil {
			return err
		}
		t.lists = slices.Clone(t.lists)
		t.lists[i].to = a
		return nil
	})
}

// DeletePrefixListReference takes the list from the table
// (DeleteTransitGatewayPrefixListReference).
func (t *RouteTable) DeletePrefixListReference(l *vpc.PrefixList) error {
	return t.onReference(l, func(_ *vpc.Tx, i int) error {
		t.lists = slices.Delete(slices.Clone(t.lists), i, i+1)
		return nil
	})
}

// onReference calls f for the list's reference, and refuses a list that has none (the
// sentence is inferred).
func (t *RouteTable) onReference(l *vpc.PrefixList, f func(tx *vpc.Tx, i int) error) error {
	return t.Change(func(tx *vpc.Tx) error {
		if err := tx.Needs("prefixListId", l); err != nil {
			return err
		}
		i := t.reference(l)
		if i < 0 {
			return vpc.Refuse("InvalidPrefixListID.NotFound", "Prefix list %s does not exist in Transit Gateway Route Table %s.", l.ID(), t.ID())
		}
		return f(tx, i)
	})
}

func (t *RouteTable) needsList(tx *vpc.Tx, l *vpc.PrefixList, a *Attachment) error {
	if err := tx.Needs("prefixListId", l); err != nil || a == nil {
		return err
	}
	return t.needs(tx, a)
}

func (t *RouteTable) reference(l *vpc.PrefixList) int {
	return slices.IndexFunc(t.lists, func(r reference) bool { return r.list == l })
}

// used counts the gateway's static routes.
func (g *TransitGateway) used(tx *vpc.Tx) int {
	n := 0
	for _, t := range g.tables {
		n += len(t.static)
		for _, r := range t.lists {
			_, most := tx.Entries(r.list)
			n += most
		}
	}
	return n
}

// PrefixListReferences lists the table's references to prefix lists
// (GetTransitGatewayPrefixListReferences), in the order in which they were made.
func (t *RouteTable) PrefixListReferences() *ec2.GetTransitGatewayPrefixListReferencesResult {
	list := []ec2.TransitGatewayPrefixListReference{}
	t.Region().View(func(*vpc.Tx) {
		for _, r := range t.lists {
			s := ec2.TransitGatewayPrefixListReference{
				TransitGatewayRouteTableId: new(t.ID()), PrefixListId: new(r.list.ID()), PrefixListOwnerId: new(r.list.OwnerID()),
				State: new(ec2.TransitGatewayPrefixListReferenceStateAvailable), Blackhole: new(r.to == nil),
			}
			if a := r.to; a != nil {
				s.TransitGatewayAttachment = &ec2.TransitGatewayPrefixListAttachment{
					TransitGatewayAttachmentId: new(a.ID()), ResourceType: new(a.kind), ResourceId: new(a.resource()),
				}
			}
			list = append(list, s)
		}
	})
	return &ec2.GetTransitGatewayPrefixListReferencesResult{TransitGatewayPrefixListReferences: list}
}
