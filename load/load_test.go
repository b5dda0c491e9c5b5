package load_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/rds"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// file returns a file system with one file.
func file(name, text string) fstest.MapFS { return fstest.MapFS{name: {Data: []byte(text)}} }

// described is everything that is told of a network, as text.
func described(n *load.Network) string {
	var b strings.Builder
	for _, r := range n.Regions {
		for _, a := range load.Answers(r) {
			fmt.Fprintf(&b, "%s %s\n%s", r.Name(), a.Key, a.JSON)
		}
	}
	for _, s := range n.Skipped {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}

func TestEveryLayoutHoldsTheSameNetwork(t *testing.T) {
	s := newShop(t)
	want := described(loadFS(t, folder(s.region, "us-east-1")))
	one, paged := &strings.Builder{}, &strings.Builder{}
	for i, a := range load.Answers(s.region) {
		body := strings.TrimSuffix(strings.TrimPrefix(string(a.JSON), "{"), "}\n")
		if i > 0 {
			one.WriteString(",")
		}
		one.WriteString(body)
		paged.WriteString(string(a.JSON))
	}
	layouts := map[string]fstest.MapFS{
		"a flat folder":        folder(s.region, ""),
		"regions":              folder(s.region, "aws_configs/us-east-1"),
		"accounts and regions": folder(s.region, "accounts/123456789012/us-east-1"),
		"one file":             file("all.json", "{"+one.String()+"}"),
		"documents in a row":   file("pages.json", paged.String()),
		"a byte order mark":    file("all.json", "\ufeff{"+one.String()+"}"),
		"other names":          {},
	}
	for name, f := range folder(s.region, "us-east-1") {
		layouts["other names"]["us-east-1/x"+strings.ToLower(strings.ReplaceAll(name, "/", "-"))] = f
	}
	for name, files := range layouts {
		t.Run(name, func(t *testing.T) {
			n := loadFS(t, files)
			require.True(t, described(n) == want, "%s differs", name)
		})
	}
}

func TestLoadingIsDeterministic(t *testing.T) {
	dirs := []string{"testdata/shop"}
	labs(t, func(t *testing.T, _, dir string) {
		for _, dir := range append(dirs, dir) {
			a, b := got(load.Dir(dir, load.Config{})).or(t), got(load.Dir(dir, load.Config{})).or(t)
			require.True(t, described(a) == described(b))
		}
	})
}

func TestUnknownKeysAndEmptyListsAreNoError(t *testing.T) {
	loadFS(t, fstest.MapFS{
		"us-east-1/Vpcs.json": {Data: []byte(`{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "NewThing": {"a": [1]}}], "NextToken": "x", "ResponseMetadata": {}}`)},
		"us-east-1/none.json": {Data: []byte(`{"NatGateways": [], "Addresses": null}`)},
		"notes.txt":           {Data: []byte("no JSON")},
		"._Vpcs.json":         {Data: []byte("no JSON")},
		".git/x.json":         {Data: []byte("no JSON")},
	},
		"us-east-1/Vpcs.json: Vpcs[0]: no file holds the main route table of vpc-1: what a subnet without one of its own sends out of itself ends as not modelled",
		"us-east-1/Vpcs.json: Vpcs[0]: no file holds the default network ACL of vpc-1: it was made as AWS makes it",
		"us-east-1/Vpcs.json: Vpcs[0]: no file holds the default security group of vpc-1: it was made as AWS makes it",
	)
}

func TestErrorsNameFileAndPlace(t *testing.T) {
	for text, want := range map[string]string{
		`{"Vpcs": [{"VpcId": 7}]}`:                                    `load: f.json: Vpcs[0].VpcId: expected string, found number`,
		`{"Vpcs": [{"VpcId": "vpc-1"}, {"Tags": [{"Key": "a"}, 9]}]}`: `load: f.json: Vpcs[1].Tags[1]: expected ec2.Tag, found number`,
		`{"Vpcs": {"VpcId": "vpc-1"}}`:                                `load: f.json: Vpcs: expected a list`,
		`{"Vpcs": [{"VpcId": "vpc-1"`:                                 `load: f.json: Vpcs[0].VpcId: expected more JSON, the file ends`,
		`{"Vpcs": [{"VpcId": tru}]}`:                                  `load: f.json: Vpcs[0].VpcId: expected JSON: invalid character '}' in literal true (expecting 'e')`,
		`{"probes": []}`:                                              `load: .: expected files of describe-… answers, found none in its 1 JSON files (vpcsim collect prints the commands that make them)`,
	} {
		_, err := load.FS(file("f.json", text), load.Config{})
		require.EqualError(t, err, want, text)
	}
	_, err := load.Dir("testdata/none", load.Config{})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = load.Dir("load_test.go", load.Config{})
	require.EqualError(t, err, "load: load_test.go: expected a folder")
	empty := t.TempDir()
	_, err = load.Dir(empty, load.Config{})
	require.ErrorContains(t, err, "load: "+empty+": expected files of describe-… answers, found none in its 0 JSON files")
}

// One odd object does not make an account unreadable: it is told, and the rest stands.
func TestOddObjectsAreLeftOutAndTold(t *testing.T) {
	const vpcs = `{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}], "Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1a"}], `
	const acl = vpcs + `"NetworkAcls": [{"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": true, "Entries": [{"RuleNumber": %d, "Protocol": "-1", "CidrBlock": "0.0.0.0/0", "RuleAction": "allow"}, {"RuleNumber": 5, "Protocol": "-1", "CidrBlock": "0.0.0.0/0", "RuleAction": "allow"}]}]}`
	for text, want := range map[string]string{
		`{"Vpcs": [{"VpcId": "vpc-1"}]}`:                               `f.json: Vpcs[0].CidrBlock: "": expected an IPv4 CIDR, such as 10.0.0.0/16; vpc-1 is left out`,
		`{"Vpcs": [{"CidrBlock": "10.0.0.0/16"}]}`:                     `f.json: Vpcs[0].VpcId: "": expected an id`,
		`{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0/16"}]}`:     `f.json: Vpcs[0].CidrBlock: "10.0.0/16": expected an IPv4 CIDR, such as 10.0.0.0/16; vpc-1 is left out`,
		`{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "2001:db8::/56"}]}`: `f.json: Vpcs[0].CidrBlock: "2001:db8::/56": expected an IPv4 CIDR, such as 10.0.0.0/16; vpc-1 is left out`,
		vpcs + `"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1", "MacAddress": "02:00:00:00:00", "PrivateIpAddress": "10.0.0.9"}]}`:                  `f.json: NetworkInterfaces[0].MacAddress: "02:00:00:00:00": expected six octets, such as 0a:58:0a:00:00:05: an address is made up`,
		vpcs + `"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1", "PrivateIpAddress": "10.0.0.9"}]}`:                                                  `f.json: NetworkInterfaces[0].MacAddress: "": expected six octets, such as 0a:58:0a:00:00:05: an address is made up`,
		vpcs + `"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1", "MacAddress": "02:00:00:00:00:01", "PrivateIpAddress": "10.0.9.1"}]}`:               `f.json: NetworkInterfaces[0].PrivateIpAddress: "10.0.9.1": expected a free address of the subnet subnet-1; eni-1 is left out`,
		vpcs + `"Addresses": [{"PublicIp": "192.0.2.1", "Domain": "standard"}]}`:                                                                                                  `f.json: Addresses[0].AllocationId: "": expected an id`,
		vpcs + `"SecurityGroups": [{"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissions": [{"IpProtocol": "tcpx"}]}]}`:                                                            `f.json: SecurityGroups[0].IpPermissions[0].IpProtocol: "tcpx": expected a protocol: -1 to 255, tcp, udp, icmp or icmpv6: what only this rule may allow ends as not modelled`,
		vpcs + `"SecurityGroups": [{"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissions": [{"IpProtocol": "6", "FromPort": 9, "ToPort": 1, "IpRanges": [{"CidrIp": "::/0"}]}]}]}`: `f.json: SecurityGroups[0].IpPermissions[0].FromPort: "9-1": expected a range of ports, or an ICMP type and code: what only this rule may allow ends as not modelled`,
		fmt.Sprintf(acl, 0): `f.json: NetworkAcls[0].Entries[0].RuleNumber: "0": expected a rule with a number of 1 to 32766 and a range of ports, or an ICMP type and code: every packet that this rule would look at ends as not modelled`,
		fmt.Sprintf(acl, 5): `f.json: NetworkAcls[0].Entries: "5": expected numbers that differ: the first of the two is in force`,
		vpcs + `"RouteTables": [{"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": [{"DestinationCidrBlock": "0.0.0.0/0"}]}]}`: `f.json: RouteTables[0].Routes[0].GatewayId: "": expected a target: what takes this route ends as not modelled`,
	} {
		n, err := load.FS(file("f.json", text), load.Config{})
		require.NoError(t, err, text)
		var told []string
		for _, s := range n.Skipped {
			if !strings.Contains(s.Reason, " of vpc-1: ") {
				told = append(told, s.String())
			}
		}
		require.Equal(t, []string{want}, told, text)
		require.NotNil(t, n.World.Live(n.Regions[0]).Snapshot())
	}
}

// What was left out is found by what it is called, with the reason.
func TestWhatWasLeftOutIsFoundByItsNames(t *testing.T) {
	n, err := load.FS(file("f.json", `{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}], "NetworkInterfaces": [
		{"NetworkInterfaceId": "eni-6", "SubnetId": "subnet-6", "PrivateIpAddress": "10.0.0.9", "Ipv6Addresses": [{"Ipv6Address": "2001:db8::5"}], "TagSet": [{"Key": "Name", "Value": "six"}]}]}`), load.Config{})
	require.NoError(t, err)
	for _, name := range []string{"eni-6", "six", "10.0.0.9", "2001:DB8::5"} {
		s, ok := n.LeftOut(name)
		require.True(t, ok, name)
		require.Equal(t, "f.json: NetworkInterfaces[0].SubnetId: no file holds subnet-6; eni-6 is left out", s.String())
	}
	_, ok := n.LeftOut("vpc-1")
	require.False(t, ok)
}

// What is missing is told; what leads there is unknown, and never delivery.
func TestWhatIsMissingIsTold(t *testing.T) {
	s := newShop(t)
	files := folder(s.region, "us-east-1")
	for _, gone := range []string{
		"NatGateways", "Reservations", "DhcpOptions", "Addresses", "VpcPeeringConnections", "VpcEndpoints", "TransitGatewayVpcAttachments", "VpnGateways",
		"PrefixLists", "NetworkAcls", "LoadBalancers", "EgressOnlyInternetGateways",
	} {
		require.Contains(t, files, "us-east-1/"+gone+".json")
		delete(files, "us-east-1/"+gone+".json")
	}
	n, err := load.FS(files, load.Config{})
	require.NoError(t, err)
	var list []string
	for _, s := range n.Skipped {
		list = append(list, s.String())
	}
	golden := "testdata/missing.txt"
	text := strings.Join(list, "\n") + "\n"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(text), 0o644))
	}
	require.Equal(t, string(got(os.ReadFile(golden)).or(t)), text)

	target := n.Regions[0].Find(s.nat.ID())
	require.IsType(t, &vpc.UnknownGateway{}, target)
	web := n.Find("10.0.10.5")[0].(*vpc.NetworkInterface)
	log := n.World.Trace()
	ping(t, n, web, "192.0.2.1")
	walks := log.Walks()
	require.Equal(t, trace.Unmodelled, walks[len(walks)-1].Reason)
}

