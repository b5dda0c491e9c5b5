package load

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/cagw"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpn"
)

// restoring makes one region of a snapshot.
type restoring struct {
	*snapshot
	network *Network
	tx      *vpc.Tx
	account string            // whose file is read
	seen    map[string]Source // the ids that were read: two regions may know one peering
}

// restore makes the region of a snapshot.
func (n *Network) restore(s *snapshot, c Config) *vpc.Region {
	zones, ids := s.zones()
	r := n.World.Region(vpc.RegionConfig{
		Name: s.region, Zones: zones, ZoneIDs: ids, Account: cmp.Or(c.Account, s.account()), Bare: true, Unlimited: true,
	})
	r.Change(func(tx *vpc.Tx) error {
		l := &restoring{snapshot: s, network: n, tx: tx, seen: map[string]Source{}}
		tx.RestoreMissing(l.missing)
		for _, step := range []func(){l.lists, l.places, l.rules, l.hosts, l.gateways, l.transit, l.services, l.routes, l.complete, l.gaps} {
			step()
		}
		return nil
	})
	return r
}

// zones returns the names and ids of the region's zones: those that a file lists, and
// those that subnets lie in. Accounts have names of their own for zones; the first
// account's are used.
func (s *snapshot) zones() (names, ids []string) {
	add := func(name, id string) {
		switch known := slices.Index(names, name); {
		case name == "", id != "" && slices.Contains(ids, id), known >= 0 && id == "":
		case known >= 0: // one that only another account has told
			names, ids = append(names, id), append(ids, id)
		default:
			names, ids = append(names, name), append(ids, id)
		}
	}
	for _, z := range s.Zones {
		add(ec2.Value(z.shape.ZoneName), ec2.Value(z.shape.ZoneId))
	}
	s.nameZones()
	for _, sub := range s.Subnets {
		add(ec2.Value(sub.shape.AvailabilityZone), ec2.Value(sub.shape.AvailabilityZoneId))
	}
	return names, ids
}

// nameZones gives subnets whose description has no zone id that of their account's
// zone of the name.
func (s *snapshot) nameZones() {
	ids := map[[2]string]*string{}
	for _, z := range s.Zones {
		ids[[2]string{z.file.account, ec2.Value(z.shape.ZoneName)}] = z.shape.ZoneId
	}
	for k := range s.Subnets {
		sub := &s.Subnets[k]
		if sub.shape.AvailabilityZoneId == nil {
			account := cmp.Or(ec2.Value(sub.shape.OwnerId), sub.file.account)
			sub.shape.AvailabilityZoneId = ids[[2]string{account, ec2.Value(sub.shape.AvailabilityZone)}]
		}
	}
}

// account returns the owner of the region's first VPC, or the account that a path names.
func (s *snapshot) account() string {
	for _, v := range s.Vpcs {
		if id := cmp.Or(ec2.Value(v.shape.OwnerId), v.file.account); id != "" {
			return id
		}
	}
	return ""
}

// each restores the items in their order, those of one id once. gone says why a
// resource is left out, "" where it is not.
func each[T, R any](l *restoring, items []item[T], id func(*T) *string, gone func(*T) string, restore func(T) (R, error)) {
	for _, i := range preferred(items, id) {
		key := ec2.Value(id(&i.shape))
		if _, seen := l.seen[key]; seen && key != "" {
			continue
		}
		if why := gone(&i.shape); why != "" {
			l.leave(Skip{File: i.file.name, Path: i.path(), Reason: fmt.Sprintf("%s is %s", key, why), ID: key}, i.shape)
			continue
		}
		before := len(l.network.Skipped)
		l.read(key, i.file, i.path())
		l.account = i.file.account
		l.tx.RestoreFor(i.file.account)
		_, err := restore(i.shape)
		l.note(i.file, i.path(), err)
		if _, gone := vpc.Named[vpc.Resource](l.tx, "", &key); gone != nil && len(l.network.Skipped) > before {
			s := l.network.Skipped[before]
			l.network.Skipped = slices.Delete(l.network.Skipped, before, before+1)
			s.ID = key
			switch {
			case strings.HasPrefix(key, "arn:"):
				s.Reason += "; it is left out"
			case key != "":
				s.Reason += "; " + key + " is left out"
			}
			l.leave(s, i.shape)
		}
	}
}

