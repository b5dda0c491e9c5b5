package awscli_test

import "github.com/vpcsim/vpcsim/ec2"

// The routes of S002, in its order.
var (
	source = []ec2.Route{
		{DestinationCidrBlock: new("10.0.1.0/24"), NatGatewayId: new("nat-0c1f7e0a5b2d94e63"), Origin: new(ec2.RouteOriginCreateRoute), State: new(ec2.RouteStateActive)},
		local("10.0.0.0/16"),
		internet,
	}
	destination = []ec2.Route{local("10.0.0.0/16"), internet}
	natSubnet   = []ec2.Route{local("10.0.0.0/16")}

	internet = ec2.Route{
		DestinationCidrBlock: new("0.0.0.0/0"),
		GatewayId:            new("igw-0f9a3c5d7e1b24680"),
		Origin:               new(ec2.RouteOriginCreateRoute),
		State:                new(ec2.RouteStateActive),
	}
)

func local(cidr string) ec2.Route {
	return ec2.Route{
		DestinationCidrBlock: &cidr,
		GatewayId:            new("local"),
		Origin:               new(ec2.RouteOriginCreateRouteTable),
		State:                new(ec2.RouteStateActive),
	}
}

func s002(routes []ec2.Route) *ec2.DescribeRouteTablesResult {
	return &ec2.DescribeRouteTablesResult{RouteTables: []ec2.RouteTable{{Routes: routes, RouteTableId: new("rtb-0a1b2c3d4e5f60718")}}}
}

// aws-behaviour 5.6: a private gateway has neither AllocationId nor PublicIp.
var privateNATGateway = &ec2.DescribeNatGatewaysResult{NatGateways: []ec2.NatGateway{{
	ConnectivityType:    new(ec2.ConnectivityTypePrivate),
	CreateTime:          new(ec2.Timestamp("2021-06-20T14:10:02.000Z")),
	NatGatewayAddresses: []ec2.NatGatewayAddress{{NetworkInterfaceId: new("eni-0d4e5f60718a1b2c3"), PrivateIp: new("10.0.2.149")}},
	NatGatewayId:        new("nat-0c1f7e0a5b2d94e63"),
	State:               new(ec2.NatGatewayStateAvailable),
	SubnetId:            new("subnet-0718a1b2c3d4e5f60"),
	VpcId:               new("vpc-05f60718a1b2c3d4e"),
}}}

var routeTables = &ec2.DescribeRouteTablesResult{RouteTables: []ec2.RouteTable{
	{
		Associations: []ec2.RouteTableAssociation{{
			Main:                    new(true),
			RouteTableAssociationId: new("rtbassoc-0718a1b2c3d4e5f60"),
			RouteTableId:            new("rtb-0a1b2c3d4e5f60718"),
			AssociationState:        &ec2.RouteTableAssociationState{State: new(ec2.RouteTableAssociationStateCodeAssociated)},
		}},
		PropagatingVgws: []ec2.PropagatingVgw{},
		RouteTableId:    new("rtb-0a1b2c3d4e5f60718"),
		Routes:          source,
		Tags:            []ec2.Tag{{Key: new("Name"), Value: new("東京 → \"大阪\"")}, {Key: new("é"), Value: new("")}},
		VpcId:           new("vpc-05f60718a1b2c3d4e"),
		OwnerId:         new("123456789012"),
	},
	{
		Associations:    []ec2.RouteTableAssociation{},
		PropagatingVgws: []ec2.PropagatingVgw{{GatewayId: new("vgw-1")}},
		RouteTableId:    new("rtb-1"),
		Routes:          natSubnet,
		Tags:            []ec2.Tag{},
		VpcId:           new("vpc-05f60718a1b2c3d4e"),
		OwnerId:         new("123456789012"),
	},
}}

