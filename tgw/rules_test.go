package tgw_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
)

func TestRefusals(t *testing.T) {
	n, a, b := newPair(t)
	table, other := n.table(), newNet(t, tgw.Config{})
	second, err := tgw.Create(n.Region, tgw.Config{})
	n.must(err)
	const never = "tgw-attach-none"
	t.Run("C087 attachments", func(t *testing.T) {
		_, err := n.g.Attach(tgw.AttachmentConfig{}, a.subnet.Subnet)
		require.EqualError(t, err, "DuplicateTransitGatewayAttachment: "+n.g.ID()+" has non-deleted Transit Gateway Attachments with same VPC ID.")
		_, err = second.Attach(tgw.AttachmentConfig{}, a.subnet.Subnet, a.door.Subnet)
		require.EqualError(t, err, "DuplicateSubnetsInSameZone: Duplicate Subnets for same AZ")
		_, err = second.Attach(tgw.AttachmentConfig{})
		require.EqualError(t, err, "MissingParameter: The request must contain the parameter subnets")
		require.EqualError(t, a.attach.AddSubnets(a.subnet.Subnet), "DuplicateSubnetsInSameZone: Duplicate Subnets for same AZ")
		require.EqualError(t, a.attach.RemoveSubnet(a.subnet.Subnet), "InvalidSubnetID.NotFound: The subnet ID '"+a.subnet.ID()+"' does not exist")
		require.EqualError(t, a.attach.RemoveSubnet(a.door.Subnet), "InvalidParameterValue: Transit Gateway Attachment "+a.attach.ID()+" must have at least one subnet.")
		require.EqualError(t, a.door.Delete(), "DependencyViolation: The subnet '"+a.door.ID()+"' has dependencies and cannot be deleted.")
	})
	t.Run("C087 routes", func(t *testing.T) {
		n.must(table.CreateRoute("0.0.0.0/0", a.attach))
		require.EqualError(t, table.CreateRoute("0.0.0.0/0", b.attach), "RouteAlreadyExists: Route 0.0.0.0/0 already exists in Transit Gateway Route Table "+table.ID()+".")
		require.EqualError(t, table.CreateBlackhole("0.0.0.0/0"), "RouteAlreadyExists: Route 0.0.0.0/0 already exists in Transit Gateway Route Table "+table.ID()+".")
		n.must(table.ReplaceRoute("0.0.0.0/0", b.attach), table.DeleteRoute("0.0.0.0/0"))
		require.EqualError(t, table.DeleteRoute("0.0.0.0/0"), "InvalidRoute.NotFound: Route 0.0.0.0/0 does not exist in Transit Gateway Route Table "+table.ID()+".")
		require.EqualError(t, table.ReplaceRoute("0.0.0.0/0", a.attach), "InvalidRoute.NotFound: Route 0.0.0.0/0 does not exist in Transit Gateway Route Table "+table.ID()+".")
		require.EqualError(t, table.CreateBlackhole("10.0.0.0"), "InvalidParameterValue: Value (10.0.0.0) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.")
		require.EqualError(t, table.CreateRoute("10.0.0.0/8", nil), "MissingParameter: The request must contain the parameter transitGatewayAttachmentId")
		foreign := other.branch("foreign", "10.9")
		require.EqualError(t, table.CreateRoute("10.0.0.0/8", foreign.attach),
			"InvalidTransitGatewayAttachmentID.NotFound: Transit Gateway Attachment "+foreign.attach.ID()+" was deleted or does not exist.")
		require.EqualError(t, second.DefaultRouteTable().CreateRoute("10.0.0.0/8", a.attach),
			"InvalidTransitGatewayAttachmentID.NotFound: Transit Gateway Attachment "+a.attach.ID()+" was deleted or does not exist.")
	})
	t.Run("associations and propagations", func(t *testing.T) {
		own, err := n.g.CreateRouteTable(tgw.RouteTableConfig{})
		n.must(err)
		require.EqualError(t, own.Associate(a.attach), "Resource.AlreadyAssociated: Transit Gateway Attachment "+a.attach.ID()+" is already associated to a route table.")
		require.EqualError(t, own.Disassociate(a.attach), "InvalidAssociation.NotFound: Association "+a.attach.ID()+" does not exist in Transit Gateway Route Table "+own.ID()+".")
		require.EqualError(t, table.EnablePropagation(a.attach), "TransitGatewayRouteTablePropagation.Duplicate: Propagation "+a.attach.ID()+" already exists in Transit Gateway Route Table "+table.ID()+".")
		require.EqualError(t, own.DisablePropagation(a.attach), "TransitGatewayRouteTablePropagation.NotFound: Propagation "+a.attach.ID()+" does not exist in Transit Gateway Route Table "+own.ID()+".")
		require.EqualError(t, table.Delete(), "IncorrectState: "+table.ID()+" is the default Transit Gateway Route Table of "+n.g.ID()+" and cannot be deleted.")
		n.must(table.Disassociate(a.attach), own.Associate(a.attach))
		require.EqualError(t, own.Delete(), "IncorrectState: "+own.ID()+" has non-deleted associations")
		n.must(own.Disassociate(a.attach), own.Delete(), table.Associate(a.attach))
		require.EqualError(t, own.Delete(), "InvalidRouteTableID.NotFound: Transit Gateway Route Table "+own.ID()+" was deleted or does not exist.")
	})
	t.Run("deletion", func(t *testing.T) {
		require.EqualError(t, n.g.Delete(), "IncorrectState: "+n.g.ID()+" has non-deleted Transit Gateway Attachments")
		n.must(a.attach.Delete(), b.attach.Delete())
		require.EqualError(t, a.attach.Delete(), "InvalidTransitGatewayAttachmentID.NotFound: Transit Gateway Attachment "+a.attach.ID()+" was deleted or does not exist.")
		n.must(n.g.Delete(), a.door.Delete())
		require.EqualError(t, n.g.Delete(), "InvalidTransitGatewayID.NotFound: Transit Gateway "+n.g.ID()+" was deleted or does not exist.")
	})
	t.Run("ids", func(t *testing.T) {
		_, err := n.Region.Lookup("tgw-attach", never)
		require.EqualError(t, err, "InvalidTransitGatewayAttachmentID.NotFound: Transit Gateway Attachment "+never+" was deleted or does not exist.")
	})
}

