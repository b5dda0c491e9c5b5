package netfilter

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/wire"
)

// Command runs a command line as [Tables.Run] does, its words parted as a shell
// parts them: at spaces outside of quotes. Nothing is expanded.
func (t *Tables) Command(line string) (string, error) {
	words, err := splitLine(line)
	if err != nil {
		return "", err
	}
	return t.Run(words)
}

// Run runs the command line of words, the first of which is the program, iptables
// or ip6tables, and returns what it prints. An error says what is wrong, and nothing
// has changed. Known are (iptables(8), iptables-extensions(8)):
//
//	-t nat|filter   -A -I -D -C -F -Z -P -L -S   -v -n -x --line-numbers -w
//	-p -s -d -i -o, each but with "!" too, -j ACCEPT|DROP|RETURN
//	-m tcp, udp: --sport --dport --syn --tcp-flags   -m icmp, icmp6: --icmp-type
//	-m conntrack --ctstate   -m state --state   -m multiport   -m comment
//	-j REJECT --reject-with   -j MASQUERADE --to-ports   -j NETMAP --to
//	-j SNAT --to-source   -j DNAT --to-destination   --random --random-fully --persistent
//
// A listing has the columns of iptables 1.8.9, but names protocols ("all", "tcp") as
// all versions before did, Amazon Linux 2's 1.8.4 among them. Names of hosts and
// services are neither looked up nor taken.
func (t *Tables) Run(words []string) (string, error) {
	if len(words) == 0 {
		return "", fmt.Errorf(`command line is empty, expected "iptables" or "ip6tables"`)
	}
	f := ipv4
	switch words[0] {
	case "iptables":
	case "ip6tables":
		f = ipv6
	default:
		return "", fmt.Errorf(`program %q: expected "iptables" or "ip6tables"`, words[0])
	}
	out, err := t.run(f, words[1:])
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.program(), err)
	}
	return out, nil
}

func (t *Tables) run(f family, words []string) (string, error) {
	c, err := readCommand(f, words)
	if err != nil {
		return "", err
	}
	rules := t.rules(f)
	tab := rules.table(c.table)
	if tab == nil {
		return "", fmt.Errorf("table %q: expected nat or filter", c.table)
	}
	if c.chain != noHook && tab.chains[c.chain] == nil {
		return "", fmt.Errorf("chain %q: the table %q has none by that name", hookNames[c.chain], tab.name)
	}
	if c.given && !strings.ContainsRune("AIDC", rune(c.op)) {
		return "", fmt.Errorf("command -%c takes no rule", c.op)
	}
	switch c.op {
	case 'L', 'S':
		return list(&c, tab)
	case 'P':
		return "", c.setPolicy(tab)
	case 'F', 'Z':
		return "", c.clear(tab)
	}
	if err := c.change(tab); err != nil {
		return "", err
	}
	rules.tracking = rules.tracking || rules.usesTracking()
	return "", nil
}

func (c *command) setPolicy(tab *table) error {
	if c.policy == Drop && tab.name == "nat" {
		return fmt.Errorf(`policy "DROP": the table "nat" is not for filtering`)
	}
	tab.chains[c.chain].policy = c.policy
	return nil
}

// clear does -F and -Z, to one chain or all.
func (c *command) clear(tab *table) error {
	if n := c.number; n > 0 {
		rules := tab.chains[c.chain].rules
		if n > len(rules) {
			return fmt.Errorf("rule %d: the chain %s has %d", n, hookNames[c.chain], len(rules))
		}
		rules[n-1].count = counter{}
		return nil
	}
	for h, ch := range tab.chains {
		if ch == nil || c.chain != noHook && c.chain != hook(h) {
			continue
		}
		if c.op == 'F' {
			ch.rules = nil
			continue
		}
		ch.count = counter{}
		for _, r := range ch.rules {
			r.count = counter{}
		}
	}
	return nil
}

// change does -A, -I, -D and -C.
func (c *command) change(tab *table) error {
	ch := tab.chains[c.chain]
	if c.op == 'D' && c.number > 0 {
		return c.deleteNumber(ch)
	}
	if err := c.check(tab); err != nil {
		return err
	}
	rules := c.spread()
	switch c.op {
	case 'A':
		ch.rules = append(ch.rules, rules...)
	case 'I':
		at := max(c.number, 1) - 1
		if at > len(ch.rules) {
			return fmt.Errorf("rule %d: index of insertion too big, the chain %s has %d rules", c.number, hookNames[c.chain], len(ch.rules))
		}
		slices.Reverse(rules) // each is put before the one that came first
		ch.rules = slices.Insert(ch.rules, at, rules...)
	default:
		return c.find(ch, rules)
	}
	return nil
}

func (c *command) deleteNumber(ch *chain) error {
	if c.given {
		return fmt.Errorf("rule %d: a number and a rule can't be given together", c.number)
	}
	if c.number > len(ch.rules) {
		return fmt.Errorf("rule %d: index of deletion too big, the chain %s has %d rules", c.number, hookNames[c.chain], len(ch.rules))
	}
	ch.rules = slices.Delete(ch.rules, c.number-1, c.number)
	return nil
}

// find does -C, and -D of a rule that is written out: the first that is the same.
func (c *command) find(ch *chain, wanted []*rule) error {
	left := slices.Clone(ch.rules)
	for _, r := range wanted {
		i := slices.IndexFunc(left, r.equal)
		if i < 0 {
			return fmt.Errorf("rule %q: the chain %s has none that is the same", r.words(), hookNames[c.chain])
		}
		if c.op == 'D' {
			left = slices.Delete(left, i, i+1)
		}
	}
	ch.rules = left
	return nil
}

// check says why the rule can't stand in the chain.
func (c *command) check(tab *table) error {
	r := &c.rule
	switch {
	case r.in.name != "" && (c.chain == output || c.chain == postrouting):
		return fmt.Errorf("option %q: can't be used with chain %s", "-i", hookNames[c.chain])
	case r.out.name != "" && (c.chain == prerouting || c.chain == input):
		return fmt.Errorf("option %q: can't be used with chain %s", "-o", hookNames[c.chain])
	case r.protoNot && r.proto == 0:
		return fmt.Errorf("option %q: rule would never match protocol", "-p")
	}
	for _, m := range r.matches {
		if err := m.check(r); err != nil {
			return err
		}
	}
	return r.target.check(r, tab, c.chain)
}

// spread returns a rule for each pair of source and destination that were given.
func (c *command) spread() []*rule {
	sources, dests := c.sources, c.dests
	if sources == nil {
		sources = []netip.Prefix{{}}
	}
	if dests == nil {
		dests = []netip.Prefix{{}}
	}
	var all []*rule
	for _, s := range sources {
		for _, d := range dests {
			r := c.rule
			r.src = prefixMatch{s, c.rule.src.not, wire.PrefixFrom(s)}
			r.dst = prefixMatch{d, c.rule.dst.not, wire.PrefixFrom(d)}
			all = append(all, &r)
		}
	}
	return all
}
