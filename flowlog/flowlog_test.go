package flowlog_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/flowlog"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/wire"
)

// pair is two hosts in two subnets. Nobody gets in to b.
type pair struct {
	*vpctest.World
	v    *vpctest.VPC
	p, q *vpctest.Subnet
	a, b *vpctest.Host
	t    *testing.T
}

func newPair(t *testing.T) *pair {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	p, q := v.Subnet("10.0.0.0/24"), v.SubnetIn("us-east-1b", "10.0.1.0/24")
	closed, err := v.CreateSecurityGroup("closed", vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	b := q.Launch(vpc.InstanceConfig{Name: "b", Interface: vpc.NetworkInterfaceConfig{Groups: []*vpc.SecurityGroup{closed}}}, host.Config{Name: "b"})
	return &pair{w, v, p, q, p.Host("a"), b, t}
}

func (p *pair) log(on vpc.Resource, c flowlog.Config) *flowlog.FlowLog {
	p.t.Helper()
	l, err := flowlog.Create(on, c)
	require.NoError(p.t, err)
	return l
}

func (p *pair) live() *vpc.Live { return p.Live(p.Region) }

func TestCreateIsRefusedAsAWSRefusesIt(t *testing.T) {
	p := newPair(t)
	p.log(p.v.VPC, flowlog.Config{Destination: "arn:aws:s3:::bucket"})
	gone := p.v.Subnet("10.0.9.0/24")
	require.NoError(t, gone.Delete())
	var none *vpc.Subnet
	deleted := p.log(p.p.Subnet, flowlog.Config{ID: "fl-1"})
	require.NoError(t, deleted.Delete())
	full := p.q.Subnet
	p.log(full, flowlog.Config{})
	p.log(full, flowlog.Config{})
	create := func(on vpc.Resource, c flowlog.Config) func() error {
		return func() error { _, err := flowlog.Create(on, c); return err }
	}
	for _, row := range []struct {
		name, code, message string
		call                func() error
	}{
		{"of nothing", "MissingParameter", "The request must contain the parameter resourceIds", create(nil, flowlog.Config{})},
		{"of a nil subnet", "MissingParameter", "The request must contain the parameter resourceIds", create(none, flowlog.Config{})},
		{"of a group", "InvalidParameter", "Invalid resource type for flow logs: " + p.a.Interface.Groups()[0].ID(), create(p.a.Interface.Groups()[0], flowlog.Config{})},
		{"of a deleted subnet", "InvalidSubnetID.NotFound", "The subnet ID '" + gone.ID() + "' does not exist", create(gone.Subnet, flowlog.Config{})},
		{"an interval of ten seconds", "InvalidParameter", "Invalid Flow Log Max Aggregation Interval.", create(p.p.Subnet, flowlog.Config{Interval: 10 * time.Second})},
		{"another traffic type", "InvalidParameter", "Invalid traffic type: SOME. Valid values are ACCEPT, REJECT, ALL", create(p.p.Subnet, flowlog.Config{Traffic: "SOME"})},
		{"another field", "InvalidParameter", "Invalid LogFormat: unknown field ${srcadr}", create(p.p.Subnet, flowlog.Config{Format: "${srcadr}"})},
		{"no ${}", "InvalidParameter", "Invalid LogFormat: unknown field srcaddr", create(p.p.Subnet, flowlog.Config{Format: "srcaddr"})},
		{"no field", "InvalidParameter", "Invalid LogFormat: expected at least one field", create(p.p.Subnet, flowlog.Config{Format: " "})},
		{"a negative capacity", "InvalidParameter", "Invalid flow log: expected a capacity of 0 or more and two tag keys of a kind at most", create(p.p.Subnet, flowlog.Config{Capacity: -1})},
		{"one that is there", "FlowLogAlreadyExists", "Error. There is an existing Flow Log with the same configuration and log destination.", create(p.v.VPC, flowlog.Config{Destination: "arn:aws:s3:::bucket"})},
		{"a third", "FlowLogsLimitExceeded", "You've reached the limit on the number of flow logs you can create.", create(full, flowlog.Config{})},
		{"deleting again", "InvalidFlowLogId.NotFound", "These flow log ids in the input list are not found: [TotalCount: 1] fl-1", deleted.Delete},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := described(t, p.Region)
			require.Equal(t, &vpc.Error{Code: row.code, Message: row.message}, row.call())
			require.Equal(t, before, described(t, p.Region), "a refused call has changed something")
		})
	}
}

