package load

import (
	"fmt"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
)

// vpcAttachments are those that DescribeTransitGatewayVpcAttachments has, and those that
// only the list of all attachments has and whose VPC is there: their subnets are those
// of their interfaces.
func (l *restoring) vpcAttachments() []item[ec2.TransitGatewayVpcAttachment] {
	list := slices.Clone(l.VpcAttachments)
	has := map[string]bool{}
	for _, i := range list {
		has[ec2.Value(i.shape.TransitGatewayAttachmentId)] = true
	}
	for _, i := range l.Attachments {
		s, id := &i.shape, ec2.Value(i.shape.TransitGatewayAttachmentId)
		if ec2.Value(s.ResourceType) != ec2.TransitGatewayAttachmentResourceTypeVpc || has[id] || ended(s.State) != "" {
			continue
		}
		if _, err := vpc.Named[*vpc.VPC](l.tx, "ResourceId", s.ResourceId); err != nil {
			continue
		}
		has[id] = true
		shape := ec2.TransitGatewayVpcAttachment{
			CreationTime: s.CreationTime, State: s.State, Tags: s.Tags, TransitGatewayAttachmentId: s.TransitGatewayAttachmentId,
			TransitGatewayId: s.TransitGatewayId, VpcId: s.ResourceId, VpcOwnerId: s.ResourceOwnerId,
		}
		for _, n := range tgw.Interfaces(l.tx, id) {
			shape.SubnetIds = append(shape.SubnetIds, n.Subnet().ID())
		}
		l.skip(i.file, i.path(), "no file holds the subnets and options of "+id+": taken to be the subnets of its interfaces, and the options by default")
		list = append(list, item[ec2.TransitGatewayVpcAttachment]{shape: shape, file: i.file, key: i.key, index: i.index})
	}
	return list
}

// associations ties attachments to the tables that route what enters by them. An
// attachment of which only its VPC's description tells, or an account that the gateway is
// not of, may be associated with a table that nobody has told of.
func (l *restoring) associations() {
	told := map[string]bool{}
	for _, i := range l.Attachments {
		s := &i.shape
		a, err := vpc.Named[*tgw.Attachment](l.tx, "", s.TransitGatewayAttachmentId)
		if err != nil {
			continue
		}
		link := s.Association
		if link == nil || ec2.Value(link.State) == ec2.TransitGatewayAssociationStateDisassociated {
			owner := ec2.Value(s.TransitGatewayOwnerId)
			told[a.ID()] = told[a.ID()] || i.file.account == "" || owner == "" || owner == i.file.account
			continue
		}
		t, err := vpc.Named[*tgw.RouteTable](l.tx, "Association.TransitGatewayRouteTableId", link.TransitGatewayRouteTableId)
		if err != nil {
			l.note(i.file, i.path(), err)
			continue
		}
		tgw.RestoreAssociation(l.tx, a, t)
	}
	l.tableAssociations()
	for _, a := range vpc.Resources[*tgw.Attachment](l.tx) {
		if !told[a.ID()] {
			l.account = a.OwnerID()
			a.RestoreUntold(l.tx, "the route table that it is associated with is "+l.missing("tgw-attach"))
		}
	}
}

// tableAssociations ties attachments to tables where the tables tell of it.
func (l *restoring) tableAssociations() {
	for _, i := range l.TransitLinks {
		t, err := vpc.Named[*tgw.RouteTable](l.tx, "TransitGatewayRouteTableId", i.shape.TransitGatewayRouteTableId)
		if err != nil {
			l.note(i.file, i.path(), err)
			continue
		}
		for k, s := range i.shape.Associations {
			if ec2.Value(s.State) == ec2.TransitGatewayAssociationStateDisassociated {
				continue
			}
			a, err := vpc.Named[*tgw.Attachment](l.tx, fmt.Sprintf("Associations[%d].TransitGatewayAttachmentId", k), s.TransitGatewayAttachmentId)
			if err != nil {
				l.note(i.file, i.path(), err)
				continue
			}
			tgw.RestoreAssociation(l.tx, a, t)
		}
	}
}

