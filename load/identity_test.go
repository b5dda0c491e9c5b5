package load_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
)

// document reads a JSON document.
func document(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(text, &v))
	return v
}

// sinceThen are the members that AWS's answers have got since files were recorded, with
// what they say of a network that has been there before; "" is what depends on the
// resource. What is printed of a loaded network has them.
var sinceThen = map[string]string{
	"AvailabilityZones.GroupName":                                          "",
	"AvailabilityZones.NetworkBorderGroup":                                 "",
	"AvailabilityZones.OptInStatus":                                        `"opt-in-not-required"`,
	"AvailabilityZones.ZoneType":                                           `"availability-zone"`,
	"NatGateways.ConnectivityType":                                         `"public"`,
	"NatGateways.NatGatewayAddresses.AssociationId":                        "",
	"NetworkInterfaces.Attachment.NetworkCardIndex":                        "0",
	"Reservations.Instances.NetworkInterfaces.Attachment.NetworkCardIndex": "0",
	"RouteTables.Associations.AssociationState":                            `{"State":"associated"}`,
	"SecurityGroups.SecurityGroupArn":                                      "",
	"Subnets.EnableDns64":                                                  "false",
	"Subnets.Ipv6Native":                                                   "false",
	"Subnets.MapCustomerOwnedIpOnLaunch":                                   "false",
	"Subnets.PrivateDnsNameOptionsOnLaunch":                                `{"EnableResourceNameDnsAAAARecord":false,"EnableResourceNameDnsARecord":false,"HostnameType":"ip-name"}`,
	"TransitGatewayVpcAttachments.Options.ApplianceModeSupport":            `"disable"`,
	"TransitGatewayVpcAttachments.Options.SecurityGroupReferencingSupport": `"enable"`,
	"TransitGateways.Options.MulticastSupport":                             `"disable"`,
	"TransitGateways.Options.SecurityGroupReferencingSupport":              `"disable"`,
	// An empty list of tags was left out by some of the services.
	"Reservations.Instances.Tags": "[]",
	"SecurityGroups.Tags":         "[]",
	"Subnets.Tags":                "[]",
	"Vpcs.Tags":                   "[]",
	"LoadBalancerListeners.Listeners.DefaultActions.ForwardConfig.TargetGroupStickinessConfig": `{"Enabled":false}`,
	"LoadBalancerListeners.Listeners.DefaultActions.ForwardConfig.TargetGroups.Weight":         "1",
	// One action has no order among others.
	"LoadBalancerListeners.Listeners.DefaultActions.Order": "",
	// Of a whole answer.
	"TransitGatewayStaticRoutes.AdditionalRoutesAvailable": "",
	// A collector may leave out what it has no use for; what is answered instead are AWS's
	// defaults, or what the files tell elsewhere.
	"LoadBalancerAttributes.Attributes": "",
	"ListenerRules":                     "",
	"TargetGroupAttributes":             "",
	"VpcAttributes":                     "",
	// The set that VPCs have where no file holds the one that they name.
	"DhcpOptions": "",
}

var index = regexp.MustCompile(`\[[^\]]*\]`)

// differences compares what a file says with what Describe says and returns, by the
// path without indices, one example of each difference.
func differences(want, got any, path string, to map[string]string) {
	differ := func(w, g any) {
		p := index.ReplaceAllString(path, "")
		if to[p] == "" {
			to[p] = fmt.Sprintf("%s: file %s, described %s", path, brief(w), brief(g))
		}
	}
	if d, ok := sinceThen[index.ReplaceAllString(path, "")]; ok && (want == nil || got == nil) && (d == "" || d == brief(got)) {
		return
	}
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			differ(want, got)
			return
		}
		keys := slices.Sorted(maps.Keys(w))
		for k := range g {
			if _, ok := w[k]; !ok {
				keys = append(keys, k)
			}
		}
		for _, k := range keys {
			differences(w[k], g[k], path+"."+k, to)
		}
	case []any:
		if _, known := sinceThen[index.ReplaceAllString(path, "")]; known && len(w) == 0 {
			return
		}
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			differ(want, got)
			return
		}
		for i := range w {
			differences(w[i], g[i], fmt.Sprintf("%s[%d]", path, i), to)
		}
	default:
		if !same(want, got) {
			differ(want, got)
		}
	}
}

func same(a, b any) bool {
	x, isText := a.(string)
	y, both := b.(string)
	if isText && both {
		return x == y || instant(x) != "" && instant(x) == instant(y)
	}
	return a == b
}

// instant returns a timestamp in one form, "" where the text is none.
func instant(s string) string {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC().Truncate(time.Second).String()
		}
	}
	return ""
}

func brief(v any) string {
	b, _ := json.Marshal(v)
	if len(b) > 160 {
		b = append(b[:160], "…"...)
	}
	return string(b)
}