func TestFindKnowsResourcesByWhatPeopleCallThem(t *testing.T) {
	n := loadFS(t, folder(newShop(t).region, ""))
	for name, want := range map[string][]string{
		"web-1": {"eni", "i"}, "10.0.10.5": {"eni"}, "203.0.113.3": {"eni"}, "2001:db8:1:1::17": {"eni"}, "2001:DB8:1:1:0::17": {"eni"},
		"shop": {"igw", "tgw-attach", "vpc"}, "front": {"arn:aws:elasticloadbalancing:us"}, "nobody": nil,
	} {
		var kinds []string
		for _, x := range n.Find(name) {
			kind := x.ID()[:strings.LastIndex(x.ID(), "-")]
			kinds = append(kinds, kind)
			require.Equal(t, []vpc.Resource{x}, n.Find(x.ID()))
		}
		if name == "front" {
			require.Len(t, kinds, 1)
			continue
		}
		require.Equal(t, want, kinds, name)
	}
	at, ok := n.Source(n.Find("desks")[0].ID())
	require.True(t, ok)
	require.Equal(t, "Subnets.json", at.File)
	require.Regexp(t, `^Subnets\[\d\]$`, at.Path)
	_, ok = n.Source("vpc-0")
	require.False(t, ok)
}

// Two accounts see a shared subnet; the owner sees its tags. Each has names of its own
// for the zones.
func TestAccountsAreMergedByIdAndZonesByTheirs(t *testing.T) {
	const zones = `{"AvailabilityZones": [{"ZoneName": "us-east-1a", "ZoneId": "use1-az%d", "RegionName": "us-east-1"}, {"ZoneName": "us-east-1b", "ZoneId": "use1-az%d", "RegionName": "us-east-1"}]}`
	const vpcs = `{"Vpcs": [{"VpcId": "vpc-1", "OwnerId": "222222222222", "CidrBlock": "10.0.0.0/16"%s}],
		"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "OwnerId": "222222222222", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1%s"%s}]}`
	const tags = `, "Tags": [{"Key": "Name", "Value": "shared"}]`
	n, err := load.FS(fstest.MapFS{
		"accounts/111111111111/us-east-1/z.json": {Data: fmt.Appendf(nil, zones, 1, 2)},
		"accounts/111111111111/us-east-1/v.json": {Data: fmt.Appendf(nil, vpcs, "", "a", `, "AvailabilityZoneId": "use1-az1"`)},
		"accounts/222222222222/us-east-1/z.json": {Data: fmt.Appendf(nil, zones, 2, 1)},
		"accounts/222222222222/us-east-1/v.json": {Data: fmt.Appendf(nil, vpcs, tags, "b", tags)},
		"accounts/222222222222/us-east-1/n.json": {Data: []byte(`{"VpnGateways": [{"VpnGatewayId": "vgw-1", "VpcAttachments": []}]}`)},
	}, load.Config{})
	require.NoError(t, err)
	require.Len(t, n.Regions, 1)
	r := n.Regions[0]
	require.Len(t, n.Find("shared"), 2)
	sub := r.Find("subnet-1").(*vpc.Subnet)
	require.Equal(t, "222222222222", sub.OwnerID())
	require.Equal(t, "use1-az1", r.ZoneID(sub.Zone()), "the owner calls it us-east-1b, the first account us-east-1a")
	require.Equal(t, "us-east-1b", *r.DescribeSubnets().Subnets[0].AvailabilityZone)
	require.Equal(t, "222222222222", r.Find("vgw-1").(interface{ OwnerID() string }).OwnerID(), "no shape tells it, the path does")
	source, _ := n.Source("subnet-1")
	require.Equal(t, "accounts/222222222222/us-east-1/v.json", source.File)
}

