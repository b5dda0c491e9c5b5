package vpc

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/filter"
)

// NetworkACL is an ordered list of rules at the border of subnets.
type NetworkACL struct {
	Base
	vpc             *VPC
	ingress, egress []ACLEntry
}

// ACLEntry is one rule of a network ACL.
type ACLEntry struct {
	// Number orders the rules, 1 to 32766; the lowest that matches decides.
	Number int
	// Allow says whether it allows; false denies.
	Allow bool
	// Protocol, FromPort and ToPort are as in Permission.
	Protocol, FromPort, ToPort int
	// CIDR is the source of ingress rules, the destination of egress rules.
	CIDR netip.Prefix
}

// NetworkACLConfig says how a network ACL is made.
type NetworkACLConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
}

// CreateNetworkACL makes a network ACL without rules, which denies everything.
func (v *VPC) CreateNetworkACL(c NetworkACLConfig) (*NetworkACL, error) {
	var a *NetworkACL
	err := v.region.Change(func(tx *Tx) error {
		id, err := tx.NewID("acl", c.ID)
		if err != nil {
			return err
		}
		a = &NetworkACL{Base: Base{id: id, region: v.region}, vpc: v}
		if c.Name != "" {
			a.setTag("Name", c.Name)
		}
		v.acls = append(v.acls, a)
		tx.Add(a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// newDefaultACL makes the VPC's default ACL: rule 100 allows all IPv4, rule 101 all
// IPv6, both ways (VPC guide, "Default network ACL").
func (tx *Tx) newDefaultACL(v *VPC) {
	a := &NetworkACL{Base: Base{id: tx.r.ids.next("acl"), region: v.region}, vpc: v}
	all := []ACLEntry{
		{Number: 100, Allow: true, Protocol: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")},
		{Number: 101, Allow: true, Protocol: -1, CIDR: netip.MustParsePrefix("::/0")},
	}
	a.ingress, a.egress = all, slices.Clone(all)
	v.acls = append(v.acls, a)
	tx.Add(a)
}

// CreateIngressEntry adds an ingress rule. A number that is taken is refused with
// NetworkAclEntryAlreadyExists.
func (a *NetworkACL) CreateIngressEntry(e ACLEntry) error { return a.create(&a.ingress, e) }

// CreateEgressEntry adds an egress rule, as CreateIngressEntry does.
func (a *NetworkACL) CreateEgressEntry(e ACLEntry) error { return a.create(&a.egress, e) }

func (a *NetworkACL) create(list *[]ACLEntry, e ACLEntry) error {
	return a.region.Change(func(*Tx) error {
		e, err := e.check()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(*list, func(o ACLEntry) bool { return o.Number == e.Number }) {
			return refuse("NetworkAclEntryAlreadyExists", "The network acl entry identified by %d already exists.", e.Number)
		}
		*list = append(slices.Clone(*list), e)
		slices.SortFunc(*list, func(x, y ACLEntry) int { return x.Number - y.Number })
		return nil
	})
}

// DeleteIngressEntry deletes an ingress rule by its number (the sentence of the
// refusal is inferred).
func (a *NetworkACL) DeleteIngressEntry(number int) error { return a.remove(&a.ingress, number) }

// DeleteEgressEntry deletes an egress rule, as DeleteIngressEntry does.
func (a *NetworkACL) DeleteEgressEntry(number int) error { return a.remove(&a.egress, number) }

func (a *NetworkACL) remove(list *[]ACLEntry, number int) error {
	return a.region.Change(func(*Tx) error {
		at := slices.IndexFunc(*list, func(e ACLEntry) bool { return e.Number == number })
		if at < 0 {
			return refuse("InvalidNetworkAclEntry.NotFound", "The network acl entry identified by %d does not exist.", number)
		}
		*list = slices.Delete(slices.Clone(*list), at, at+1)
		return nil
	})
}

func (e ACLEntry) check() (ACLEntry, error) {
	if e.Number < filter.FirstACLNumber || e.Number > filter.LastACLNumber {
		return e, refuse("InvalidParameterValue", "Value (%d) for parameter ruleNumber is invalid. Expected 1 to 32766.", e.Number)
	}
	if !e.CIDR.IsValid() {
		return e, refuse("InvalidParameterValue", "Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", e.CIDR)
	}
	p := e.permission().canonical()
	if err := p.check(); err != nil {
		return e, err
	}
	e.CIDR, e.Protocol, e.FromPort, e.ToPort = p.CIDR, p.Protocol, p.FromPort, p.ToPort
	return e, nil
}

func (e ACLEntry) permission() Permission {
	return Permission{Protocol: e.Protocol, FromPort: e.FromPort, ToPort: e.ToPort, CIDR: e.CIDR}
}

// SetNetworkACL gives the subnet another network ACL (ReplaceNetworkAclAssociation).
func (s *Subnet) SetNetworkACL(a *NetworkACL) error {
	return s.region.Change(func(*Tx) error {
		if a.vpc != s.vpc {
			return refuse("InvalidNetworkAclID.NotFound", "The network acl ID '%s' does not exist", a.id)
		}
		s.acl = a
		return nil
	})
}

// NetworkACL returns the subnet's network ACL.
func (s *Subnet) NetworkACL() *NetworkACL {
	var a *NetworkACL
	s.region.read(func() { a = s.acl })
	return a
}

// compile returns one direction's rules as packets are held against them. The
// rules were checked when they were added.
func (a *NetworkACL) compile(list []ACLEntry) *filter.ACL {
	rules := make([]filter.ACLRule, len(list))
	for i, e := range list {
		rules[i] = filter.ACLRule{Number: e.Number, Allow: e.Allow, Traffic: e.permission().traffic(), Peer: e.CIDR}
	}
	acl, err := filter.NewACL(rules)
	if err != nil {
		panic("vpc: " + a.id + " holds rules that were not checked: " + err.Error())
	}
	return &acl
}