func described(t *testing.T, r *vpc.Region) string {
	b, err := json.Marshal(flowlog.Describe(r))
	require.NoError(t, err)
	return string(b)
}

func TestDescribe(t *testing.T) {
	p := newPair(t)
	p.log(p.v.VPC, flowlog.Config{ID: "fl-1", Name: "all", Destination: "arn:aws:s3:::bucket/logs/"})
	p.log(p.a.Interface, flowlog.Config{ID: "fl-2", Traffic: flowlog.Reject, Interval: time.Minute, Format: "${srcaddr}  ${tcp-flags}"})
	p.log(p.p.Subnet, flowlog.Config{ID: "fl-3", Destination: "arn:aws:firehose:us-east-1:123456789012:deliverystream/x"})
	require.JSONEq(t, `{"FlowLogs":[
		{"CreationTime":"2026-01-01T00:00:00.000Z","DeliverLogsStatus":"SUCCESS","FlowLogId":"fl-1","FlowLogStatus":"ACTIVE","ResourceId":"`+p.v.ID()+`","TrafficType":"ALL",
		 "LogDestinationType":"s3","LogDestination":"arn:aws:s3:::bucket/logs/","LogFormat":"`+flowlog.DefaultFormat+`","MaxAggregationInterval":600,"Tags":[{"Key":"Name","Value":"all"}]},
		{"CreationTime":"2026-01-01T00:00:00.000Z","DeliverLogsStatus":"SUCCESS","FlowLogId":"fl-2","FlowLogStatus":"ACTIVE","ResourceId":"`+p.a.Interface.ID()+`","TrafficType":"REJECT",
		 "LogDestinationType":"cloud-watch-logs","LogGroupName":"fl-2","LogFormat":"${srcaddr} ${tcp-flags}","MaxAggregationInterval":60,"Tags":[]},
		{"CreationTime":"2026-01-01T00:00:00.000Z","DeliverLogsStatus":"SUCCESS","FlowLogId":"fl-3","FlowLogStatus":"ACTIVE","ResourceId":"`+p.p.ID()+`","TrafficType":"ALL",
		 "LogDestinationType":"kinesis-data-firehose","LogDestination":"arn:aws:firehose:us-east-1:123456789012:deliverystream/x","LogFormat":"`+flowlog.DefaultFormat+`","MaxAggregationInterval":600,"Tags":[]}
	]}`, described(t, p.Region))
}

func TestAVersionIsThatOfTheNewestField(t *testing.T) {
	for format, want := range map[string]int{
		"${srcaddr}": 2, "${version}": 2, "${srcaddr} ${vpc-id}": 3, "${az-id} ${vpc-id}": 4, "${traffic-path}": 5, "${ecs-task-id}": 7,
		"${reject-reason} ${srcaddr}": 8, "${resource-id}": 9, "${encryption-status}": 10, "${next-hop-az-id}": 11,
	} {
		f, err := flowlog.ParseFormat(format)
		require.NoError(t, err)
		require.Equal(t, want, f.Version(), format)
		require.Equal(t, format, f.String())
	}
	require.Len(t, flowlog.Fields(), 54)
}

