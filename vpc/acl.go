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
	isDefault       bool // the VPC's default ACL
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

	unread string // why nobody can tell what it does, of a description; "" where it can be read
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
	err := v.Change(func(tx *Tx) error {
		if err := tx.Within(QuotaNetworkACLs, len(v.acls), v.id); err != nil {
			return err
		}
		b, err := tx.NewBase("acl", c.ID, c.Name)
		if err != nil {
			return err
		}
		a = &NetworkACL{Base: b, vpc: v}
		v.acls = append(v.acls, a)
		tx.Add(a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// allowAll are the default ACL's entries: rule 100 allows all IPv4 and, in a VPC
// with IPv6, rule 101 all IPv6 (VPC guide, "Default network ACL").
var allowAll = []ACLEntry{
	{Number: 100, Allow: true, Protocol: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")},
	{Number: 101, Allow: true, Protocol: -1, CIDR: netip.MustParsePrefix("::/0")},
}

// newDefaultACL makes the VPC's default ACL.
func (tx *Tx) newDefaultACL(v *VPC) {
	a := &NetworkACL{Base: Base{id: tx.r.ids.next("acl"), region: v.region}, vpc: v, isDefault: true}
	a.ingress, a.egress = slices.Clone(allowAll[:1]), slices.Clone(allowAll[:1])
	v.acls = append(v.acls, a)
	tx.Add(a)
}

// allowIPv6 adds the default ACL's rules for IPv6 where it is unmodified.
func (a *NetworkACL) allowIPv6() {
	if slices.Equal(a.ingress, allowAll[:1]) && slices.Equal(a.egress, allowAll[:1]) {
		a.ingress, a.egress = slices.Clone(allowAll), slices.Clone(allowAll)
	}
}

// CreateIngressEntry adds an ingress rule. A number that is taken is refused with
// NetworkAclEntryAlreadyExists.
func (a *NetworkACL) CreateIngressEntry(e ACLEntry) error { return a.create(&a.ingress, e) }

// CreateEgressEntry adds an egress rule, as CreateIngressEntry does.
func (a *NetworkACL) CreateEgressEntry(e ACLEntry) error { return a.create(&a.egress, e) }

func (a *NetworkACL) create(list *[]ACLEntry, e ACLEntry) error {
	return a.Change(func(tx *Tx) error {
		e, err := e.check()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(*list, func(o ACLEntry) bool { return o.Number == e.Number }) {
			return Refuse("NetworkAclEntryAlreadyExists", "The network acl entry identified by %d already exists.", e.Number)
		}
		used := 0
		for _, o := range *list {
			if o.CIDR.Addr().Is4() == e.CIDR.Addr().Is4() {
				used++
			}
		}
		if err := tx.Within(QuotaNetworkACLEntries, used, a.id); err != nil {
			return err
		}
		*list = append(slices.Clone(*list), e)
		slices.SortFunc(*list, func(x, y ACLEntry) int { return x.Number - y.Number })
		return nil
	})
}

// ReplaceIngressEntry changes the ingress rule with the entry's number (the sentence
// of the refusal is inferred).
func (a *NetworkACL) ReplaceIngressEntry(e ACLEntry) error { return a.replace(&a.ingress, e) }

// ReplaceEgressEntry changes an egress rule, as ReplaceIngressEntry does.
func (a *NetworkACL) ReplaceEgressEntry(e ACLEntry) error { return a.replace(&a.egress, e) }

func (a *NetworkACL) replace(list *[]ACLEntry, e ACLEntry) error {
	return a.Change(func(*Tx) error {
		e, err := e.check()
		if err != nil {
			return err
		}
		at, err := indexOf(*list, e.Number)
		if err != nil {
			return err
		}
		*list = slices.Clone(*list)
		(*list)[at] = e
		return nil
	})
}

// DeleteIngressEntry deletes an ingress rule by its number (the sentence of the
// refusal is inferred).
func (a *NetworkACL) DeleteIngressEntry(number int) error { return a.remove(&a.ingress, number) }

// DeleteEgressEntry deletes an egress rule, as DeleteIngressEntry does.
func (a *NetworkACL) DeleteEgressEntry(number int) error { return a.remove(&a.egress, number) }

func (a *NetworkACL) remove(list *[]ACLEntry, number int) error {
	return a.Change(func(*Tx) error {
		at, err := indexOf(*list, number)
		if err != nil {
			return err
		}
		*list = slices.Delete(slices.Clone(*list), at, at+1)
		return nil
	})
}

func indexOf(list []ACLEntry, number int) (int, error) {
	at := slices.IndexFunc(list, func(e ACLEntry) bool { return e.Number == number })
	if at < 0 {
		return at, Refuse("InvalidNetworkAclEntry.NotFound", "The network acl entry identified by %d does not exist.", number)
	}
	return at, nil
}

// check refuses numbers, CIDRs and ports out of range (the sentence for the number
// is inferred) and returns the entry as it is stored: host bits dropped, ports gone
// of protocols that have none.
func (e ACLEntry) check() (ACLEntry, error) {
	if e.Number < filter.FirstACLNumber || e.Number > filter.LastACLNumber {
		return e, Refuse("InvalidParameterValue", "Value (%d) for parameter ruleNumber is invalid. Expected 1 to 32766.", e.Number)
	}
	if !e.CIDR.IsValid() || e.CIDR.Addr().Is4In6() {
		return e, Refuse("InvalidParameterValue", "Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", e.CIDR)
	}
	p := e.permission().canonical()
	if err := p.checkTraffic(); err != nil {
		return e, err
	}
	e.CIDR, e.Protocol, e.FromPort, e.ToPort = p.CIDR, p.Protocol, p.FromPort, p.ToPort
	return e, nil
}

func (e ACLEntry) permission() Permission {
	return Permission{Protocol: e.Protocol, FromPort: e.FromPort, ToPort: e.ToPort, CIDR: e.CIDR}
}

// Delete deletes the ACL. One that a subnet has is refused with DependencyViolation,
// the VPC's default one with InvalidParameterValue (code and sentence are inferred).
func (a *NetworkACL) Delete() error {
	return a.Change(func(tx *Tx) error {
		if a.isDefault {
			return Refuse("InvalidParameterValue", "cannot delete default network ACL %s", a.id)
		}
		if slices.ContainsFunc(a.vpc.subnets, func(s *Subnet) bool { return s.acl == a }) {
			return Refuse("DependencyViolation", "The network ACL '%s' has dependencies and cannot be deleted.", a.id)
		}
		a.vpc.acls = remove(a.vpc.acls, a)
		tx.Remove(a)
		return nil
	})
}

// VPC returns the VPC that holds the ACL.
func (a *NetworkACL) VPC() *VPC { return a.vpc }

// Ingress returns a copy of the ingress rules, by number.
func (a *NetworkACL) Ingress() []ACLEntry { return a.copy(&a.ingress) }

// Egress returns a copy of the egress rules, by number.
func (a *NetworkACL) Egress() []ACLEntry { return a.copy(&a.egress) }

func (a *NetworkACL) copy(list *[]ACLEntry) []ACLEntry {
	var e []ACLEntry
	a.region.read(func() { e = slices.Clone(*list) })
	return e
}

// SetNetworkACL gives the subnet another network ACL of its VPC.
func (s *Subnet) SetNetworkACL(a *NetworkACL) error {
	return s.Change(func(tx *Tx) error {
		_, err := tx.replaceACL(s, a)
		return err
	})
}

// ReplaceNetworkACLAssociation gives the subnet of an association another network
// ACL and returns the new association's id (ReplaceNetworkAclAssociation; the
// sentence of the refusal is unproven).
func (r *Region) ReplaceNetworkACLAssociation(id string, a *NetworkACL) (string, error) {
	var made string
	err := r.Change(func(tx *Tx) (err error) {
		s, ok := r.links[id].(*Subnet)
		if !ok {
			return Refuse("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", id)
		}
		made, err = tx.replaceACL(s, a)
		return err
	})
	return made, err
}

// replaceACL refuses an ACL of another VPC as one that does not exist (inferred).
func (tx *Tx) replaceACL(s *Subnet, a *NetworkACL) (string, error) {
	if err := tx.Needs("networkAclId", a); err != nil {
		return "", err
	}
	if a.vpc != s.vpc {
		return "", notFound(a.id)
	}
	delete(tx.r.links, s.aclAssoc)
	s.acl, s.aclAssoc, s.untoldACL = a, tx.r.ids.next("aclassoc"), ""
	tx.r.links[s.aclAssoc] = s
	return s.aclAssoc, nil
}

// NetworkACL returns the subnet's network ACL.
func (s *Subnet) NetworkACL() *NetworkACL {
	var a *NetworkACL
	s.region.read(func() { a = s.acl })
	return a
}

// NetworkACLAssociation returns the id of the subnet's association with its network
// ACL, aclassoc-….
func (s *Subnet) NetworkACLAssociation() string {
	var id string
	s.region.read(func() { id = s.aclAssoc })
	return id
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
