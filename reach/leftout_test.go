package reach_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/intent"
	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/reach"
)

// torn is a network of files that lack a subnet, with the interface in it, and a prefix list.
func torn(t *testing.T) *load.Network {
	t.Helper()
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"Vpcs":    `[{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}]`,
		"Subnets": `[{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1a"}]`,
		"SecurityGroups": `[{"GroupId": "sg-1", "GroupName": "web", "VpcId": "vpc-1", "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
			"IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "PrefixListIds": [{"PrefixListId": "pl-9"}]}]}]`,
		"Reservations": `[{"Instances": [{"InstanceId": "i-1", "State": {"Name": "running"}}, {"InstanceId": "i-2", "State": {"Name": "running"}}]}]`,
		"NetworkInterfaces": `[
			{"NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1", "PrivateIpAddress": "10.0.0.5", "TagSet": [{"Key": "Name", "Value": "one"}], "Groups": [{"GroupId": "sg-1"}], "Attachment": {"InstanceId": "i-1", "Status": "attached"}},
			{"NetworkInterfaceId": "eni-2", "SubnetId": "subnet-1", "PrivateIpAddress": "10.0.0.6", "TagSet": [{"Key": "Name", "Value": "two"}], "Groups": [{"GroupId": "sg-1"}], "Attachment": {"InstanceId": "i-2", "Status": "attached"}},
			{"NetworkInterfaceId": "eni-6", "SubnetId": "subnet-6", "PrivateIpAddress": "10.0.6.5", "TagSet": [{"Key": "Name", "Value": "six"}]}]`,
	} {
		files[name+".json"] = &fstest.MapFile{Data: []byte(`{"` + name + `": ` + text + `}`)}
	}
	n, err := load.FS(files, load.Config{})
	require.NoError(t, err)
	return n
}

func TestWhatWasLeftOutIsTold(t *testing.T) {
	n := torn(t)
	c := reach.Config{LeftOut: n.Lacks}
	p := prober(t, n.World, c)
	for _, six := range []string{"six", "eni-6", "10.0.6.5"} {
		r := p.Ask(reach.Spec{From: "one", To: six})
		require.Equal(t, reach.Unknown, r.Observed)
		require.Contains(t, r.Unknown, `"`+six+`" was left out of the network: NetworkInterfaces.json: NetworkInterfaces[2].SubnetId: no file holds subnet-6`)
		require.Error(t, p.LeftOut(six))
	}
	require.NoError(t, p.LeftOut("one"))
	require.NoError(t, prober(t, n.World, reach.Config{}).LeftOut("six"), "nobody has told")

	v := p.Explain(reach.Spec{From: "one", To: "two", Proto: "tcp", Port: 80})
	require.Len(t, v.Blockers, 1)
	require.Contains(t, v.Blockers[0].LeftOut, "SecurityGroups.json: SecurityGroups[0].IpPermissions[0].PrefixListIds[0].PrefixListId")
	require.Contains(t, v.String(), "but    left out of the network: SecurityGroups.json")

	for _, line := range []string{"one -> six icmp reachable", "six -> one icmp blocked", "one -> 10.0.6.5 icmp blocked", "one -> two icmp reachable via six"} {
		i, err := intent.ParseLine(line)
		require.NoError(t, err)
		out, err := intent.CheckAll(n.World, []intent.Line{{Number: 1, Intent: &i}}, c)
		require.NoError(t, err)
		require.Equal(t, intent.Unknown, out[0].Verdict, line)
		require.Contains(t, out[0].Why, "was left out of the network: NetworkInterfaces.json", line)
	}
}