// Every field has a text, and no text has a space.
func TestEveryFieldHasAWord(t *testing.T) {
	p := newPair(t)
	require.NoError(t, p.a.Interface.Tag("team", "red & blue"))
	require.NoError(t, p.a.Instance.Tag("env", "test"))
	l := p.log(p.a.Interface, flowlog.Config{
		Format: "${" + strings.Join(flowlog.Fields(), "} ${") + "}", InterfaceTags: []string{"team", "none"}, InstanceTags: []string{"env"},
	})
	p.a.Ping(p.b.Addr)
	p.Run(2 * time.Minute)
	a, b := p.a.Interface, p.b.Interface
	require.Equal(t, strings.Join([]string{
		"123456789012 ACCEPT 84 10.0.1.4 0 1767225600", a.ID(), "OK 1 1 10.0.0.4 0 1767225600 11", // version 2
		p.a.Instance.ID(), "10.0.1.4 10.0.0.4", p.p.ID(), "0 IPv4", p.v.ID(),
		p.Region.ZoneID("us-east-1a"), "us-east-1 - -",
		"egress - - 1",
		"- - - - - - - - - -", // 7
		"-", "-", "-",
		"- - test - red+%26+blue - -", p.Region.ZoneID("us-east-1b"), b.ID(), "-", p.q.ID(), p.v.ID(),
	}, " "), strings.Split(l.Text(p.live()), "\n")[0])
}

func TestALogTakesWhatItCovers(t *testing.T) {
	for _, row := range []struct {
		name   string
		on     func(p *pair) vpc.Resource
		config flowlog.Config
		want   []string
	}{
		{"the VPC", func(p *pair) vpc.Resource { return p.v.VPC }, flowlog.Config{}, []string{"a egress ACCEPT", "b ingress REJECT"}},
		{"a subnet", func(p *pair) vpc.Resource { return p.q.Subnet }, flowlog.Config{}, []string{"b ingress REJECT"}},
		{"an interface", func(p *pair) vpc.Resource { return p.a.Interface }, flowlog.Config{}, []string{"a egress ACCEPT"}},
		{"accepted flows", func(p *pair) vpc.Resource { return p.v.VPC }, flowlog.Config{Traffic: flowlog.Accept}, []string{"a egress ACCEPT"}},
		{"rejected flows", func(p *pair) vpc.Resource { return p.v.VPC }, flowlog.Config{Traffic: flowlog.Reject}, []string{"b ingress REJECT"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPair(t)
			l := p.log(row.on(p), row.config)
			require.False(t, p.a.Ping(p.b.Addr).Answered)
			p.Run(time.Minute)
			var got []string
			for _, r := range l.Records(p.live()) {
				name := "a"
				if r.Interface == p.b.Interface.ID() {
					name = "b"
				}
				got = append(got, fmt.Sprint(name, " ", r.Direction, " ", r.Action))
			}
			require.Equal(t, row.want, got)
		})
	}
}

func TestAnUnloggedInterfaceHasItsPlainNodes(t *testing.T) {
	p := newPair(t)
	before := p.live().Interface(p.b.Interface)
	p.log(p.a.Interface, flowlog.Config{})
	after := p.live().Interface(p.b.Interface)
	require.IsType(t, before.Out(), after.Out())
	require.IsType(t, before.In(), after.In())
	require.IsType(t, before.Router, after.Router)
	require.IsType(t, before.Arrival, after.Arrival)
	require.NotEqual(t, fmt.Sprintf("%T", before.Out()), fmt.Sprintf("%T", p.live().Interface(p.a.Interface).Out()))
}

// The walk of a logged packet is that of one that is not.
func TestLoggingChangesNoWalk(t *testing.T) {
	tell := func(logged bool) string {
		p := newPair(t)
		p.b.Allow(vpc.AllTraffic("0.0.0.0/0"))
		if logged {
			p.log(p.v.VPC, flowlog.Config{})
			p.log(p.q.Subnet, flowlog.Config{})
		}
		o := p.a.Ping(p.b.Addr)
		o.OK(t)
		return o.Walks.String()
	}
	require.Equal(t, tell(false), tell(true))
}

func TestAnEstablishedFlowDoesNotAllocate(t *testing.T) {
	p := newPair(t)
	l := p.log(p.v.VPC, flowlog.Config{Interval: 10 * time.Minute})
	p.Engine.Log = nil
	i := p.live().Interface(p.a.Interface)
	h := wire.Header{Src: wire.AddrFrom(p.a.Addr), Dst: wire.AddrFrom(p.b.Addr), TTL: 64}
	ip := wire.AppendUDP(nil, h, 7, 9, []byte("x"))
	sent := 0
	send := func() {
		sent++
		require.Equal(t, trace.GroupIngress, p.Engine.Send(i.Out(), ip))
	}
	send()
	require.Zero(t, testing.AllocsPerRun(50, send))
	p.Run(time.Minute)
	require.Equal(t, uint64(sent), l.Records(p.live())[0].Packets)
}