var securityGroups = &ec2.DescribeSecurityGroupsResult{SecurityGroups: []ec2.SecurityGroup{{
	Description: new("a <group> & its \"rules\""),
	GroupName:   new("web"),
	GroupId:     new("sg-1"),
	OwnerId:     new("123456789012"),
	VpcId:       new("vpc-1"),
	IpPermissions: []ec2.IpPermission{
		{
			FromPort: new(int32(80)), ToPort: new(int32(443)), IpProtocol: new("tcp"),
			IpRanges:   []ec2.IpRange{{CidrIp: new("10.0.0.0/24"), Description: new("clients")}, {CidrIp: new("10.0.2.149/32")}},
			Ipv6Ranges: []ec2.Ipv6Range{}, PrefixListIds: []ec2.PrefixListId{}, UserIdGroupPairs: []ec2.UserIdGroupPair{},
		},
		{
			IpProtocol: new("-1"), IpRanges: []ec2.IpRange{}, Ipv6Ranges: []ec2.Ipv6Range{{CidrIpv6: new("::/0")}}, PrefixListIds: []ec2.PrefixListId{},
			UserIdGroupPairs: []ec2.UserIdGroupPair{{GroupId: new("sg-1"), UserId: new("123456789012")}},
		},
	},
	IpPermissionsEgress: []ec2.IpPermission{},
}}}

var instances = &ec2.DescribeInstancesResult{Reservations: []ec2.Reservation{{
	ReservationId: new("r-1"),
	OwnerId:       new("123456789012"),
	Groups:        []ec2.GroupIdentifier{},
	Instances: []ec2.Instance{{
		InstanceId:       new("i-1"),
		ImageId:          new("ami-1"),
		InstanceType:     new(ec2.InstanceType("t3.micro")),
		LaunchTime:       new(ec2.Timestamp("2021-06-20T14:10:02.000Z")),
		AmiLaunchIndex:   new(int32(0)),
		SourceDestCheck:  new(false),
		EbsOptimized:     new(true),
		PrivateDnsName:   new("ip-10-0-1-55.ap-northeast-3.compute.internal"),
		PrivateIpAddress: new("10.0.1.55"),
		PublicDnsName:    new(""),
		State:            &ec2.InstanceState{Code: new(int32(16)), Name: new(ec2.InstanceStateNameRunning)},
		Placement:        &ec2.Placement{AvailabilityZone: new("ap-northeast-3a"), GroupName: new(""), Tenancy: new(ec2.TenancyDefault)},
		Monitoring:       &ec2.Monitoring{State: new(ec2.MonitoringStateDisabled)},
		SecurityGroups:   []ec2.GroupIdentifier{{GroupId: new("sg-1"), GroupName: new("web")}},
		NetworkInterfaces: []ec2.InstanceNetworkInterface{{
			NetworkInterfaceId: new("eni-1"), Status: new(ec2.NetworkInterfaceStatusInUse), SourceDestCheck: new(false),
			Attachment:         &ec2.InstanceNetworkInterfaceAttachment{AttachmentId: new("eni-attach-1"), DeviceIndex: new(int32(0)), DeleteOnTermination: new(true)},
			PrivateIpAddresses: []ec2.InstancePrivateIpAddress{{Primary: new(true), PrivateIpAddress: new("10.0.1.55")}},
			Ipv6Addresses:      []ec2.InstanceIpv6Address{},
		}},
	}},
}}}

var vpcAttribute = &ec2.DescribeVpcAttributeResult{VpcId: new("vpc-1"), EnableDnsSupport: &ec2.AttributeBooleanValue{Value: new(true)}}

var endpointServices = &ec2.DescribeVpcEndpointServicesResult{
	ServiceNames: []string{"com.amazonaws.ap-northeast-3.s3"},
	ServiceDetails: []ec2.ServiceDetail{{
		ServiceName: new("com.amazonaws.ap-northeast-3.s3"),
		ServiceType: []ec2.ServiceTypeDetail{{ServiceType: new(ec2.ServiceTypeGateway)}},
		Owner:       new("amazon"),
	}},
}

var transitGatewayRoutes = &ec2.SearchTransitGatewayRoutesResult{
	Routes: []ec2.TransitGatewayRoute{{
		DestinationCidrBlock: new("10.64.0.0/24"),
		Type:                 new(ec2.TransitGatewayRouteTypeStatic),
		State:                new(ec2.TransitGatewayRouteStateActive),
		TransitGatewayAttachments: []ec2.TransitGatewayRouteAttachment{{
			ResourceId: new("vpc-2"), ResourceType: new(ec2.TransitGatewayAttachmentResourceTypeVpc), TransitGatewayAttachmentId: new("tgw-attach-2"),
		}},
	}},
	AdditionalRoutesAvailable: new(false),
}
