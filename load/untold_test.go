package load_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/reach"
)

// two is a VPC with two subnets, an instance in each, and a way to the internet; each
// answer is a text, to be left out or replaced.
func two() map[string]string {
	instance := func(n int) string {
		return fmt.Sprintf(`{"ReservationId": "r-%d", "Instances": [{"InstanceId": "i-%d", "SubnetId": "subnet-%d", "VpcId": "vpc-1", "State": {"Name": "running"}}]}`, n, n, n)
	}
	nic := func(n int) string {
		return fmt.Sprintf(`{"NetworkInterfaceId": "eni-%d", "SubnetId": "subnet-%d", "VpcId": "vpc-1", "MacAddress": "02:00:00:00:00:0%d", "PrivateIpAddress": "10.0.%d.9",
			"Groups": [{"GroupId": "sg-%d", "GroupName": "g"}], "Attachment": {"AttachmentId": "eni-attach-%d", "InstanceId": "i-%d", "Status": "attached", "DeviceIndex": 0}}`, n, n, n, n, n, n, n)
	}
	subnet := func(n int) string {
		return fmt.Sprintf(`{"SubnetId": "subnet-%d", "VpcId": "vpc-1", "CidrBlock": "10.0.%d.0/24", "AvailabilityZone": "us-east-1a"}`, n, n)
	}
	const all = `[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]`
	return map[string]string{
		"Vpcs": `{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}`, "Subnets": subnet(1) + "," + subnet(2),
		"NetworkInterfaces": nic(1) + "," + nic(2), "Reservations": instance(1) + "," + instance(2),
		"SecurityGroups": `{"GroupId": "sg-1", "GroupName": "one", "VpcId": "vpc-1", "IpPermissions": ` + all + `, "IpPermissionsEgress": ` + all + `},
			{"GroupId": "sg-2", "GroupName": "two", "VpcId": "vpc-1", "IpPermissions": ` + all + `, "IpPermissionsEgress": ` + all + `}`,
		"NetworkAcls": `{"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": true, "Associations": [{"SubnetId": "subnet-1"}, {"SubnetId": "subnet-2"}], "Entries": [
			{"RuleNumber": 100, "Protocol": "-1", "CidrBlock": "0.0.0.0/0", "RuleAction": "allow", "Egress": false}, {"RuleNumber": 100, "Protocol": "-1", "CidrBlock": "0.0.0.0/0", "RuleAction": "allow", "Egress": true}]}`,
		"RouteTables": `{"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": true}], "Routes": [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}]}`,
	}
}

// asked asks whether 10.0.1.9 reaches an address by a TCP port in a network of the
// answers.
func asked(t *testing.T, answers map[string]string, to string, port int) reach.Result {
	t.Helper()
	files := fstest.MapFS{}
	for key, list := range answers {
		files["us-east-1/"+key+".json"] = &fstest.MapFile{Data: fmt.Appendf(nil, `{%q: [%s]}`, key, list)}
	}
	n, err := load.FS(files, load.Config{})
	require.NoError(t, err)
	return got(reach.New(n.World, reach.Config{})).or(t).Ask(reach.Spec{From: "10.0.1.9", To: to, Proto: "tcp", Port: port})
}