// preferred returns the items, of several with one id the one that the owner's account
// tells, else the first: others do not see all of a shared resource, such as its tags
// (VPC guide, "Share your VPC subnets").
func preferred[T any](items []item[T], id func(*T) *string) []*item[T] {
	list := make([]*item[T], 0, len(items))
	at := make(map[string]int, len(items))
	for k := range items {
		i := &items[k]
		key := ec2.Value(id(&i.shape))
		if n, twice := at[key]; twice && key != "" {
			if !list[n].owned() && i.owned() {
				list[n] = i
			}
			continue
		}
		at[key] = len(list)
		list = append(list, i)
	}
	return list
}

// owned reports whether the account that the item's path names owns the resource.
func (i *item[T]) owned() bool {
	if i.file.account == "" {
		return false
	}
	s := reflect.ValueOf(&i.shape).Elem()
	for _, member := range []string{"OwnerId", "VpcOwnerId", "OwnerAccount"} {
		if f := s.FieldByName(member); f.IsValid() {
			owner, _ := f.Interface().(*string)
			return ec2.Value(owner) == i.file.account
		}
	}
	return false
}

// read takes down where a resource stands.
func (l *restoring) read(id string, f *file, path string) {
	l.seen[id] = Source{f.name, path}
	if _, elsewhere := l.network.sources[id]; !elsewhere {
		l.network.sources[id] = l.seen[id]
	}
}

// here is the gone of kinds that are listed as long as they are there.
func here[T any](*T) string { return "" }

func (l *restoring) skip(f *file, path, reason string) {
	l.network.Skipped = append(l.network.Skipped, Skip{File: f.name, Path: path, Reason: reason})
}

// leave takes down a resource of which the network has nothing, and what it is called.
func (l *restoring) leave(s Skip, shape any) {
	l.network.Skipped = append(l.network.Skipped, s)
	l.network.left[s.ID] = s
	n, ok := shape.(ec2.NetworkInterface)
	if !ok {
		return
	}
	l.forsake(n, "not in the network: "+s.Reason)
	names := []*string{n.PrivateIpAddress}
	for _, a := range n.Ipv6Addresses {
		names = append(names, a.Ipv6Address)
	}
	for _, tag := range n.TagSet {
		if ec2.Value(tag.Key) == "Name" {
			names = append(names, tag.Value)
		}
	}
	for _, name := range names {
		text := ec2.Value(name)
		if a, err := netip.ParseAddr(text); err == nil {
			text = a.String()
		}
		if text != "" {
			l.network.left[text] = s
		}
	}
}

// note takes down what restoring an item said: that a member means nothing, or names
// what the network lacks.
func (l *restoring) note(f *file, path string, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			l.note(f, path, e)
		}
		return
	}
	var s *vpc.ShapeError
	switch {
	case err == nil:
	case errors.As(err, &s):
		l.skip(f, trimDot(path+"."+s.Field), absence(s))
		l.network.Skipped[len(l.network.Skipped)-1].value = s.Value
	default:
		l.skip(f, path, err.Error())
	}
}

// absence is the sentence about a shape that means nothing, or names what is not there.
func absence(s *vpc.ShapeError) string {
	text := fmt.Sprintf("%q: expected %s", s.Value, s.Want)
	var plain *vpc.ShapeError
	if errors.As(vpc.Absent("", ""), &plain); s.Absent && s.Want == plain.Want {
		text = "no file holds " + cmp.Or(s.Value, "it")
	}
	if s.Instead != "" {
		text += ": " + s.Instead
	}
	return text
}