// propagated has attachments propagate to tables.
func (l *restoring) propagated() {
	for _, i := range l.Propagations {
		t, err := vpc.Named[*tgw.RouteTable](l.tx, "TransitGatewayRouteTableId", i.shape.TransitGatewayRouteTableId)
		if err != nil {
			l.note(i.file, i.path(), err)
			continue
		}
		for k, p := range i.shape.TransitGatewayRouteTablePropagations {
			l.account = i.file.account
			a, err := t.Attachment(l.tx, fmt.Sprintf("TransitGatewayRouteTablePropagations[%d].TransitGatewayAttachmentId", k), p.TransitGatewayAttachmentId, p.ResourceId, p.ResourceType)
			l.note(i.file, i.path(), err)
			if a == nil {
				continue
			}
			tgw.RestorePropagation(l.tx, t, a)
		}
	}
}

// attachmentPropagations has attachments propagate to tables where the attachments tell of
// it. It does not tell all that propagates to a table.
func (l *restoring) attachmentPropagations() {
	for _, i := range l.AttachmentTables {
		a, err := vpc.Named[*tgw.Attachment](l.tx, "TransitGatewayAttachmentId", i.shape.TransitGatewayAttachmentId)
		if err != nil {
			l.note(i.file, i.path(), err)
			continue
		}
		for k, s := range i.shape.TransitGatewayAttachmentPropagations {
			t, err := vpc.Named[*tgw.RouteTable](l.tx, fmt.Sprintf("TransitGatewayAttachmentPropagations[%d].TransitGatewayRouteTableId", k), s.TransitGatewayRouteTableId)
			if err != nil {
				l.note(i.file, i.path(), err)
				continue
			}
			tgw.RestorePropagation(l.tx, t, a)
		}
	}
}

// connects restores Connect attachments with their peers, over attachments that are there.
func (l *restoring) connects() {
	each(l, l.Connects, func(s *ec2.TransitGatewayConnect) *string { return s.TransitGatewayAttachmentId },
		func(s *ec2.TransitGatewayConnect) string { return ended(s.State) }, with(l, tgw.RestoreConnect))
	each(l, l.ConnectPeers, func(s *ec2.TransitGatewayConnectPeer) *string { return s.TransitGatewayConnectPeerId },
		func(s *ec2.TransitGatewayConnectPeer) string { return ended(s.State) }, with(l, tgw.RestoreConnectPeer))
}

// lists reports whether routes under a key are all of a table's static ones: not where
// they are those alone that sites have told of.
func (s *transitRoutes) lists(key string) bool {
	return key != "TransitGatewayRoutes" || len(s.Routes) == 0 || slices.ContainsFunc(s.Routes, func(r ec2.TransitGatewayRoute) bool {
		return ec2.Value(r.Type) == ec2.TransitGatewayRouteTypeStatic || len(r.TransitGatewayAttachments) > 0 &&
			ec2.Value(r.TransitGatewayAttachments[0].ResourceType) == ec2.TransitGatewayAttachmentResourceTypeVpc
	})
}

// transitRoutes restores the routes of tables. A table of which no file tells what
// propagates to it, or the static routes, may hold more.
func (l *restoring) transitRoutes() {
	told, listed := map[string]bool{}, map[string]bool{}
	for _, i := range l.Propagations {
		told[ec2.Value(i.shape.TransitGatewayRouteTableId)] = true
	}
	for _, i := range l.TransitRoutes {
		t, err := vpc.Named[*tgw.RouteTable](l.tx, "TransitGatewayRouteTableId", i.shape.TransitGatewayRouteTableId)
		if err != nil {
			l.note(i.file, i.path(), err)
			continue
		}
		l.account = i.file.account
		listed[t.ID()] = listed[t.ID()] || !ec2.Value(i.shape.AdditionalRoutesAvailable) && i.shape.lists(i.key)
		told[t.ID()] = told[t.ID()] || i.key != "TransitGatewayStaticRoutes" && listed[t.ID()]
		for k, r := range i.shape.Routes {
			l.note(i.file, fmt.Sprintf("%s.Routes[%d]", i.path(), k), tgw.RestoreRoute(l.tx, t, r))
		}
	}
	for _, t := range vpc.Resources[*tgw.RouteTable](l.tx) {
		l.account = t.OwnerID()
		if !told[t.ID()] {
			t.RestoreUntold(l.tx, "what propagates to it is "+l.absent(l.account, "TransitGatewayPropagations"))
		}
		if !listed[t.ID()] && !l.fresh {
			t.RestoreUnlisted(l.tx, "its static routes are "+l.absent(l.account, "TransitGatewayStaticRoutes"))
		}
	}
}