func TestRecordsOfADeletedLogAreGone(t *testing.T) {
	p := newPair(t)
	l := p.log(p.v.VPC, flowlog.Config{})
	p.a.Ping(p.b.Addr)
	p.Run(time.Minute)
	require.NotEmpty(t, l.Records(p.live()))
	require.NoError(t, l.Delete())
	require.Empty(t, l.Records(p.live()))
}

func TestADeletedInterfaceEndsWithItsLastFlow(t *testing.T) {
	p := newPair(t)
	l := p.log(p.v.VPC, flowlog.Config{})
	p.a.Ping(p.b.Addr)
	require.NoError(t, p.a.Instance.Terminate())
	p.live().Snapshot()
	p.Run(5 * time.Minute)
	for _, r := range l.Records(p.live()) {
		if r.Interface == p.a.Interface.ID() {
			require.Equal(t, flowlog.OK, r.Status)
		}
	}
	require.Len(t, l.Records(p.live()), 2+4)
}

// What VPC flow logs leave out (VPC guide, "Flow log limitations").
func TestWhatIsNotLogged(t *testing.T) {
	p := newPair(t)
	l := p.log(p.v.VPC, flowlog.Config{})
	_, err := p.a.HTTPGet("http://169.254.169.254/latest/meta-data/mac")
	require.NoError(t, err)
	send := func(dst string, src, port uint16) {
		h := wire.Header{Src: wire.AddrFrom(p.a.Addr), Dst: wire.AddrFrom(netip.MustParseAddr(dst)), TTL: 64}
		_, err := p.a.SendIP(wire.AppendUDP(nil, h, src, port, nil))
		require.NoError(t, err)
		p.Run(time.Second)
	}
	send("169.254.169.123", 123, 123) // the time service
	send("169.254.169.250", 9, 1688)  // activation of Windows
	send("10.0.0.1", 68, 67)          // DHCP, and the router's own address
	send("10.0.0.1", 9, 33434)
	p.Run(time.Minute)
	require.Empty(t, l.Records(p.live()))

	send("10.0.1.9", 9, 53) // no resolver of the VPC's: nobody is there, and yet it was accepted
	p.Run(time.Minute)
	require.Len(t, l.Records(p.live()), 1)
	require.Equal(t, flowlog.Accepted, l.Records(p.live())[0].Action)
}

func TestFlowsOfIPv6HaveThePacketsAddresses(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	require.NoError(t, v.AssociateCIDR("2001:db8:0:1a00::/56"))
	s := v.Subnet("10.0.0.0/24")
	require.NoError(t, s.AssociateIPv6("2001:db8:0:1a00::/64"))
	six := func(a string) vpc.InstanceConfig {
		return vpc.InstanceConfig{Interface: vpc.NetworkInterfaceConfig{IPv6: []netip.Addr{netip.MustParseAddr(a)}}}
	}
	a := s.Launch(six("2001:db8:0:1a00::10"), host.Config{Name: "a"})
	b := s.Launch(six("2001:db8:0:1a00::20"), host.Config{Name: "b"})
	require.NoError(t, func() error { _, err := b.Interface.AssignIPv6(netip.MustParseAddr("2001:db8:0:1a00::21")); return err }())
	l, err := flowlog.Create(b.Interface, flowlog.Config{Format: "${type} ${srcaddr} ${dstaddr} ${protocol} ${bytes} ${action}"})
	require.NoError(t, err)
	a.Ping(netip.MustParseAddr("2001:db8:0:1a00::21"))
	w.Run(time.Minute)
	require.Equal(t, "IPv6 2001:db8:0:1a00::10 2001:db8:0:1a00::21 58 104 ACCEPT", strings.Split(l.Text(w.Live(w.Region)), "\n")[0])
}

