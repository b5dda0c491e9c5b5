package load

import (
	"github.com/vpcsim/vpcsim/cagw"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/lgw"
	"github.com/vpcsim/vpcsim/vpc"
)

// localGateways restores local gateways, their tables, and then what ties these.
func (l *restoring) localGateways() {
	each(l, l.Locals, func(s *ec2.LocalGateway) *string { return s.LocalGatewayId },
		func(s *ec2.LocalGateway) string { return ended(s.State) }, with(l, lgw.Restore))
	each(l, l.LocalTables, func(s *ec2.LocalGatewayRouteTable) *string { return s.LocalGatewayRouteTableId },
		func(s *ec2.LocalGatewayRouteTable) string { return ended(s.State) }, with(l, lgw.RestoreRouteTable))
	each(l, l.LocalAssociations, func(s *ec2.LocalGatewayRouteTableVpcAssociation) *string {
		return s.LocalGatewayRouteTableVpcAssociationId
	},
		goneLocal, with(l, lgw.RestoreAssociation))
	for _, i := range l.LocalRoutes {
		t, err := vpc.Named[*lgw.RouteTable](l.tx, "LocalGatewayRouteTableId", i.shape.LocalGatewayRouteTableId)
		if err == nil {
			err = lgw.RestoreRoutes(l.tx, t, i.shape.Routes)
		}
		l.note(i.file, i.path(), err)
	}
}

func goneLocal(s *ec2.LocalGatewayRouteTableVpcAssociation) string {
	switch state := ec2.Value(s.State); state {
	case "disassociated", "disassociating":
		return state
	}
	return ended(s.State)
}

// outpostAnswers adds what describes carrier and local gateways.
func outpostAnswers(r *vpc.Region, add func(key string, v any)) {
	add("CarrierGateways", cagw.Describe(r))
	add("LocalGateways", lgw.Describe(r))
	add("LocalGatewayRouteTables", lgw.DescribeRouteTables(r))
	add("LocalGatewayRouteTableVpcAssociations", lgw.DescribeAssociations(r))
	list := []localRoutes{}
	for _, t := range resources[*lgw.RouteTable](r) {
		list = append(list, localRoutes{new(t.ID()), t.Search().Routes})
	}
	add("LocalGatewayRoutes", map[string][]localRoutes{"LocalGatewayRoutes": list})
}
