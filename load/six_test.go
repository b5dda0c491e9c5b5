package load_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/reach"
)

// sixAlone is the network of two with a third subnet, with IPv6 alone, and an instance in it;
// the VPC has an internet gateway, and the second instance an IPv6 address too.
func sixAlone() map[string]string {
	a := two()
	a["Vpcs"] = `{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "Ipv6CidrBlockAssociationSet": [{"AssociationId": "vpc-cidr-assoc-1", "Ipv6CidrBlock": "2001:db8::/56", "Ipv6CidrBlockState": {"State": "associated"}}]}`
	six := func(n string) string {
		return `"Ipv6CidrBlockAssociationSet": [{"AssociationId": "subnet-cidr-assoc-` + n + `", "Ipv6CidrBlock": "2001:db8:0:` + n + `::/64", "Ipv6CidrBlockState": {"State": "associated"}}]`
	}
	a["Subnets"] = strings.Replace(a["Subnets"], `"10.0.2.0/24",`, `"10.0.2.0/24", `+six("2")+`,`, 1) +
		`,{"SubnetId": "subnet-3", "VpcId": "vpc-1", "AvailabilityZone": "us-east-1a", "Ipv6Native": true, "AssignIpv6AddressOnCreation": true, ` + six("3") + `}`
	a["NetworkInterfaces"] = strings.Replace(a["NetworkInterfaces"], `"10.0.2.9",`, `"10.0.2.9", "Ipv6Addresses": [{"Ipv6Address": "2001:db8:0:2::9"}],`, 1) +
		`,{"NetworkInterfaceId": "eni-3", "SubnetId": "subnet-3", "VpcId": "vpc-1", "MacAddress": "02:00:00:00:00:03", "Ipv6Native": true, "Ipv6Address": "2001:db8:0:3::9", "Ipv6Addresses": [{"Ipv6Address": "2001:db8:0:3::9"}],
			"TagSet": [{"Key": "Name", "Value": "six"}], "Groups": [{"GroupId": "sg-3", "GroupName": "three"}], "Attachment": {"AttachmentId": "eni-attach-3", "InstanceId": "i-3", "Status": "attached", "DeviceIndex": 0}}`
	a["Reservations"] += `,{"ReservationId": "r-3", "Instances": [{"InstanceId": "i-3", "SubnetId": "subnet-3", "VpcId": "vpc-1", "State": {"Name": "running"}}]}`
	const all = `[{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]`
	a["SecurityGroups"] = strings.ReplaceAll(a["SecurityGroups"], `"IpRanges"`, `"Ipv6Ranges": [{"CidrIpv6": "::/0"}], "IpRanges"`) +
		`,{"GroupId": "sg-3", "GroupName": "three", "VpcId": "vpc-1", "IpPermissions": ` + all + `, "IpPermissionsEgress": ` + all + `}`
	a["NetworkAcls"] = strings.Replace(strings.Replace(a["NetworkAcls"], `{"SubnetId": "subnet-2"}`, `{"SubnetId": "subnet-2"}, {"SubnetId": "subnet-3"}`, 1), `"Entries": [`,
		`"Entries": [{"RuleNumber": 101, "Protocol": "-1", "Ipv6CidrBlock": "::/0", "RuleAction": "allow", "Egress": false}, {"RuleNumber": 101, "Protocol": "-1", "Ipv6CidrBlock": "::/0", "RuleAction": "allow", "Egress": true}, `, 1)
	a["RouteTables"] = strings.Replace(a["RouteTables"], `"Routes": [`, `"Routes": [{"DestinationIpv6CidrBlock": "::/0", "GatewayId": "igw-1", "State": "active"}, {"DestinationIpv6CidrBlock": "2001:db8::/56", "GatewayId": "local", "State": "active"}, `, 1)
	a["InternetGateways"] = `{"InternetGatewayId": "igw-1", "Attachments": [{"VpcId": "vpc-1", "State": "available"}]}`
	return a
}

// A subnet with IPv6 alone has no IPv4 address, and its instances reach others, and the
// internet, by IPv6 (VPC guide, "Subnet types").
func TestASubnetWithIPv6AloneIsLoaded(t *testing.T) {
	files := fstest.MapFS{}
	for key, list := range sixAlone() {
		files["us-east-1/"+key+".json"] = &fstest.MapFile{Data: []byte(`{"` + key + `": [` + list + `]}`)}
	}
	n, err := load.FS(files, load.Config{})
	require.NoError(t, err)
	for _, s := range n.Skipped {
		require.Contains(t, s.Reason, "default security group")
	}
	p := got(reach.New(n.World, reach.Config{})).or(t)
	for _, c := range []struct{ from, to, want string }{
		{"six", "2001:db8:0:2::9", "yes"}, {"2001:db8:0:2::9", "six", "yes"}, {"six", "2001:4860:4860::8888", "yes"}, {"2001:4860:4860::8888", "2001:db8:0:3::9", "yes"},
		{"2001:db8:0:2::9", "2001:db8:0:3::a", "no"}, {"six", "10.0.2.9", "unknown"}, {"10.0.2.9", "2001:db8:0:3::9", "yes"}, {"10.0.1.9", "2001:db8:0:3::9", "unknown"},
	} {
		r := p.Ask(reach.Spec{From: c.from, To: c.to, Proto: "tcp", Port: 443})
		require.Equal(t, c.want, word(r), "%s -> %s: %s %s", c.from, c.to, r.Reason, r.Unknown)
	}
	for _, s := range n.Regions[0].DescribeSubnets().Subnets {
		require.Equal(t, *s.SubnetId == "subnet-3", *s.Ipv6Native)
		require.Equal(t, *s.SubnetId == "subnet-3", s.CidrBlock == nil)
	}
	again := fstest.MapFS{}
	for _, a := range load.Answers(n.Regions[0]) {
		require.True(t, json.Valid(a.JSON))
		again["us-east-1/"+a.Key+".json"] = &fstest.MapFile{Data: a.JSON}
	}
	twice, err := load.FS(again, load.Config{})
	require.NoError(t, err)
	require.Equal(t, load.Answers(n.Regions[0]), load.Answers(twice.Regions[0]))
}