func TestQuotas(t *testing.T) {
	n := newNet(t, tgw.Config{})
	n.Region.SetQuota(vpc.QuotaTransitGateways, 1)
	_, err := tgw.Create(n.Region, tgw.Config{})
	require.EqualError(t, err, "TransitGatewayLimitExceeded: The maximum number of transit gateways has been reached.")
	n.Region.SetQuota(vpc.QuotaTransitGatewayRouteTables, 1)
	_, err = n.g.CreateRouteTable(tgw.RouteTableConfig{})
	require.EqualError(t, err, "TransitGatewayRouteTableLimitExceeded: The maximum number of transit gateway route tables has been reached.")
	n.Region.SetQuota(vpc.QuotaTransitGatewayRoutes, 0)
	require.EqualError(t, n.table().CreateBlackhole("10.0.0.0/8"), "TransitGatewayRouteLimitExceeded: The maximum number of transit gateway routes has been reached.")
	s := n.VPC("10.1.0.0/16").Subnet("10.1.0.0/24")
	n.Region.SetQuota(vpc.QuotaTransitGatewaysPerVPC, 0)
	_, err = n.g.Attach(tgw.AttachmentConfig{}, s.Subnet)
	require.EqualError(t, err, "TransitGatewaysPerVpcLimitExceeded: The maximum number of transit gateways per VPC has been reached.")
	n.Region.SetQuota(vpc.QuotaTransitGatewayAttachments, 0)
	_, err = n.g.Attach(tgw.AttachmentConfig{}, s.Subnet)
	require.EqualError(t, err, "TransitGatewayAttachmentLimitExceeded: The maximum number of transit gateway attachments has been reached.")
}

// text is a shape as JSON.
func text(t *testing.T, shape any) string {
	t.Helper()
	b, err := json.Marshal(shape)
	require.NoError(t, err)
	return string(b)
}

