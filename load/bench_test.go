package load_test

import (
	"fmt"
	"io/fs"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/vpc"
)

// crowd is a region of ten VPCs with that many instances of one interface each, as the
// aws CLI prints them, indented.
func crowd(interfaces int) fs.FS {
	const vpcs, subnets = 10, 10 // subnets of a VPC, /19
	var v, s, g, n, r strings.Builder
	for i := range vpcs {
		id := fmt.Sprintf("vpc-%017x", i)
		fmt.Fprintf(&v, `{"VpcId": %q, "OwnerId": "123456789012", "CidrBlock": "10.%d.0.0/16", "CidrBlockAssociationSet": [{"AssociationId": "vpc-cidr-assoc-%017x", "CidrBlock": "10.%d.0.0/16", "CidrBlockState": {"State": "associated"}}], "Tags": []},`, id, i, i, i)
		fmt.Fprintf(&g, `{"GroupId": "sg-%017x", "GroupName": "default", "VpcId": %q, "IpPermissions": [], "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]},`, i, id)
		for k := range subnets {
			fmt.Fprintf(&s, `{"SubnetId": "subnet-%017x", "VpcId": %q, "CidrBlock": "%s", "AvailabilityZone": "us-east-1%c", "AvailabilityZoneId": "use1-az%d"},`,
				i*subnets+k, id, netip.PrefixFrom(addressOf(i, k, -4), 21), 'a'+k%3, 1+k%3)
		}
	}
	for i := range interfaces {
		net, sub := i%vpcs, i/vpcs%subnets
		a := addressOf(net, sub, i/vpcs/subnets)
		fmt.Fprintf(&n, `
        {
            "Attachment": {"AttachTime": "2026-01-01T00:00:00+00:00", "AttachmentId": "eni-attach-%017x", "DeleteOnTermination": true, "DeviceIndex": 0, "InstanceId": "i-%017x", "InstanceOwnerId": "123456789012", "Status": "attached", "NetworkCardIndex": 0},
            "AvailabilityZone": "us-east-1a",
            "Description": "",
            "Groups": [{"GroupId": "sg-%017x", "GroupName": "default"}],
            "InterfaceType": "interface",
            "Ipv6Addresses": [],
            "MacAddress": "0a:00:00:%02x:%02x:%02x",
            "NetworkInterfaceId": "eni-%017x",
            "OwnerId": "123456789012",
            "PrivateDnsName": "ip-10-0-0-4.ec2.internal",
            "PrivateIpAddress": "%s",
            "PrivateIpAddresses": [{"Primary": true, "PrivateDnsName": "ip-10-0-0-4.ec2.internal", "PrivateIpAddress": "%s"}],
            "RequesterManaged": false,
            "SourceDestCheck": true,
            "Status": "in-use",
            "SubnetId": "subnet-%017x",
            "TagSet": [{"Key": "Name", "Value": "host-%d"}],
            "VpcId": "vpc-%017x"
        },`, i, i, net, byte(i>>16), byte(i>>8), byte(i), i, a, a, net*subnets+sub, i, net)
		fmt.Fprintf(&r, `{"ReservationId": "r-%017x", "OwnerId": "123456789012", "Instances": [{"InstanceId": "i-%017x", "InstanceType": "t3.micro", "State": {"Code": 16, "Name": "running"}, "ImageId": "ami-1", "LaunchTime": "2026-01-01T00:00:00+00:00", "Placement": {"AvailabilityZone": "us-east-1a"}}]},`, i, i)
	}
	files := fstest.MapFS{}
	for key, b := range map[string]*strings.Builder{"Vpcs": &v, "Subnets": &s, "SecurityGroups": &g, "NetworkInterfaces": &n, "Reservations": &r} {
		files["us-east-1/"+key+".json"] = &fstest.MapFile{Data: []byte(`{"` + key + `": [` + strings.TrimSuffix(b.String(), ",") + `]}`)}
	}
	return files
}

// addressOf returns a host's address in a subnet /21 of a VPC.
func addressOf(net, sub, host int) netip.Addr {
	v := 10<<24 | net<<16 | sub<<11 + host + 4
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// BenchmarkLoad is the time and the memory of a large region, from JSON to names:
// bytes in use after loading beyond those before.
func BenchmarkLoad(b *testing.B) {
	for _, interfaces := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(interfaces), func(b *testing.B) {
			files := crowd(interfaces)
			var n *load.Network
			for b.Loop() {
				n = nil
				before := inUse()
				n = got(load.FS(files, load.Config{})).or(b)
				b.ReportMetric(float64(inUse()-before)/float64(interfaces), "B/interface")
			}
			runtime.KeepAlive(n)
			require.Len(b, n.Find(fmt.Sprintf("host-%d", interfaces-1)), 1)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(interfaces), "ns/interface")
		})
	}
}

func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// The benchmark's own network is sound.
func TestACrowdLoads(t *testing.T) {
	n := got(load.FS(crowd(2_000), load.Config{})).or(t)
	require.Len(t, n.Find("host-1999"), 1)
	nic := n.Find("host-1999")[0].(*vpc.NetworkInterface)
	require.NotNil(t, n.World.Live(n.Regions[0]).Interface(nic))
}