// A peering connection between regions is one connection, known in both.
func TestAPeeringBetweenRegionsIsKnownInBoth(t *testing.T) {
	const side = `{"VpcId": "vpc-%d", "OwnerId": "111111111111", "Region": "%s", "CidrBlock": "10.%d.0.0/16", "CidrBlockSet": [{"CidrBlock": "10.%d.0.0/16"}]}`
	east, west := fmt.Sprintf(side, 1, "us-east-1", 1, 1), fmt.Sprintf(side, 2, "us-west-2", 2, 2)
	pcx := fmt.Sprintf(`"VpcPeeringConnections": [{"VpcPeeringConnectionId": "pcx-1", "Status": {"Code": "active", "Message": "Active"}, "RequesterVpcInfo": %s, "AccepterVpcInfo": %s}]`, east, west)
	n, err := load.FS(fstest.MapFS{
		"us-east-1/a.json": {Data: []byte(`{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.1.0.0/16"}], ` + pcx + `}`)},
		"us-west-2/a.json": {Data: []byte(`{"Vpcs": [{"VpcId": "vpc-2", "CidrBlock": "10.2.0.0/16"}], ` + pcx + `}`)},
	}, load.Config{})
	require.NoError(t, err)
	require.Equal(t, []string{"us-east-1", "us-west-2"}, []string{n.Regions[0].Name(), n.Regions[1].Name()})
	require.Same(t, n.Regions[1], n.Region("us-west-2"))
	require.Nil(t, n.Region("eu-west-1"))
	for _, r := range n.Regions {
		p := r.Find("pcx-1").(*peering.Connection)
		require.Equal(t, peering.Active, p.State())
		require.NotNil(t, p.Accepter())
		require.NotNil(t, p.Requester())
	}
}