// What a kind of answer, or one object, lacks is named in the answer to a question that
// hangs on it.
func TestWhatIsNotInTheSnapshotIsNamed(t *testing.T) {
	const there = "10.0.2.9"
	require.Equal(t, "yes", word(asked(t, two(), there, 22)))
	for name, c := range map[string]struct {
		edit func(map[string]string)
		to   string
		want string
	}{
		"no groups": {func(a map[string]string) { delete(a, "SecurityGroups") }, there, "sg-1: not in the snapshot (no SecurityGroups)"},
		"a group":   {func(a map[string]string) { a["SecurityGroups"] = strings.Split(a["SecurityGroups"], ",\n\t\t\t")[0] }, there, "sg-2: not in the snapshot"},
		"no ACLs":   {func(a map[string]string) { delete(a, "NetworkAcls") }, there, "subnet-1: its network ACL is not in the snapshot (no NetworkAcls)"},
		"an ACL": {func(a map[string]string) {
			a["NetworkAcls"] = strings.Replace(a["NetworkAcls"], `, {"SubnetId": "subnet-2"}`, "", 1)
		}, there, "subnet-2: its network ACL is not in the snapshot"},
		"no tables":         {func(a map[string]string) { delete(a, "RouteTables") }, there, "vpc-1: its main route table is not in the snapshot (no RouteTables)"},
		"no instances":      {func(a map[string]string) { delete(a, "Reservations") }, there, "i-1: not in the snapshot (no Reservations): whether it runs"},
		"no interfaces":     {func(a map[string]string) { delete(a, "NetworkInterfaces") }, there, "10.0.1.9: no interface of the network has the address, and nobody on the internet"},
		"a subnet":          {func(a map[string]string) { a["Subnets"] = strings.Split(a["Subnets"], ",{")[0] }, there, "eni-2: not in the network: no file holds subnet-2; eni-2 is left out"},
		"an unread rule":    {func(a map[string]string) { a["NetworkAcls"] = strings.Replace(a["NetworkAcls"], `"-1"`, `"x"`, 1) }, there, `acl-1: its rule 100 can't be read: Protocol "x"`},
		"an answer cut off": {func(a map[string]string) { a["NetworkAcls"] = `], "NextToken": "t", "ResponseMetadata": [` }, there, "subnet-1: its network ACL is not in the snapshot (not all of NetworkAcls)"},
		"a group's protocol": {func(a map[string]string) {
			a["SecurityGroups"] = strings.Replace(a["SecurityGroups"], `"IpPermissionsEgress": [{"IpProtocol": "-1"`, `"IpPermissionsEgress": [{"IpProtocol": "x"`, 1)
		}, there, `sg-1: IpPermissionsEgress[0].IpProtocol "x": expected a protocol: -1 to 255, tcp, udp, icmp or icmpv6`},
	} {
		t.Run(name, func(t *testing.T) {
			a := two()
			c.edit(a)
			r := asked(t, a, c.to, 22)
			require.Equal(t, c.want, r.Unknown)
			require.Nil(t, r.RoundTrip)
			require.False(t, r.Delivered)
			require.Equal(t, reach.Unknown, r.Observed)
		})
	}
}

// A virtual private gateway may know more prefixes by connections that no file holds.
func TestPrefixesOfConnectionsThatNoFileHoldsAreUnknown(t *testing.T) {
	a := two()
	a["VpnGateways"] = `{"VpnGatewayId": "vgw-1", "State": "available", "VpcAttachments": [{"VpcId": "vpc-1", "State": "attached"}]}`
	a["RouteTables"] = strings.Replace(a["RouteTables"], `"Routes": [`, `"Routes": [{"DestinationCidrBlock": "192.168.0.0/16", "GatewayId": "vgw-1", "Origin": "CreateRoute", "State": "active"}, `, 1)
	require.Equal(t, "vgw-1: its VPN connections are not in the snapshot (no VpnConnections)", asked(t, a, "192.168.0.9", 22).Unknown)
	a["VpnConnections"] = ""
	require.Equal(t, "gateway knows no prefix that holds the destination", asked(t, a, "192.168.0.9", 22).Reason, "an empty list is a fact")
}

