package netfilter

// hook is a place in a packet's way where rules are asked.
type hook uint8

const (
	noHook hook = iota
	prerouting
	input
	forward
	output
	postrouting
	hookCount
)

var hookNames = [hookCount]string{
	prerouting: "PREROUTING", input: "INPUT", forward: "FORWARD", output: "OUTPUT", postrouting: "POSTROUTING",
}

// hookNamed returns the hook of a built-in chain's name, or noHook.
func hookNamed(name string) hook {
	for h := prerouting; h < hookCount; h++ {
		if hookNames[h] == name {
			return h
		}
	}
	return noHook
}

// family is an address family; the rules of each stand by themselves.
type family uint8

const (
	ipv4 family = iota
	ipv6
	familyCount
)

func (f family) program() string {
	if f == ipv6 {
		return "ip6tables"
	}
	return "iptables"
}

// table is one of iptables' tables in one family: a chain for each of its hooks.
type table struct {
	name   string
	chains [hookCount]*chain
}

// chain is a built-in chain: its rules, and the policy for what none of them decides.
type chain struct {
	policy Verdict
	rules  []*rule
	count  counter
}

// counter counts packets and their bytes from the IP header on.
type counter struct{ packets, bytes uint64 }

func (c *counter) add(length int) {
	c.packets++
	c.bytes += uint64(length)
}

func newTable(name string, hooks ...hook) table {
	t := table{name: name}
	for _, h := range hooks {
		t.chains[h] = &chain{policy: Accept}
	}
	return t
}

// ruleset is the tables of one family.
type ruleset struct {
	nat, filter table
	tracking    bool // a rule asked for connection tracking once
}

func newRuleset() ruleset {
	return ruleset{
		nat:    newTable("nat", prerouting, input, output, postrouting),
		filter: newTable("filter", input, forward, output),
	}
}

func (s *ruleset) table(name string) *table {
	switch name {
	case "nat":
		return &s.nat
	case "filter":
		return &s.filter
	}
	return nil
}

// usesTracking reports whether any rule needs connections: Linux tracks none before.
func (s *ruleset) usesTracking() bool {
	for h := prerouting; h < hookCount; h++ {
		if c := s.nat.chains[h]; c != nil && len(c.rules) > 0 {
			return true
		}
		c := s.filter.chains[h]
		if c == nil {
			continue
		}
		for _, r := range c.rules {
			if r.usesTracking() {
				return true
			}
		}
	}
	return false
}