// Answers that name nothing are known by their files' names.
func TestAnswersWithoutAKeyOfTheirOwn(t *testing.T) {
	s := newShop(t)
	whole := loadFS(t, folder(s.region, "us-east-1"))
	files := folder(s.region, "us-east-1")
	for key, inner := range map[string]string{"PrefixListEntries": "Entries", "TransitGatewayPropagations": "TransitGatewayRouteTablePropagations", "TransitGatewayStaticRoutes": "Routes"} {
		list := document(t, files["us-east-1/"+key+".json"].Data).(map[string]any)[key].([]any)
		delete(files, "us-east-1/"+key+".json")
		for _, x := range list {
			m := x.(map[string]any)
			id, _ := m["PrefixListId"].(string)
			if id == "" {
				id = m["TransitGatewayRouteTableId"].(string)
			}
			text := got(json.Marshal(map[string]any{inner: m[inner]})).or(t)
			files["us-east-1/"+strings.ToLower(key)+"-"+id+".json"] = &fstest.MapFile{Data: text}
		}
	}
	attributes := document(t, files["us-east-1/VpcAttributes.json"].Data).(map[string]any)["VpcAttributes"].([]any)
	delete(files, "us-east-1/VpcAttributes.json")
	for _, x := range attributes {
		m := x.(map[string]any)
		for _, name := range []string{"EnableDnsSupport", "EnableDnsHostnames"} {
			text := got(json.Marshal(map[string]any{"VpcId": m["VpcId"], name: m[name]})).or(t)
			files[fmt.Sprintf("us-east-1/%s-%s.json", m["VpcId"], name)] = &fstest.MapFile{Data: text}
		}
	}
	require.True(t, described(whole) == described(loadFS(t, files)))
	_, err := load.FS(file("entries-pl-0a1.json", `{"Entries": [{"Cidr": 5}]}`), load.Config{})
	require.EqualError(t, err, "load: entries-pl-0a1.json: Entries[0].Cidr: expected string, found number")
	_, err = load.FS(file("a.json", `{"VpcId": [], "EnableDnsSupport": {}}`), load.Config{})
	require.EqualError(t, err, "load: a.json: VpcId: expected string, found array")
}