// What dies whatever the missing part says is dead, and what another rule allows passes.
func TestWhatDoesNotHangOnTheMissingPartIsDecided(t *testing.T) {
	a := two()
	delete(a, "NetworkAcls")
	a["SecurityGroups"] = strings.Replace(a["SecurityGroups"], `{"GroupId": "sg-2", "GroupName": "two", "VpcId": "vpc-1", "IpPermissions": [{"IpProtocol": "-1"`,
		`{"GroupId": "sg-2", "GroupName": "two", "VpcId": "vpc-1", "IpPermissions": [{"IpProtocol": "udp", "FromPort": 53, "ToPort": 53`, 1)
	r := asked(t, a, "10.0.2.9", 22)
	require.Equal(t, "no", word(r))
	require.Equal(t, "no security group ingress rule allows it", r.Reason)
	a = two()
	a["NetworkInterfaces"] = strings.Replace(a["NetworkInterfaces"], `"Groups": [{"GroupId": "sg-2"`, `"Groups": [{"GroupId": "sg-9"}, {"GroupId": "sg-2"`, 1)
	require.Equal(t, "yes", word(asked(t, a, "10.0.2.9", 22)), "sg-2 allows, whatever sg-9 does")
	a = two()
	a["Subnets"] += `,{"SubnetId": "subnet-3", "VpcId": "vpc-1", "CidrBlock": "10.0.3.0/24", "AvailabilityZone": "us-east-1a"}`
	require.Equal(t, "no interface has the destination address", asked(t, a, "10.0.3.9", 22).Reason, "an empty list is a fact")
	require.Equal(t, "destination lies in no subnet of the VPC", asked(t, a, "10.0.4.9", 22).Reason)
}

// An interface that only its instance's description holds is that one.
func TestAnInterfaceIsTakenFromItsInstance(t *testing.T) {
	a := two()
	nics := strings.SplitAfter(a["NetworkInterfaces"], "}}")
	of := strings.TrimPrefix(nics[1], ",")
	a["NetworkInterfaces"] = nics[0]
	require.Equal(t, "no", word(asked(t, a, "10.0.2.9", 22)), "nobody names it")
	a["Reservations"] = strings.Replace(a["Reservations"], `"SubnetId": "subnet-2",`, `"SubnetId": "subnet-2", "NetworkInterfaces": [`+of+`],`, 1)
	r := asked(t, a, "10.0.2.9", 22)
	require.Equal(t, "yes", word(r))
	require.Equal(t, "eni-2", r.Where)
}

// Rules and routes of prefix lists that no file holds.
func TestPrefixListsThatNoFileHolds(t *testing.T) {
	list := func(a map[string]string, which string) {
		a["SecurityGroups"] = strings.Replace(a["SecurityGroups"], `"GroupName": "two", "VpcId": "vpc-1", "IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]`,
			`"GroupName": "two", "VpcId": "vpc-1", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "PrefixListIds": [{"PrefixListId": "pl-9"}]}, {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "`+which+`"}]}]`, 1)
	}
	a := two()
	list(a, "10.0.0.0/8")
	require.Equal(t, "pl-9: not in the snapshot (no PrefixLists)", asked(t, a, "10.0.2.9", 22).Unknown)
	require.Equal(t, "yes", word(asked(t, a, "10.0.2.9", 80)), "another rule allows")
	require.Equal(t, "no", word(asked(t, a, "10.0.2.9", 443)), "the list's rule is of another port")
	route := func(rows string) map[string]string {
		a := two()
		a["RouteTables"] = strings.Replace(a["RouteTables"], `"Routes": [`, `"Routes": [`+rows+", ", 1)
		return a
	}
	const to, endpoint = `{"DestinationPrefixListId": "pl-9", "TransitGatewayId": "tgw-9", "State": "active"}`, `{"DestinationPrefixListId": "pl-9", "GatewayId": "vpce-9", "State": "active"}`
	const def = `{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-9", "State": "active"}, {"DestinationCidrBlock": "198.18.0.7/32", "NatGatewayId": "nat-8", "State": "active"}`
	for name, c := range map[string]struct{ rows, to, want string }{
		"an address of the VPC":                  {to, "10.0.2.9", ""},
		"one that no other route takes":          {to, "192.168.0.1", "pl-9: not in the snapshot (no PrefixLists)"},
		"one of another route":                   {to + ", " + def, "192.168.0.1", "pl-9: not in the snapshot (no PrefixLists)"},
		"one of a static route to it alone":      {to + ", " + def, "198.18.0.7", "nat-8: not in the snapshot (no NatGateways)"},
		"an endpoint's, and a private address":   {endpoint + ", " + def, "192.168.0.1", "nat-9: not in the snapshot (no NatGateways)"},
		"an endpoint's, and one of the internet": {endpoint + ", " + def, "8.8.8.8", "pl-9: not in the snapshot (no PrefixLists)"},
		"an endpoint's, and one of nobody":       {endpoint + ", " + def, "192.0.2.113", "nat-9: not in the snapshot (no NatGateways)"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, asked(t, route(c.rows), c.to, 22).Unknown) })
	}
}

