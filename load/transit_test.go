package load_test

import (
	"encoding/json"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// toOffice loads the files and says what becomes of a ping from the shop to the office,
// by the transit gateway.
func toOffice(t *testing.T, files fstest.MapFS) trace.Reason {
	t.Helper()
	n, err := load.FS(files, load.Config{})
	require.NoError(t, err)
	log := n.World.Trace()
	ping(t, n, n.Find("10.1.1.4")[0].(*vpc.NetworkInterface), "172.31.0.4")
	n.World.Run(time.Second)
	return log.Walks()[0].End()
}

// edited reads the answer under a key and writes it anew after edit.
func edited[T any](t *testing.T, files fstest.MapFS, key string, edit func(*T)) {
	t.Helper()
	f := files["us-east-1/"+key+".json"]
	var v T
	require.NoError(t, json.Unmarshal(f.Data, &v))
	edit(&v)
	f.Data = got(json.Marshal(v)).or(t)
}

// What arrives is denied by the office's security group. What nobody tells of a transit gateway is not taken for what is not there: a packet
// that would depend on it ends as unknown, and one that does not goes on.
func TestWhatNobodyTellsOfATransitGatewayIsUnknown(t *testing.T) {
	s := newShop(t)
	attached := func(state ec2.TransitGatewayAttachmentState) func(*ec2.DescribeTransitGatewayVpcAttachmentsResult) {
		return func(a *ec2.DescribeTransitGatewayVpcAttachmentsResult) {
			for i := range a.TransitGatewayVpcAttachments {
				a.TransitGatewayVpcAttachments[i].State = &state
			}
		}
	}
	foreign := func(f fstest.MapFS) { // the office is another account's, whose files are not there
		edited(t, f, "Vpcs", func(v *ec2.DescribeVpcsResult) {
			v.Vpcs = v.Vpcs[:0]
			for _, x := range s.region.DescribeVpcs().Vpcs {
				if *x.VpcId != s.office.ID() {
					v.Vpcs = append(v.Vpcs, x)
				}
			}
		})
	}
	for name, c := range map[string]struct {
		edit func(fstest.MapFS)
		want trace.Reason
	}{
		"all is told":          {func(fstest.MapFS) {}, trace.GroupIngress},
		"propagations":         {func(f fstest.MapFS) { delete(f, "us-east-1/TransitGatewayPropagations.json") }, trace.Unmodelled},
		"associations":         {func(f fstest.MapFS) { delete(f, "us-east-1/TransitGatewayAttachments.json") }, trace.Unmodelled},
		"route tables":         {func(f fstest.MapFS) { delete(f, "us-east-1/TransitGatewayRouteTables.json") }, trace.Unmodelled},
		"the attached VPC":     {foreign, trace.Unmodelled},
		"subnets and options":  {func(f fstest.MapFS) { delete(f, "us-east-1/TransitGatewayVpcAttachments.json") }, trace.GroupIngress},
		"not accepted yet":     {func(f fstest.MapFS) { edited(t, f, "TransitGatewayVpcAttachments", attached("pendingAcceptance")) }, trace.Blackhole},
		"subnets are modified": {func(f fstest.MapFS) { edited(t, f, "TransitGatewayVpcAttachments", attached("modifying")) }, trace.GroupIngress},
	} {
		t.Run(name, func(t *testing.T) {
			files := folder(s.region, "us-east-1")
			c.edit(files)
			require.Equal(t, c.want, toOffice(t, files))
		})
	}
}

// The host on the internet that answers at every address does not answer at one that an
// interface has, though no gateway translates it.
func TestAPublicAddressWithoutAGatewayIsNobodys(t *testing.T) {
	n, err := load.FS(file("f.json", `{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}],
		"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1a"}],
		"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1", "MacAddress": "0a:00:00:00:00:01", "PrivateIpAddress": "10.0.0.9",
			"Attachment": {"InstanceId": "i-1", "Status": "attached"}, "Association": {"PublicIp": "203.0.113.9", "IpOwnerId": "amazon"},
			"PrivateIpAddresses": [{"Primary": true, "PrivateIpAddress": "10.0.0.9", "Association": {"PublicIp": "203.0.113.9", "IpOwnerId": "amazon"}}]}]}`), load.Config{})
	require.NoError(t, err)
	p := got(reach.New(n.World, reach.Config{})).or(t)
	r := p.Ask(reach.Spec{From: "internet", To: "203.0.113.9"})
	require.Equal(t, trace.NoPrivateAddress, r.End(), r.Reason)
	require.Equal(t, reach.NoReply, r.Observed)
}

// A NAT gateway that is still being made when the network is described may or may not
// have taken packets.
func TestANATGatewayInTheMakingIsUnknown(t *testing.T) {
	s := newShop(t)
	files := folder(s.region, "us-east-1")
	edited(t, files, "NatGateways", func(a *ec2.DescribeNatGatewaysResult) {
		for i := range a.NatGateways {
			a.NatGateways[i].State = new(ec2.NatGatewayStatePending)
		}
	})
	n := got(load.FS(files, load.Config{})).or(t)
	p := got(reach.New(n.World, reach.Config{})).or(t)
	r := p.Ask(reach.Spec{From: "10.0.10.5", To: "192.0.2.1"})
	require.Equal(t, trace.Unmodelled, r.End(), r.Reason)
	require.Equal(t, s.nat.ID(), r.Where)
}