// lists restores what has no place: prefix lists and DHCP options.
func (l *restoring) lists() {
	entries := map[string][]ec2.PrefixListEntry{}
	for _, e := range l.ListEntries {
		entries[ec2.Value(e.shape.PrefixListId)] = e.shape.Entries
	}
	each(l, l.ServiceLists, func(s *ec2.PrefixList) *string { return s.PrefixListId }, here, l.tx.RestoreServiceList)
	each(l, l.ManagedLists, func(s *ec2.ManagedPrefixList) *string { return s.PrefixListId }, here,
		func(s ec2.ManagedPrefixList) (*vpc.PrefixList, error) {
			return l.tx.RestorePrefixList(s, entries[ec2.Value(s.PrefixListId)])
		})
	for _, id := range l.untoldLists() {
		if x, err := vpc.Named[*vpc.PrefixList](l.tx, "", &id); err == nil {
			x.RestoreUntold(l.tx)
		}
	}
	each(l, l.Dhcp, func(s *ec2.DhcpOptions) *string { return s.DhcpOptionsId }, here, l.tx.RestoreDHCPOptions)
}

// places restores VPCs and subnets.
func (l *restoring) places() {
	each(l, l.Vpcs, func(s *ec2.Vpc) *string { return s.VpcId }, here, l.tx.RestoreVPC)
	each(l, l.Subnets, func(s *ec2.Subnet) *string { return s.SubnetId }, here, l.tx.RestoreSubnet)
	for _, i := range l.PublicAccess {
		l.tx.RestoreFor(i.file.account)
		l.note(i.file, i.key, l.tx.RestorePublicAccess(i.shape))
	}
	each(l, l.Exclusions, func(s *ec2.VpcBlockPublicAccessExclusion) *string { return s.ExclusionId }, goneExclusion, l.tx.RestorePublicAccessExclusion)
}

// goneExclusion is the reason to leave out an exclusion that is not in force.
func goneExclusion(s *ec2.VpcBlockPublicAccessExclusion) string {
	switch state := ec2.Value(s.State); state {
	case ec2.VpcBlockPublicAccessExclusionStateDeleteComplete, ec2.VpcBlockPublicAccessExclusionStateDeleteInProgress,
		ec2.VpcBlockPublicAccessExclusionStateCreateFailed:
		return string(state)
	}
	return ""
}

// rules restores security groups, network ACLs and the shells of route tables.
func (l *restoring) rules() {
	each(l, l.Groups, func(s *ec2.SecurityGroup) *string { return s.GroupId }, here, l.tx.RestoreSecurityGroup)
	follow(l, l.Groups, func(s *ec2.SecurityGroup) *string { return s.GroupId }, l.tx.RestorePermissions)
	each(l, l.Acls, func(s *ec2.NetworkAcl) *string { return s.NetworkAclId }, here, l.tx.RestoreNetworkACL)
	each(l, l.Tables, func(s *ec2.RouteTable) *string { return s.RouteTableId }, here, l.tx.RestoreRouteTable)
}

// follow is the second step of what each has restored from the same items.
func follow[T any, R vpc.Resource](l *restoring, items []item[T], id func(*T) *string, restore func(R, T) error) {
	for _, i := range items {
		key := id(&i.shape)
		if l.seen[ec2.Value(key)] != (Source{i.file.name, i.path()}) {
			continue
		}
		if x, err := vpc.Named[R](l.tx, "", key); err == nil {
			l.account = i.file.account
			l.note(i.file, i.path(), restore(x, i.shape))
		}
	}
}