// ordered sorts lists, whose order AWS does not promise, by their entries' JSON, ids
// first.
func ordered(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = ordered(x[k])
		}
	case []any:
		for i := range x {
			x[i] = ordered(x[i])
		}
		x = slices.DeleteFunc(x, func(e any) bool { // a CIDR that the VPC had once
			m, _ := e.(map[string]any)
			s, _ := m["CidrBlockState"].(map[string]any)
			return s["State"] == "disassociated"
		})
		slices.SortFunc(x, func(a, b any) int { return strings.Compare(sortKey(a), sortKey(b)) })
		return x
	}
	return v
}

func sortKey(v any) string {
	m, ok := v.(map[string]any)
	if !ok {
		return brief(v)
	}
	for _, k := range []string{
		"ListenerArn", "TargetGroupArn", "LoadBalancerArn", "PrefixListId", "ZoneId", "ReservationId", "AllocationId", "NatGatewayId", "VpnGatewayId", "VpcPeeringConnectionId", "VpcEndpointId", "InstanceId",
		"NetworkInterfaceId", "RouteTableAssociationId", "NetworkAclAssociationId", "SubnetId", "RouteTableId", "NetworkAclId", "GroupId",
		"InternetGatewayId", "EgressOnlyInternetGatewayId", "TransitGatewayAttachmentId", "TransitGatewayRouteTableId", "TransitGatewayId",
		"VpcId", "DhcpOptionsId",
	} {
		if s, ok := m[k].(string); ok && m["Origin"] == nil {
			return k + s
		}
	}
	return brief(m["DestinationCidrBlock"]) + brief(m["CidrIp"]) + brief(m["Key"]) + brief(m["CidrBlock"]) + brief(m["RuleNumber"]) + brief(m["Egress"]) +
		brief(m["ZoneName"]) + brief(m["IpProtocol"]) + brief(m["FromPort"]) + brief(m["ToPort"]) + brief(v)
}

func TestWhatIsLoadedIsDescribedAsItWas(t *testing.T) {
	labs(t, func(t *testing.T, _, dir string) {
		n, err := load.Dir(dir, load.Config{})
		require.NoError(t, err)
		gone := map[string]bool{}
		for _, s := range n.Skipped {
			gone[s.File+" "+s.Path] = true
		}
		found := map[string]string{}
		answers := map[string][]any{}
		for _, r := range n.Regions {
			for _, a := range load.Answers(r) {
				if list, ok := document(t, a.JSON).(map[string]any)[a.Key].([]any); ok { // see TestPublicAccessIsBlocked
					answers[a.Key] = append(answers[a.Key], list...)
				}
			}
		}
		for key, answer := range answers {
			want := recorded(t, os.DirFS(dir), key, func(file, path string) bool { return gone[file+" "+path] })
			switch key {
			case "LoadBalancerAttributes": // AWS has added two since
				for _, l := range answer {
					m := l.(map[string]any)
					m["Attributes"] = slices.DeleteFunc(m["Attributes"].([]any), func(a any) bool {
						return slices.Contains([]any{"dns_record.client_routing_policy", "ipv6.deny_all_igw_traffic"}, a.(map[string]any)["Key"])
					})
				}
			case "VpnConnections": // see TestTunnelsAreReadOfXML
				continue
			case "PrefixLists": // files hold DescribePrefixLists, with the entries; see below
				continue
			case "PrefixListEntries":
				for _, l := range recorded(t, os.DirFS(dir), "PrefixLists", func(string, string) bool { return false }) {
					m := map[string]any{"PrefixListId": l.(map[string]any)["PrefixListId"]}
					entries := []any{}
					for _, c := range l.(map[string]any)["Cidrs"].([]any) {
						entries = append(entries, map[string]any{"Cidr": c})
					}
					m["Entries"] = entries
					want = append(want, m)
				}
			}
			var got []any
			for _, x := range answer { // a connection of two regions stands in both
				if !slices.ContainsFunc(got, func(o any) bool { return sortKey(o) == sortKey(x) }) {
					got = append(got, x)
				}
			}
			differences(ordered(want), ordered(got), key, found)
		}
		require.Empty(t, slices.Sorted(maps.Values(found)))
	})
}

// recorded is what the files list under a key, without what was skipped and what
// another account has told.
func recorded(t *testing.T, fsys fs.FS, key string, skipped func(file, path string) bool) []any {
	list := []any{}
	seen := map[string]bool{}
	require.NoError(t, fs.WalkDir(fsys, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".json") {
			return err
		}
		b, err := fs.ReadFile(fsys, name)
		require.NoError(t, err)
		var file map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(b, &file))
		var entries []any
		if file[key] == nil {
			return nil
		}
		require.NoError(t, json.Unmarshal(file[key], &entries))
		for i, e := range entries {
			path := fmt.Sprintf("%s[%d]", key, i)
			if key == "Reservations" {
				path += ".Instances[0]"
			}
			id := sortKey(e)
			entry := e.(map[string]any)
			status, _ := entry["Status"].(map[string]any)
			if entry["State"] == "deleted" || status["Code"] == "deleted" {
				continue // stays in the files
			}
			if !skipped(name, path) && !seen[id] {
				seen[id] = true
				list = append(list, e)
			}
		}
		return nil
	}))
	return list
}
