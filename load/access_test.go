package load_test

import (
	"encoding/binary"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/load"
)

// VPC Block Public Access holds for the VPCs of the account that has set it.
func TestPublicAccessIsBlocked(t *testing.T) {
	const vpcs = `{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "OwnerId": "111111111111"}, {"VpcId": "vpc-2", "CidrBlock": "10.1.0.0/16", "OwnerId": "222222222222"}], "Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1a"}], `
	const exclusion = `"VpcBlockPublicAccessExclusions": [{"ExclusionId": "vpcbpa-exclude-1", "InternetGatewayExclusionMode": "allow-egress", "ResourceArn": "arn:aws:ec2:us-east-1:111111111111:subnet/subnet-1", "State": "create-complete"}, {"ExclusionId": "vpcbpa-exclude-2", "ResourceArn": "arn:aws:ec2:us-east-1:111111111111:vpc/vpc-1", "State": "delete-complete"}]}`
	for name, text := range map[string]string{
		"as the CLI prints it": `"VpcBlockPublicAccessOptions": {"AwsAccountId": "111111111111", "InternetGatewayBlockMode": "block-bidirectional", "State": "update-complete"}, `,
		"as a list":            `"VpcBlockPublicAccessOptions": [{"AwsAccountId": "111111111111", "InternetGatewayBlockMode": "block-bidirectional"}], `,
	} {
		t.Run(name, func(t *testing.T) {
			n := got(load.FS(fstest.MapFS{"f.json": {Data: []byte(vpcs + text + exclusion)}}, load.Config{})).or(t)
			r := n.Region("us-east-1")
			o := r.DescribeVpcBlockPublicAccessOptions().VpcBlockPublicAccessOptions
			require.Equal(t, ec2.InternetGatewayBlockModeBlockBidirectional, *o.InternetGatewayBlockMode)
			list := r.DescribeVpcBlockPublicAccessExclusions().VpcBlockPublicAccessExclusions
			require.Len(t, list, 1)
			require.Equal(t, "arn:aws:ec2:us-east-1:111111111111:subnet/subnet-1", *list[0].ResourceArn)
		})
	}
	n := got(load.FS(fstest.MapFS{"f.json": {Data: []byte(vpcs + `"VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": "some"}}`)}}, load.Config{})).or(t)
	require.Contains(t, n.Skipped[0].String(), `f.json: VpcBlockPublicAccessOptions.InternetGatewayBlockMode: "some": expected off, block-bidirectional or block-ingress`)
}

// Other services list other things under some of the keys, with members of other types.
func TestListsOfOtherServicesAreLeftAlone(t *testing.T) {
	n := got(load.FS(fstest.MapFS{
		"vpcs.json":   {Data: []byte(`{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}]}`)},
		"waf.json":    {Data: []byte(`{"Rules": [{"Name": "r", "Priority": 0, "Statement": {}, "Action": {"Block": {}}}]}`)},
		"events.json": {Data: []byte(`{"Rules": [{"Name": "r", "Arn": "arn:aws:events:us-east-1:111111111111:rule/r", "State": "ENABLED"}]}`)},
		"ga.json":     {Data: []byte(`{"Listeners": [{"ListenerArn": "arn:aws:globalaccelerator::1:accelerator/a/listener/b", "PortRanges": [{"FromPort": 80}], "Protocol": "TCP"}]}`)},
		"snow.json":   {Data: []byte(`{"Addresses": [{"AddressId": "ADID1", "City": "x"}]}`)},
	}, load.Config{})).or(t)
	for _, s := range n.Skipped {
		require.Equal(t, "vpcs.json", s.File, s)
	}
	_, err := load.FS(fstest.MapFS{"f.json": {Data: []byte(`{"Rules": [{"RuleArn": "arn:x", "Priority": 0}]}`)}}, load.Config{})
	require.EqualError(t, err, "load: f.json: Rules[0].Priority: expected string, found number")
}

// PowerShell writes what the aws CLI prints in UTF-16.
func TestTextsOfPowerShellAreRead(t *testing.T) {
	const text = `{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "Tags": [{"Key": "Name", "Value": "Zürich"}]}]}`
	for name, order := range map[string]binary.AppendByteOrder{"little": binary.LittleEndian, "big": binary.BigEndian} {
		var data []byte
		for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
			data = order.AppendUint16(data, u)
		}
		n := got(load.FS(fstest.MapFS{"f.json": {Data: data}}, load.Config{})).or(t)
		require.Equal(t, "Zürich", *n.Region("us-east-1").DescribeVpcs().Vpcs[0].Tags[0].Value, name)
	}
}