// hosts restores instances, interfaces and addresses.
func (l *restoring) hosts() {
	each(l, l.Addresses, func(s *ec2.Address) *string { return s.AllocationId }, here, l.tx.RestoreAddress)
	for _, r := range l.Reservations {
		for k, i := range r.shape.Instances {
			one := []item[ec2.Instance]{{shape: i, file: r.file, key: r.path() + ".Instances", index: k, at: r.at}}
			each(l, one, func(s *ec2.Instance) *string { return s.InstanceId }, goneInstance, func(s ec2.Instance) (*vpc.Instance, error) {
				return l.tx.RestoreInstance(s, r.shape.ReservationId, r.shape.OwnerId)
			})
		}
	}
	each(l, append(slices.Clip(l.Interfaces), l.ofInstances()...), func(s *ec2.NetworkInterface) *string { return s.NetworkInterfaceId }, here, l.tx.RestoreInterface)
	follow(l, l.Addresses, func(s *ec2.Address) *string { return s.AllocationId }, l.tx.RestoreAssociation)
}

func goneInstance(s *ec2.Instance) string {
	if s.State != nil {
		switch name := ec2.Value(s.State.Name); name {
		case ec2.InstanceStateNameTerminated, ec2.InstanceStateNameShuttingDown:
			return string(name)
		}
	}
	return ""
}

// ended returns a state in which a resource takes part in nothing any more.
func ended[T ~string](state *T) string {
	switch s := strings.ToLower(string(ec2.Value(state))); s {
	case "deleted", "deleting", "failed", "rejected", "expired":
		return s
	}
	return ""
}

// goneNAT leaves out a deleted NAT gateway, whose public address nobody has now, and one
// that is still being made: what becomes of packets for it is not known.
func (l *restoring) goneNAT(s *ec2.NatGateway) string {
	why := ended(s.State)
	for _, a := range s.NatGatewayAddresses {
		if public, err := netip.ParseAddr(ec2.Value(a.PublicIp)); why != "" && err == nil {
			l.tx.RestoreReleased(public)
		}
	}
	if ec2.Value(s.State) == ec2.NatGatewayStatePending {
		return string(ec2.NatGatewayStatePending)
	}
	return why
}

// gateways restores the gateways of VPCs.
func (l *restoring) gateways() {
	each(l, l.Internet, func(s *ec2.InternetGateway) *string { return s.InternetGatewayId }, here, with(l, igw.Restore))
	l.inferredGateways()
	each(l, l.EgressOnly, func(s *ec2.EgressOnlyInternetGateway) *string { return s.EgressOnlyInternetGatewayId }, here, with(l, igw.RestoreEgressOnly))
	each(l, l.VpnGateways, func(s *ec2.VpnGateway) *string { return s.VpnGatewayId },
		func(s *ec2.VpnGateway) string { return ended(s.State) }, with(l, vgw.Restore))
	each(l, l.Carriers, func(s *ec2.CarrierGateway) *string { return s.CarrierGatewayId },
		func(s *ec2.CarrierGateway) string { return ended(s.State) }, with(l, cagw.Restore))
	l.localGateways()
	each(l, l.CustomerGateways, func(s *ec2.CustomerGateway) *string { return s.CustomerGatewayId },
		func(s *ec2.CustomerGateway) string { return ended(s.State) }, with(l, vpn.RestoreCustomerGateway))
	each(l, l.Nats, func(s *ec2.NatGateway) *string { return s.NatGatewayId },
		l.goneNAT, with(l, natgw.Restore))
	each(l, l.Peerings, func(s *ec2.VpcPeeringConnection) *string { return s.VpcPeeringConnectionId }, func(s *ec2.VpcPeeringConnection) string {
		if s.Status == nil {
			return ""
		}
		return ended(s.Status.Code)
	}, with(l, peering.Restore))
	each(l, l.Endpoints, func(s *ec2.VpcEndpoint) *string { return s.VpcEndpointId },
		func(s *ec2.VpcEndpoint) string { return ended(s.State) }, with(l, endpoint.Restore))
}

// with gives a package's Restore its transaction.
func with[T, R any](l *restoring, restore func(*vpc.Tx, T) (R, error)) func(T) (R, error) {
	return func(s T) (R, error) { return restore(l.tx, s) }
}

