package load_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/vpc"
)

func TestAnInternetGatewayThatNoFileDescribesIsTheVPCs(t *testing.T) {
	n, err := load.FS(fstest.MapFS{
		"Vpcs.json": {Data: []byte(`{"Vpcs": [{"VpcId": "vpc-00000000000000001", "CidrBlock": "10.0.0.0/16",
			"CidrBlockAssociationSet": [{"AssociationId": "vpc-cidr-assoc-00000000000000001", "CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}}]}]}`)},
		"RouteTables.json": {Data: []byte(`{"RouteTables": [{"RouteTableId": "rtb-00000000000000001", "VpcId": "vpc-00000000000000001", "Associations": [
			{"Main": true, "RouteTableAssociationId": "rtbassoc-00000000000000001", "RouteTableId": "rtb-00000000000000001"}], "Routes": [
			{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"},
			{"DestinationCidrBlock": "1.0.0.0/8", "GatewayId": "igw-00000000000000009", "Origin": "CreateRoute", "State": "blackhole"},
			{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-00000000000000001", "Origin": "CreateRoute", "State": "active"}]}]}`)},
	}, load.Config{})
	require.NoError(t, err)
	r := n.Regions[0]
	g, ok := r.Find("igw-00000000000000001").(*igw.InternetGateway)
	require.True(t, ok)
	r.View(func(tx *vpc.Tx) { require.Equal(t, "vpc-00000000000000001", g.AttachedTo(tx).ID()) })
	_, made := r.Find("igw-00000000000000009").(*igw.InternetGateway)
	require.False(t, made, "of a black hole nothing is left")
	var told []string
	for _, s := range n.Skipped {
		told = append(told, s.String())
	}
	require.Contains(t, told, "RouteTables.json: RouteTables[0].Routes[2].GatewayId: igw-00000000000000001 is in no file: "+
		"taken for an internet gateway attached to vpc-00000000000000001")
}
