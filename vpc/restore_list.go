package vpc

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/wire"
)

// RestorePrefixList makes a managed prefix list with its entries, those of
// GetManagedPrefixListEntries. One that AWS owns is a service's.
func (tx *Tx) RestorePrefixList(s ec2.ManagedPrefixList, entries []ec2.PrefixListEntry) (*PrefixList, error) {
	cidrs := make([]string, len(entries))
	for i, e := range entries {
		cidrs[i] = ec2.Value(e.Cidr)
	}
	l, err := tx.restoreList(s.PrefixListId, s.OwnerId, s.PrefixListName, s.Tags, "Entries", cidrs)
	if err != nil {
		return nil, err
	}
	l.four, l.aws = ec2.Value(s.AddressFamily) != "IPv6", ec2.Value(s.OwnerId) == "AWS"
	l.max, l.version = max(int(ec2.Value(s.MaxEntries)), len(l.entries)), max(ec2.Value(s.Version), 1)
	return l, nil
}

// RestoreServiceList makes the prefix list of a service, as DescribePrefixLists has it.
func (tx *Tx) RestoreServiceList(s ec2.PrefixList) (*PrefixList, error) {
	l, err := tx.restoreList(s.PrefixListId, nil, s.PrefixListName, nil, "Cidrs", s.Cidrs)
	if err != nil {
		return nil, err
	}
	l.four, l.aws, l.max = len(l.entries) == 0 || l.entries[0].Addr().Is4(), true, len(l.entries)
	return l, nil
}

// RestoreUntold says that no description tells the list's entries: what a route or a rule
// of it may take ends as trace.Unmodelled. A list for a gateway endpoint holds addresses
// of the internet alone (PrivateLink guide, "Gateway endpoints").
func (l *PrefixList) RestoreUntold(tx *Tx) {
	l.untold, l.public = tx.Missing(l.id), l.public || l.endpoint()
}

// endpoint reports whether the list is of a service that has gateway endpoints.
func (l *PrefixList) endpoint() bool {
	return l.aws && strings.HasPrefix(l.name, "com.amazonaws.") && (strings.HasSuffix(l.name, ".s3") || strings.HasSuffix(l.name, ".dynamodb"))
}

// untoldList returns a list that only others' descriptions name, whose entries nobody
// knows.
func (tx *Tx) untoldList(field string, id *string) (*PrefixList, error) {
	l, err := Named[*PrefixList](tx, field, id)
	switch {
	case err == nil && l.untold == "":
		return l, nil
	case err != nil && (ec2.Value(id) == "" || tx.r.byID[*id] != nil):
		return nil, err
	case err != nil:
		l = &PrefixList{Base: Base{id: *id, region: tx.r}, four: true, version: 1}
		l.RestoreUntold(tx)
		tx.Add(l)
	}
	return l, Absent(field, l.id)
}

func (tx *Tx) restoreList(id, owner, name *string, tags []ec2.Tag, field string, cidrs []string) (*PrefixList, error) {
	b, err := tx.RestoreBase("PrefixListId", id, owner, tags)
	if err != nil {
		return nil, err
	}
	l := &PrefixList{Base: b, name: ec2.Value(name), version: 1}
	for i, c := range cidrs {
		p, err := netip.ParsePrefix(c)
		if err != nil || p.Addr().Is4In6() {
			return nil, malformedShape(member(field, i, "Cidr"), c, "a CIDR, such as 10.0.0.0/16")
		}
		if p = p.Masked(); !slices.Contains(l.entries, p) {
			l.entries = append(l.entries, p)
		}
	}
	tx.r.lists = append(tx.r.lists, l)
	tx.Add(l)
	return l, nil
}

// RestoreDHCPOptions makes a DHCP option set.
func (tx *Tx) RestoreDHCPOptions(s ec2.DhcpOptions) (*DHCPOptions, error) {
	b, err := tx.RestoreBase("DhcpOptionsId", s.DhcpOptionsId, s.OwnerId, s.Tags)
	if err != nil {
		return nil, err
	}
	d := &DHCPOptions{Base: b}
	for _, c := range s.DhcpConfigurations {
		o := DHCPOption{Key: ec2.Value(c.Key)}
		for _, value := range c.Values {
			o.Values = append(o.Values, ec2.Value(value.Value))
		}
		d.options = append(d.options, o)
	}
	tx.r.dhcp = append(tx.r.dhcp, d)
	tx.Add(d)
	return d, nil
}

// RestoreAddress makes an Elastic IP address. Its association is the interface's, which
// is restored after it; see [Tx.RestoreAssociation].
func (tx *Tx) RestoreAddress(s ec2.Address) (*Address, error) {
	b, err := tx.RestoreBase("AllocationId", s.AllocationId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	public, err := shapeAddr("PublicIp", s.PublicIp, false)
	if err != nil {
		return nil, err
	}
	e := &Address{Base: b, public: public}
	tx.r.public.take(public)
	tx.r.eips = append(tx.r.eips, e)
	tx.Add(e)
	return e, nil
}

// RestoreAssociation gives an address to the private address that its description
// names, unless the interface's description has done so. It is Absent where there is no
// such interface.
func (tx *Tx) RestoreAssociation(e *Address, s ec2.Address) error {
	if e.to != nil || s.NetworkInterfaceId == nil {
		return nil
	}
	n, err := Named[*NetworkInterface](tx, "NetworkInterfaceId", s.NetworkInterfaceId)
	if err != nil {
		return err
	}
	private, err := shapeAddr("PrivateIpAddress", s.PrivateIpAddress, false)
	if err != nil {
		return err
	}
	at := n.private(private)
	if at == nil || at.Public.IsValid() {
		return Absent("PrivateIpAddress", private.String())
	}
	tx.tie(e, n, at, ec2.Value(s.AssociationId))
	return nil
}

// RestoreReleased has packets from the internet for the public address of a deleted
// resource, which descriptions keep for a while, die at the region's border: nobody in
// the region has it any more (measured: labs, a deleted NAT gateway's). An address that
// something else has by now is not touched.
func (tx *Tx) RestoreReleased(a netip.Addr) { tx.r.released = append(tx.r.released, wire.AddrFrom(a)) }