func TestDescribe(t *testing.T) {
	n := newNet(t, tgw.Config{Description: "the one"})
	a, b := n.branch("a", "10.1"), n.branch("b", "10.2")
	n.must(n.table().CreateBlackhole("10.9.0.0/16"), n.table().CreateRoute("10.2.0.0/16", b.attach), b.attach.Delete())
	id := func(r vpc.Resource) string { return `"` + r.ID() + `"` }
	t.Run("a gateway", func(t *testing.T) {
		require.JSONEq(t, `{"TransitGateways":[{"TransitGatewayId":`+id(n.g)+`,"TransitGatewayArn":"arn:aws:ec2:us-east-1:123456789012:transit-gateway/`+n.g.ID()+`",
			"State":"available","OwnerId":"123456789012","Description":"the one","CreationTime":"2026-01-01T00:00:00.000Z",
			"Options":{"AmazonSideAsn":64512,"AutoAcceptSharedAttachments":"disable","DefaultRouteTableAssociation":"enable","AssociationDefaultRouteTableId":`+id(n.table())+`,
			"DefaultRouteTablePropagation":"enable","PropagationDefaultRouteTableId":`+id(n.table())+`,"VpnEcmpSupport":"enable","DnsSupport":"enable",
			"SecurityGroupReferencingSupport":"disable","MulticastSupport":"disable"},"Tags":[{"Key":"Name","Value":"tgw"}]}]}`, text(t, tgw.Describe(n.Region)))
	})
	t.Run("its routes", func(t *testing.T) {
		to := func(x *branch) string {
			return `"TransitGatewayAttachments":[{"ResourceId":` + id(x.VPC) + `,"TransitGatewayAttachmentId":` + id(x.attach) + `,"ResourceType":"vpc"}],`
		}
		require.JSONEq(t, `{"Routes":[
			{"DestinationCidrBlock":"10.1.0.0/16",`+to(a)+`"Type":"propagated","State":"active"},
			{"DestinationCidrBlock":"10.2.0.0/16",`+to(b)+`"Type":"static","State":"blackhole"},
			{"DestinationCidrBlock":"10.9.0.0/16","Type":"static","State":"blackhole"}],"AdditionalRoutesAvailable":false}`, text(t, n.table().Search()))
	})
	t.Run("its tables, associations and propagations", func(t *testing.T) {
		require.JSONEq(t, `{"TransitGatewayRouteTables":[{"TransitGatewayRouteTableId":`+id(n.table())+`,"TransitGatewayId":`+id(n.g)+`,"State":"available",
			"DefaultAssociationRouteTable":true,"DefaultPropagationRouteTable":true,"CreationTime":"2026-01-01T00:00:00.000Z","Tags":[]}]}`, text(t, tgw.DescribeRouteTables(n.Region)))
		row := `{"TransitGatewayAttachmentId":` + id(a.attach) + `,"ResourceId":` + id(a.VPC) + `,"ResourceType":"vpc","State":`
		require.JSONEq(t, `{"Associations":[`+row+`"associated"}]}`, text(t, n.table().Associations()))
		require.JSONEq(t, `{"TransitGatewayRouteTablePropagations":[`+row+`"enabled"}]}`, text(t, n.table().Propagations()))
	})
	t.Run("attachments, deleted ones for two hours", func(t *testing.T) {
		list := tgw.DescribeVPCAttachments(n.Region).TransitGatewayVpcAttachments
		require.Len(t, list, 2)
		require.JSONEq(t, `{"TransitGatewayAttachmentId":`+id(a.attach)+`,"TransitGatewayId":`+id(n.g)+`,"VpcId":`+id(a.VPC)+`,"VpcOwnerId":"123456789012","State":"available",
			"SubnetIds":[`+id(a.door)+`],"CreationTime":"2026-01-01T00:00:00.000Z","Tags":[{"Key":"Name","Value":"a"}],
			"Options":{"DnsSupport":"enable","SecurityGroupReferencingSupport":"enable","Ipv6Support":"disable","ApplianceModeSupport":"disable"}}`, text(t, list[0]))
		require.EqualValues(t, "deleted", *list[1].State)
		both := tgw.DescribeAttachments(n.Region).TransitGatewayAttachments
		require.Len(t, both, 2)
		require.Equal(t, n.table().ID(), *both[0].Association.TransitGatewayRouteTableId)
		require.Nil(t, both[1].Association)
		n.Run(2 * time.Hour)
		require.Len(t, tgw.DescribeVPCAttachments(n.Region).TransitGatewayVpcAttachments, 1)
	})
	t.Run("the interface, as a lab has it", func(t *testing.T) {
		i := a.attach.Interfaces()[0]
		require.Equal(t, vpc.InterfaceTransitGateway, i.Type())
		require.False(t, i.SourceDestCheck())
		require.Contains(t, text(t, n.Region.DescribeNetworkInterfaces()), `"Description":"Network Interface for Transit Gateway Attachment `+a.attach.ID()+`"`)
	})
	t.Run("a VPC's route", func(t *testing.T) {
		require.Contains(t, text(t, a.subnet.RouteTable().Describe()), `"TransitGatewayId":`+id(n.g))
	})
}
