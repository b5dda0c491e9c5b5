package ec2_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
)

// described says which action printed a file, by the file's top-level key.
var described = map[string]string{
	"Addresses":                    "DescribeAddresses",
	"AvailabilityZones":            "DescribeAvailabilityZones",
	"CustomerGateways":             "DescribeCustomerGateways",
	"InternetGateways":             "DescribeInternetGateways",
	"NatGateways":                  "DescribeNatGateways",
	"NetworkAcls":                  "DescribeNetworkAcls",
	"NetworkInterfaces":            "DescribeNetworkInterfaces",
	"PrefixLists":                  "DescribePrefixLists",
	"Reservations":                 "DescribeInstances",
	"RouteTables":                  "DescribeRouteTables",
	"SecurityGroups":               "DescribeSecurityGroups",
	"Subnets":                      "DescribeSubnets",
	"TransitGatewayAttachments":    "DescribeTransitGatewayAttachments",
	"TransitGatewayRouteTables":    "DescribeTransitGatewayRouteTables",
	"TransitGatewayVpcAttachments": "DescribeTransitGatewayVpcAttachments",
	"TransitGateways":              "DescribeTransitGateways",
	"VpcEndpoints":                 "DescribeVpcEndpoints",
	"ServiceNames":                 "DescribeVpcEndpointServices",
	"VpcPeeringConnections":        "DescribeVpcPeeringConnections",
	"Vpcs":                         "DescribeVpcs",
	"VpnConnections":               "DescribeVpnConnections",
	"VpnGateways":                  "DescribeVpnGateways",
}

// otherServices are the keys of files that are not EC2's, or not the CLI's.
var otherServices = []string{
	"DBInstances", "DomainStatusList", "LoadBalancerAttributes", "LoadBalancerListeners", "LoadBalancerTargetHealth",
	"LoadBalancers", "TargetGroups", "TransitGatewayPropagations", "TransitGatewayStaticRoutes",
}

// labs calls f with the path and text of every recorded file.
func labs(t *testing.T, f func(t *testing.T, path string, text []byte)) {
	dir := os.Getenv("VPCSIM_LABS")
	if dir == "" {
		dir = "../../shared/labs"
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no recorded networks here (VPCSIM_LABS): %v", err)
	}
	files := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".json") || !strings.Contains(path, "aws_configs") {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		f(t, path, text)
		return err
	}))
	require.Positive(t, files, "%s holds no recorded networks", dir)
}

func TestWhatTheCLIPrintedOfRealNetworksLoadsAndPrintsUnchanged(t *testing.T) {
	labs(t, func(t *testing.T, path string, text []byte) {
		action := actionOf(t, path, text)
		if action == "" {
			return
		}
		a, ok := ec2.ActionNamed(action)
		require.True(t, ok, action)
		shape := a.Result()
		strict := json.NewDecoder(bytes.NewReader(text))
		strict.DisallowUnknownFields()
		require.NoError(t, strict.Decode(shape), path)

		printed, err := json.Marshal(shape)
		require.NoError(t, err)
		require.JSONEq(t, string(text), string(printed), path)

		wire, err := ec2.MarshalResponse(action, "req-1", shape)
		require.NoError(t, err)
		again := a.Result()
		require.NoError(t, xml.Unmarshal(wire, again))
		require.Equal(t, shape, again, path)
	})
}

// actionOf names the action that printed a file, "" for what EC2 did not print.
func actionOf(t *testing.T, path string, text []byte) string {
	var keys map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(text, &keys), path)
	for key := range keys {
		if action, ok := described[key]; ok {
			return action
		}
	}
	for key := range keys {
		require.True(t, slices.Contains(otherServices, key), "%s: unknown kind of file: %q", path, key)
	}
	return ""
}