func TestNamesInTestsAreThoseOfTheFolder(t *testing.T) {
	n := got(load.Dir("testdata/shop", load.Config{})).or(t)
	require.Empty(t, n.Skipped)
	require.NotEmpty(t, slices.Sorted(maps.Keys(folder(n.Regions[0], ""))))
}

// The RDS API does not tell an instance's interface: one that may be two instances' is
// neither's.
func TestDatabasesAreKnownByTheirInterfaces(t *testing.T) {
	const nic = `{"NetworkInterfaceId": "eni-%d", "SubnetId": "subnet-1", "MacAddress": "02:00:00:00:00:0%d", "PrivateIpAddress": "10.0.0.1%d", "InterfaceType": "interface",
		"Description": "RDSNetworkInterface", "RequesterId": "amazon-rds", "RequesterManaged": true, "Groups": [{"GroupId": "sg-%d"}]}`
	const db = `{"DBInstanceIdentifier": "db-%d", "DBInstanceArn": "arn:aws:rds:us-east-1:123456789012:db:db-%d", "AvailabilityZone": "us-east-1a",
		"DBSubnetGroup": {"Subnets": [{"SubnetIdentifier": "subnet-1"}]}, "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-%d"}]}`
	n, err := load.FS(file("all.json", `{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}],
		"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1a"}],
		"SecurityGroups": [{"GroupId": "sg-1", "GroupName": "default", "VpcId": "vpc-1"}, {"GroupId": "sg-2", "GroupName": "two", "VpcId": "vpc-1"}],
		"NetworkInterfaces": [`+fmt.Sprintf(nic, 1, 1, 1, 1)+","+fmt.Sprintf(nic, 2, 2, 2, 2)+","+fmt.Sprintf(nic, 3, 3, 3, 2)+`],
		"DBInstances": [`+fmt.Sprintf(db, 1, 1, 1)+","+fmt.Sprintf(db, 2, 2, 2)+`]}`), load.Config{})
	require.NoError(t, err)
	one := n.Find("db-1")
	require.Len(t, one, 1)
	require.Equal(t, "eni-1", one[0].(*rds.DBInstance).Interface().ID())
	require.Empty(t, n.Find("db-2"))
	var told []string
	for _, s := range n.Skipped {
		told = append(told, s.String())
	}
	require.Contains(t, told, `all.json: DBInstances[1].DBSubnetGroup: "db-2": expected one interface of RDS that is this instance's alone; it is left out`)
}