// Pages in one file are whole where the last one says so; of several files nobody can tell
// whether a page between them is missing.
func TestPagesOfAnAnswer(t *testing.T) {
	ask := func(pages ...string) reach.Result {
		files := fstest.MapFS{}
		for key, list := range two() {
			files["us-east-1/"+key+".json"] = &fstest.MapFile{Data: fmt.Appendf(nil, `{%q: [%s]}`, key, list)}
		}
		delete(files, "us-east-1/NetworkInterfaces.json")
		for i, text := range pages {
			files[fmt.Sprintf("us-east-1/page%d.json", i)] = &fstest.MapFile{Data: []byte(text)}
		}
		n := got(load.FS(files, load.Config{})).or(t)
		return got(reach.New(n.World, reach.Config{})).or(t).Ask(reach.Spec{From: "10.0.1.9", To: "10.0.2.77", Proto: "tcp", Port: 22})
	}
	nics := strings.SplitAfter(two()["NetworkInterfaces"], "}}")
	first, last := `{"NetworkInterfaces": [`+nics[0]+`], "NextToken": "t"}`, `{"NetworkInterfaces": [`+strings.TrimPrefix(nics[1], ",")+`]}`
	require.Equal(t, "no", word(ask(first+last)))
	require.Contains(t, ask(first, last).Unknown, "(not all of NetworkInterfaces)")
	require.Contains(t, ask(last+first).Unknown, "(not all of NetworkInterfaces)")
}

// An answer that is known by its file's name and goes on elsewhere tells nothing: what is
// not on its page might be on the next. Pages in a row are whole.
func TestPagesOfAnAnswerByItsFilesName(t *testing.T) {
	ask := func(entries string) reach.Result {
		files := fstest.MapFS{"us-east-1/entries-pl-9.json": &fstest.MapFile{Data: []byte(entries)}}
		for key, list := range two() {
			list = strings.Replace(list, `"IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]`, `"IpPermissions": [{"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-9"}]}]`, 2)
			files["us-east-1/"+key+".json"] = &fstest.MapFile{Data: fmt.Appendf(nil, `{%q: [%s]}`, key, list)}
		}
		files["us-east-1/PrefixLists.json"] = &fstest.MapFile{Data: []byte(`{"PrefixLists": [{"PrefixListId": "pl-9", "PrefixListName": "us", "AddressFamily": "IPv4", "MaxEntries": 9, "Version": 1, "State": "create-complete"}]}`)}
		n := got(load.FS(files, load.Config{})).or(t)
		return got(reach.New(n.World, reach.Config{})).or(t).Ask(reach.Spec{From: "10.0.1.9", To: "10.0.2.9", Proto: "tcp", Port: 22})
	}
	const first, last = `{"Entries": [{"Cidr": "192.168.0.0/16"}], "NextToken": "t"}`, `{"Entries": [{"Cidr": "172.16.0.0/12"}]}`
	require.Equal(t, "no", word(ask(last)))
	require.Equal(t, "no", word(ask(first+last)))
	require.Contains(t, ask(first).Unknown, "pl-9")
	require.Contains(t, ask(last+first).Unknown, "pl-9")
}