// By what egress traffic leaves: the routes of one subnet, one after the other.
func TestTrafficPaths(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	s, door := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	a := s.Host("a")
	near := w.VPC("10.1.0.0/16")
	west := w.World.Region(vpc.RegionConfig{Name: "us-west-1"})
	far, err := west.CreateVPC("10.2.0.0/16", vpc.VPCConfig{})
	require.NoError(t, err)
	peer := func(with *vpc.VPC) *peering.Connection {
		pcx, err := peering.Create(v.VPC, with, peering.Config{})
		require.NoError(t, err)
		require.NoError(t, pcx.In(with.Region()).Accept())
		return pcx
	}
	g, err := tgw.Create(w.Region, tgw.Config{})
	require.NoError(t, err)
	_, err = g.Attach(tgw.AttachmentConfig{}, door.Subnet)
	require.NoError(t, err)
	private, err := vgw.Create(w.Region, vgw.Config{})
	require.NoError(t, err)
	require.NoError(t, private.Attach(v.VPC))
	for _, row := range []struct {
		dst    string
		target vpc.Target
		want   int
	}{
		{"10.1.0.0/16", peer(near.VPC), 4}, {"10.2.0.0/16", peer(far), 5}, {"10.3.0.0/16", g, 1}, {"10.4.0.0/16", private, 3},
		{"10.5.0.0/16", door.PrivateNATGateway(), 1}, {"10.6.0.0/16", door.Host("box"), 1}, {"198.51.0.0/16", v.InternetGateway(), 8},
	} {
		s.Route(row.dst, row.target)
	}
	_, err = endpoint.CreateGateway(v.VPC, "com.amazonaws.us-east-1.s3", []*vpc.RouteTable{s.RouteTable()}, endpoint.Config{})
	require.NoError(t, err)
	l, err := flowlog.Create(a.Interface, flowlog.Config{})
	require.NoError(t, err)
	want := map[string]int{
		"10.0.1.200": 1, "10.1.0.9": 4, "10.2.0.9": 5, "10.3.0.9": 1, "10.4.0.9": 3, "10.5.0.9": 1, "10.6.0.9": 1, "198.51.100.9": 8,
		"198.19.0.9": 7, "192.0.2.9": 0,
	}
	for dst := range want {
		h := wire.Header{Src: wire.AddrFrom(a.Addr), Dst: wire.AddrFrom(netip.MustParseAddr(dst)), TTL: 64}
		_, err := a.SendIP(wire.AppendUDP(nil, h, 1, 2, nil))
		require.NoError(t, err)
	}
	w.Run(time.Minute)
	got := map[string]int{}
	for _, r := range l.Records(w.Live(w.Region)) {
		if r.Direction == flowlog.Egress {
			got[r.PktDst.String()] = r.TrafficPath
			if r.TrafficPath == 8 || r.TrafficPath == 7 {
				require.Equal(t, map[int]string{7: "S3", 8: ""}[r.TrafficPath], r.DstService)
			}
		}
	}
	require.Equal(t, want, got)
}

func TestBlockPublicAccessIsARejectReason(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	s := v.Subnet("10.0.0.0/24")
	s.Route("0.0.0.0/0", v.InternetGateway())
	a, x := s.PublicHost("a"), w.OnInternet("198.51.100.7")
	a.Allow(vpc.AllICMP("0.0.0.0/0"))
	l, err := flowlog.Create(a.Interface, flowlog.Config{Format: "${flow-direction} ${srcaddr} ${dstaddr} ${bytes} ${action} ${reject-reason}"})
	require.NoError(t, err)
	a.Ping(x.Addr).OK(t)
	require.NoError(t, w.Region.BlockPublicAccess(ec2.InternetGatewayBlockModeBlockBidirectional))
	a.Ping(x.Addr).Dropped(t, trace.PublicAccessBlocked)
	x.Ping(a.PublicAddr()).Dropped(t, trace.PublicAccessBlocked)
	w.Run(time.Minute)
	require.Equal(t, []string{
		"egress 10.0.0.4 198.51.100.7 84 ACCEPT -", "ingress 198.51.100.7 10.0.0.4 84 ACCEPT -",
		"egress 10.0.0.4 198.51.100.7 - REJECT BPA", "ingress 198.51.100.7 10.0.0.4 - REJECT BPA", "",
	}, strings.Split(l.Text(w.Live(w.Region)), "\n"))
}
