package vpc

import (
	"net/netip"
	"slices"
)

// SecurityGroup is a set of rules that allow.
type SecurityGroup struct {
	Base
	vpc             *VPC
	name            string
	description     string
	ingress, egress []Permission
	untold          string      // why no description tells its rules, "" where one does
	unread          []vagueRule // rules of a description that mean nothing
}

// SecurityGroupConfig says how a security group is made.
type SecurityGroupConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Description is AWS's mandatory text; "" is "Managed by vpcsim".
	Description string
}

// CreateSecurityGroup makes a group without ingress rules and with one egress rule
// that allows everything (VPC guide, "Security groups"), of a VPC with IPv6 one a
// family. The refusal of a name that is taken is unproven in its sentence.
func (v *VPC) CreateSecurityGroup(name string, c SecurityGroupConfig) (*SecurityGroup, error) {
	var g *SecurityGroup
	err := v.Change(func(tx *Tx) error {
		if c.Description == "" {
			c.Description = "Managed by vpcsim"
		}
		if err := checkGroupName(name, c.Description); err != nil {
			return err
		}
		if slices.ContainsFunc(v.groups, func(o *SecurityGroup) bool { return o.name == name }) {
			return Refuse("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, v.id)
		}
		if err := tx.Within(QuotaSecurityGroups, tx.r.groups, v.id); err != nil {
			return err
		}
		b, err := tx.NewBase("sg", c.ID, "")
		if err != nil {
			return err
		}
		g = tx.newGroup(v, b, name, c.Description)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

func (tx *Tx) newGroup(v *VPC, b Base, name, description string) *SecurityGroup {
	g := &SecurityGroup{Base: b, vpc: v, name: name, description: description}
	g.egress = []Permission{tx.newRule(Permission{Protocol: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")})}
	if v.hasIPv6() {
		tx.allowIPv6(g)
	}
	v.groups = append(v.groups, g)
	tx.r.groups++
	tx.Add(g)
	return g
}

// allowIPv6 adds the egress rule for all IPv6, unless it is there.
func (tx *Tx) allowIPv6(g *SecurityGroup) {
	all := Permission{Protocol: -1, CIDR: netip.MustParsePrefix("::/0")}
	if !slices.ContainsFunc(g.egress, all.same) {
		g.egress = append(slices.Clone(g.egress), tx.newRule(all))
	}
}

func (tx *Tx) newRule(p Permission) Permission {
	p.ID = tx.r.ids.next("sgr")
	return p
}

// newDefaultGroup makes the VPC's default group: ingress from itself, egress to all.
func (tx *Tx) newDefaultGroup(v *VPC) {
	b := Base{id: tx.r.ids.next("sg"), region: tx.r}
	g := tx.newGroup(v, b, "default", "default VPC security group")
	g.ingress = []Permission{tx.newRule(Permission{Protocol: -1, Group: g})}
}

// DefaultGroup is VPC.DefaultSecurityGroup inside a change.
func (tx *Tx) DefaultGroup(v *VPC) *SecurityGroup { return v.groups[0] }

// Name returns the group's name.
func (g *SecurityGroup) Name() string { return g.name }

// VPC returns the VPC that holds the group.
func (g *SecurityGroup) VPC() *VPC { return g.vpc }

// AuthorizeIngress adds ingress rules. It is refused with InvalidPermission.Duplicate
// where one is there already, and then none is added.
func (g *SecurityGroup) AuthorizeIngress(rules ...Permission) error {
	return g.authorize(&g.ingress, rules)
}

// AuthorizeEgress adds egress rules, as AuthorizeIngress does.
func (g *SecurityGroup) AuthorizeEgress(rules ...Permission) error {
	return g.authorize(&g.egress, rules)
}

func (g *SecurityGroup) authorize(list *[]Permission, rules []Permission) error {
	return g.Change(func(tx *Tx) error {
		added := slices.Clone(*list)
		for _, p := range rules {
			p = p.canonical()
			if err := p.checkTraffic(); err != nil {
				return err
			}
			if err := p.checkPeer(tx, g, list == &g.ingress); err != nil {
				return err
			}
			if slices.ContainsFunc(added, p.same) {
				return Refuse("InvalidPermission.Duplicate", `the specified rule "%s" already exists`, p)
			}
			added = append(added, tx.newRule(p))
		}
		if err := g.checkRoom(tx, added); err != nil {
			return err
		}
		*list = added
		return nil
	})
}

// RevokeIngress removes ingress rules. Tracked flows that they let in go on (EC2
// guide, "Security group connection tracking"). A rule that is not there is refused
// with InvalidPermission.NotFound, and then none is removed.
func (g *SecurityGroup) RevokeIngress(rules ...Permission) error { return g.revoke(&g.ingress, rules) }

// RevokeEgress removes egress rules, as RevokeIngress does.
func (g *SecurityGroup) RevokeEgress(rules ...Permission) error { return g.revoke(&g.egress, rules) }

func (g *SecurityGroup) revoke(list *[]Permission, rules []Permission) error {
	return g.Change(func(*Tx) error {
		left := slices.Clone(*list)
		for _, p := range rules {
			at := slices.IndexFunc(left, p.canonical().same)
			if at < 0 {
				return Refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group")
			}
			left = slices.Delete(left, at, at+1)
		}
		*list = left
		return nil
	})
}

// Delete deletes the group. The VPC's default group is refused with CannotDelete,
// one that an interface has or another group's rule references with
// DependencyViolation (both sentences are unproven).
func (g *SecurityGroup) Delete() error {
	return g.Change(func(tx *Tx) error {
		if g == g.vpc.groups[0] {
			return Refuse("CannotDelete", `the specified group: "%s" name: "default" cannot be deleted by a user`, g.id)
		}
		for _, n := range g.vpc.interfaces {
			if slices.Contains(n.groups, g) {
				return Refuse("DependencyViolation", "resource %s has a dependent object", g.id)
			}
		}
		if g.referenced() {
			return Refuse("DependencyViolation", "resource %s has a dependent object", g.id)
		}
		tx.dropGroup(g)
		return nil
	})
}

// referenced reports whether a rule of another group names the group.
func (g *SecurityGroup) referenced() bool {
	names := func(p Permission) bool { return p.Group == g }
	for _, v := range g.region.vpcs {
		for _, o := range v.groups {
			if o != g && (slices.ContainsFunc(o.ingress, names) || slices.ContainsFunc(o.egress, names)) {
				return true
			}
		}
	}
	return false
}

func (tx *Tx) dropGroup(g *SecurityGroup) {
	g.vpc.groups = remove(g.vpc.groups, g)
	tx.r.groups--
	tx.Remove(g)
}

// Ingress returns a copy of the ingress rules, in the order in which they were added.
func (g *SecurityGroup) Ingress() []Permission { return g.copy(&g.ingress) }

// Egress returns a copy of the egress rules, in the order in which they were added.
func (g *SecurityGroup) Egress() []Permission { return g.copy(&g.egress) }

func (g *SecurityGroup) copy(list *[]Permission) []Permission {
	var p []Permission
	g.region.read(func() { p = slices.Clone(*list) })
	return p
}