// transit restores transit gateways, their tables and attachments, and then what ties
// these.
func (l *restoring) transit() {
	each(l, l.Transits, func(s *ec2.TransitGateway) *string { return s.TransitGatewayId },
		func(s *ec2.TransitGateway) string { return ended(s.State) }, with(l, tgw.Restore))
	each(l, l.Vpns, func(s *ec2.VpnConnection) *string { return s.VpnConnectionId },
		func(s *ec2.VpnConnection) string { return ended(s.State) }, with(l, vpn.Restore))
	l.directConnect()
	each(l, l.TransitTables, func(s *ec2.TransitGatewayRouteTable) *string { return s.TransitGatewayRouteTableId },
		func(s *ec2.TransitGatewayRouteTable) string { return ended(s.State) }, with(l, tgw.RestoreRouteTable))
	described := l.vpcAttachments()
	each(l, described, func(s *ec2.TransitGatewayVpcAttachment) *string { return s.TransitGatewayAttachmentId },
		func(s *ec2.TransitGatewayVpcAttachment) string { return ended(s.State) }, with(l, tgw.RestoreAttachment))
	each(l, l.PeerAttachments, func(s *ec2.TransitGatewayPeeringAttachment) *string { return s.TransitGatewayAttachmentId },
		func(s *ec2.TransitGatewayPeeringAttachment) string { return ended(s.State) }, with(l, tgw.RestorePeering))
	own := map[string]bool{} // those that a description of their own tells of
	for _, d := range described {
		own[ec2.Value(d.shape.TransitGatewayAttachmentId)] = true
	}
	for _, d := range l.Connects {
		own[ec2.Value(d.shape.TransitGatewayAttachmentId)] = true
	}
	others := slices.DeleteFunc(slices.Clone(l.Attachments), func(i item[ec2.TransitGatewayAttachment]) bool {
		return own[ec2.Value(i.shape.TransitGatewayAttachmentId)]
	})
	each(l, others, func(s *ec2.TransitGatewayAttachment) *string { return s.TransitGatewayAttachmentId },
		func(s *ec2.TransitGatewayAttachment) string { return ended(s.State) }, with(l, tgw.RestoreOther))
	l.connects()
	l.associations()
	l.propagated()
	l.attachmentPropagations()
	for _, i := range l.TransitLists {
		l.note(i.file, i.path(), tgw.RestoreReference(l.tx, i.shape))
	}
	l.transitRoutes()
}

// routes restores the rows of route tables, when every target is there.
func (l *restoring) routes() {
	follow(l, l.Tables, func(s *ec2.RouteTable) *string { return s.RouteTableId }, l.tx.RestoreRoutes)
}

// complete makes what every VPC has and no file told.
func (l *restoring) complete() {
	for _, a := range l.Attributes {
		v, err := vpc.Named[*vpc.VPC](l.tx, "VpcId", a.shape.VpcId)
		if err != nil {
			l.note(a.file, a.path(), err)
			continue
		}
		l.tx.RestoreVPCAttributes(v, a.shape.EnableDnsSupport, a.shape.EnableDnsHostnames)
	}
	l.tx.RestoreStates()
	for _, v := range l.tx.VPCs() {
		l.account = v.OwnerID()
		for _, made := range l.tx.CompleteVPC(v, l.fresh) {
			then := "it was made as AWS makes it"
			switch {
			case l.fresh:
			case made == "main route table":
				then = "what a subnet without one of its own sends out of itself ends as not modelled"
			case made == "default network ACL", made == "default security group":
			default:
				then = "what crosses the subnet's border ends as not modelled"
			}
			at := l.network.sources[v.ID()]
			l.network.Skipped = append(l.network.Skipped, Skip{File: at.File, Path: at.Path, Reason: "no file holds the " + made + " of " + v.ID() + ": " + then})
		}
	}
}
