package load

import (
	"github.com/vpcsim/vpcsim/directconnect"
	"github.com/vpcsim/vpcsim/directconnect/shape"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// settle gives what Direct Connect tells in every region to the snapshot of the region that
// it is of, where that is loaded: associations to their gateway's, attachments to their
// virtual interface's.
func settle(snapshots []*snapshot) {
	byName := map[string]*snapshot{}
	for _, s := range snapshots {
		byName[s.region] = s
	}
	for _, s := range snapshots {
		s.DirectLinks = move(s, s.DirectLinks, byName, func(x *shape.DirectConnectGatewayAssociation) *string {
			if x.AssociatedGateway == nil {
				return x.VirtualGatewayRegion
			}
			return x.AssociatedGateway.Region
		}, func(to *snapshot) *[]item[shape.DirectConnectGatewayAssociation] { return &to.DirectLinks })
		s.DirectAttachments = move(s, s.DirectAttachments, byName, func(x *shape.DirectConnectGatewayAttachment) *string { return x.VirtualInterfaceRegion },
			func(to *snapshot) *[]item[shape.DirectConnectGatewayAttachment] { return &to.DirectAttachments })
	}
}

// move appends the items of other regions to their snapshots, and returns those that stay.
func move[T any](s *snapshot, items []item[T], byName map[string]*snapshot, region func(*T) *string, list func(*snapshot) *[]item[T]) []item[T] {
	var stay []item[T]
	for k := range items {
		if to := byName[ec2.Value(region(&items[k].shape))]; to != nil && to != s {
			*list(to) = append(*list(to), items[k])
		} else {
			stay = append(stay, items[k])
		}
	}
	return stay
}

// directConnect restores Direct Connect: its gateways, which all regions share, and what
// of the rest is the region's.
func (l *restoring) directConnect() {
	each(l, l.Direct, func(s *shape.DirectConnectGateway) *string { return s.DirectConnectGatewayID },
		func(s *shape.DirectConnectGateway) string { return ended(s.DirectConnectGatewayState) }, directly(l, directconnect.Restore))
	each(l, l.Lags, func(s *shape.Lag) *string { return s.LagID }, func(s *shape.Lag) string { return ended(s.LagState) }, with(l, directconnect.RestoreLag))
	each(l, l.DirectConnections, func(s *shape.Connection) *string { return s.ConnectionID },
		func(s *shape.Connection) string { return ended(s.ConnectionState) }, with(l, directconnect.RestoreConnection))
	each(l, l.VirtualInterfaces, func(s *shape.VirtualInterface) *string { return s.VirtualInterfaceID },
		func(s *shape.VirtualInterface) string { return ended(s.VirtualInterfaceState) }, directly(l, directconnect.RestoreInterface))
	for _, i := range l.DirectAttachments {
		if why := detached(i.shape.AttachmentState); why != "" {
			l.skip(i.file, i.path(), ec2.Value(i.shape.VirtualInterfaceID)+" is "+why)
			continue
		}
		l.tx.RestoreFor(i.file.account)
		v, err := directconnect.RestoreAttachment(l.tx, l.network.direct, i.shape)
		l.note(i.file, i.path(), err)
		if err == nil {
			if _, known := l.network.sources[v.ID()]; !known {
				l.read(v.ID(), i.file, i.path())
				l.skip(i.file, i.path(), "no file holds the virtual interface "+v.ID()+": taken to be up")
			}
		}
	}
	each(l, l.DirectLinks, func(s *shape.DirectConnectGatewayAssociation) *string { return s.AssociationID },
		func(s *shape.DirectConnectGatewayAssociation) string { return detached(s.AssociationState) }, directly(l, directconnect.RestoreAssociation))
}

// directly gives a Restore of package directconnect its transaction and the gateways.
func directly[T, R any](l *restoring, restore func(*vpc.Tx, directconnect.Gateways, T) (R, error)) func(T) (R, error) {
	return func(s T) (R, error) { return restore(l.tx, l.network.direct, s) }
}

// detached returns the state of what ties nothing any more.
func detached(state *string) string {
	switch s := ec2.Value(state); s {
	case shape.Disassociated, shape.Disassociating, shape.Detached, shape.Detaching:
		return s
	}
	return ""
}

// directAnswers adds what describes Direct Connect.
func directAnswers(r *vpc.Region, add func(key string, v any)) {
	add("directConnectGateways", directconnect.Describe(r))
	add("directConnectGatewayAssociations", directconnect.DescribeAssociations(r))
	add("directConnectGatewayAttachments", directconnect.DescribeAttachments(r))
	add("virtualInterfaces", directconnect.DescribeInterfaces(r))
	add("connections", directconnect.DescribeConnections(r))
	add("lags", directconnect.DescribeLags(r))
}
