package load_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// newMesh is two VPCs on a transit gateway, one with an appliance that a Connect peer leads
// to, and a table that refers to a prefix list.
func newMesh(t testing.TB) *vpc.Region {
	r := vpc.NewRegion(vpc.RegionConfig{Seed: 9})
	g := got(tgw.Create(r, tgw.Config{Name: "mesh", CIDRs: []netip.Prefix{prefix("192.0.2.0/24")}})).or(t)
	attach := map[string]*tgw.Attachment{}
	host := map[string]*vpc.Instance{}
	for name, of := range map[string]string{"shop": "10.1", "wan": "10.2"} {
		v := got(r.CreateVPC(of+".0.0/16", vpc.VPCConfig{Name: name})).or(t)
		s := got(v.CreateSubnet(of+".0.0/24", vpc.SubnetConfig{Name: name})).or(t)
		require.NoError(t, v.DefaultSecurityGroup().AuthorizeIngress(vpc.AllTraffic("0.0.0.0/0")))
		host[name] = got(s.RunInstance(vpc.InstanceConfig{Name: name})).or(t)
		attach[name] = got(g.Attach(tgw.AttachmentConfig{Name: name}, s)).or(t)
		require.NoError(t, v.MainRouteTable().CreateRoute("0.0.0.0/0", g))
	}
	x := got(g.AttachConnect(attach["wan"], tgw.ConnectConfig{Name: "sd-wan"})).or(t)
	peer := got(x.CreatePeer(tgw.ConnectPeerConfig{Name: "router", Address: host["wan"].Interface().PrivateIP(), ASN: 65010})).or(t)
	require.NoError(t, peer.Announce(announce("172.16.0.0/12", 1)))
	dark := got(x.CreatePeer(tgw.ConnectPeerConfig{Name: "spare", Address: netip.MustParseAddr("10.2.0.99")})).or(t)
	require.NoError(t, dark.SetUp(false))
	list := got(r.CreatePrefixList(vpc.PrefixListConfig{Name: "closed", MaxEntries: 5, Entries: []netip.Prefix{prefix("172.20.0.0/16"), prefix("172.21.0.0/16")}})).or(t)
	require.NoError(t, g.DefaultRouteTable().CreatePrefixListReference(list, nil))
	return r
}

func TestConnectAttachmentsAreLoaded(t *testing.T) {
	r := newMesh(t)
	n := loadFS(t, folder(r, "us-east-1"))
	alike(t, r, n.Regions[0])
	p := got(reach.New(n.World, reach.Config{})).or(t)
	wan := nic(t, n, "wan")
	for dst, want := range map[string]struct {
		end   trace.Reason
		where string
	}{
		"172.16.0.9": {trace.Unmodelled, wan.ID()}, // it is the appliance that knows
		"172.20.0.9": {trace.TransitBlackhole, n.Find("mesh")[0].ID()},
	} {
		result := p.Ask(reach.Spec{From: "10.1.0.4", To: dst})
		require.Equal(t, want.end, result.End(), dst)
		require.Equal(t, want.where, result.Where, dst)
		if want.end == trace.Unmodelled {
			require.Contains(t, result.Unknown, "Connect peer")
			require.Nil(t, result.RoundTrip)
		}
	}
}

// What a table's own answers tell is enough, and what nobody tells is unknown by name.
func TestTransitGatewayAnswersThatMayStandForOthers(t *testing.T) {
	r := newMesh(t)
	g := r.Find(*tgw.Describe(r).TransitGateways[0].TransitGatewayId).(*tgw.TransitGateway)
	table := g.DefaultRouteTable()
	wrapped := func(files fstest.MapFS, name string, v any) {
		files["us-east-1/"+name+".json"] = &fstest.MapFile{Data: got(json.Marshal(v)).or(t)}
	}
	ask := func(files fstest.MapFS, dst string) reach.Result {
		n, err := load.FS(files, load.Config{})
		require.NoError(t, err)
		return got(reach.New(n.World, reach.Config{})).or(t).Ask(reach.Spec{From: "10.1.0.4", To: dst})
	}
	const beyond = "172.16.0.9"
	for name, c := range map[string]struct {
		edit  func(files fstest.MapFS)
		dst   string
		where string // contains
		end   trace.Reason
	}{
		"associations of the table": {func(f fstest.MapFS) {
			edited(t, f, "TransitGatewayAttachments", func(a *ec2.DescribeTransitGatewayAttachmentsResult) {
				for i := range a.TransitGatewayAttachments {
					a.TransitGatewayAttachments[i].Association = nil
				}
			})
			wrapped(f, "associations-"+table.ID(), table.Associations())
		}, beyond, "eni-", trace.Unmodelled},
		"the same in a collector's wrapper": {func(f fstest.MapFS) {
			delete(f, "us-east-1/TransitGatewayAttachments.json")
			wrapped(f, "associations", map[string]any{"TransitGatewayRouteTableAssociations": []any{map[string]any{
				"TransitGatewayRouteTableId": table.ID(), "Associations": table.Associations().Associations,
			}}})
		}, beyond, "eni-", trace.Unmodelled},
		"no peers are told": {func(f fstest.MapFS) { delete(f, "us-east-1/TransitGatewayConnectPeers.json") }, beyond, "tgw-attach-", trace.Unmodelled},
		"no Connect attachments are told": {func(f fstest.MapFS) {
			delete(f, "us-east-1/TransitGatewayConnects.json")
		}, beyond, "tgw-attach-", trace.Unmodelled},
		"routes that name the list": {func(f fstest.MapFS) {
			delete(f, "us-east-1/TransitGatewayPrefixListReferences.json")
			wrapped(f, "routes-"+table.ID(), table.Search())
		}, "172.21.0.9", "tgw-", trace.TransitBlackhole},
		"nothing names the list": {func(f fstest.MapFS) {
			delete(f, "us-east-1/TransitGatewayPrefixListReferences.json")
		}, "172.21.0.9", "eni-", trace.Unmodelled},
	} {
		t.Run(name, func(t *testing.T) {
			files := folder(r, "us-east-1")
			c.edit(files)
			result := ask(files, c.dst)
			require.Equal(t, c.end, result.End())
			require.True(t, strings.HasPrefix(result.Where, c.where), result.Where)
		})
	}
}
