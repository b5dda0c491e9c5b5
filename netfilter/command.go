package netfilter

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/wire"
)

// command is a command line that was read and found right; nothing has been done yet.
type command struct {
	family family
	table  string
	op     byte // the letter: A, I, D, C, F, Z, P, L or S
	chain  hook // noHook is all chains
	number int  // of a rule, from 1; 0 is none given
	policy Verdict

	verbose, numeric, exact, lineNumbers bool

	rule    rule
	given   bool // any option of a rule was given
	sources []netip.Prefix
	dests   []netip.Prefix
}

// readCommand reads the words behind the program's name.
func readCommand(f family, words []string) (command, error) {
	c := command{family: f, table: "filter", rule: rule{family: f}}
	a := &arguments{words}
	for {
		opt, not, ok := a.next()
		if !ok {
			break
		}
		if err := c.option(opt, not, a); err != nil {
			return c, err
		}
	}
	if c.op == 0 {
		return c, fmt.Errorf("no command specified, expected one of -A -I -D -C -F -Z -P -L -S")
	}
	return c, nil
}

func (c *command) option(opt string, not bool, a *arguments) error {
	known, err := c.commandOption(opt, a)
	if !known && err == nil {
		known, err = c.generalOption(opt, a)
	}
	switch {
	case err != nil:
		return err
	case known && not:
		return fmt.Errorf(`option %q: can't be inverted with "!"`, opt)
	case known:
		return nil
	}
	c.given = true
	if known, err = c.ruleOption(opt, not, a); known || err != nil {
		return err
	}
	return c.extensionOption(opt, not, a)
}

// commandOption takes what says what is to be done.
func (c *command) commandOption(opt string, a *arguments) (known bool, err error) {
	if len(opt) != 2 || !strings.Contains("AIDCFZPLS", opt[1:]) {
		return false, nil
	}
	if c.op != 0 {
		return true, fmt.Errorf("option %q: can't be used with -%c", opt, c.op)
	}
	c.op = opt[1]
	name := ""
	if strings.Contains("FZLS", opt[1:]) {
		if name = a.optional(); name == "" {
			return true, nil
		}
	} else if name, err = a.value(opt); err != nil {
		return true, err
	}
	if c.chain = hookNamed(name); c.chain == noHook {
		return true, fmt.Errorf("chain %q: no chain by that name", name)
	}
	switch c.op {
	case 'I', 'D', 'L', 'S', 'Z':
		err = c.ruleNumber(opt, a)
	case 'P':
		err = c.readPolicy(opt, a)
	}
	return true, err
}

func (c *command) ruleNumber(opt string, a *arguments) error {
	word := a.optional()
	if word == "" {
		return nil
	}
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 {
		return fmt.Errorf("option %q: %q is no rule number, which count from 1", opt, word)
	}
	c.number = n
	return nil
}

func (c *command) readPolicy(opt string, a *arguments) error {
	word, err := a.value(opt)
	if err != nil {
		return err
	}
	switch word {
	case "ACCEPT":
		c.policy = Accept
	case "DROP":
		c.policy = Drop
	default:
		return fmt.Errorf("policy %q: expected ACCEPT or DROP", word)
	}
	return nil
}

// generalOption takes what belongs to no rule.
func (c *command) generalOption(opt string, a *arguments) (known bool, err error) {
	switch opt {
	case "-t":
		c.table, err = a.value(opt)
	case "-v":
		c.verbose = true
	case "-n":
		c.numeric = true
	case "-x":
		c.exact = true
	case "--line-numbers":
		c.lineNumbers = true
	case "-w": // nobody else holds the lock
		a.optional()
	case "-4", "-6":
		if (opt == "-6") != (c.family == ipv6) {
			err = fmt.Errorf("option %q: not with %s", opt, c.family.program())
		}
	default:
		return false, nil
	}
	return true, err
}

// ruleOption takes the conditions that every rule may have, -m and -j.
func (c *command) ruleOption(opt string, not bool, a *arguments) (known bool, err error) {
	if len(opt) != 2 || !strings.Contains("psdiomj", opt[1:]) || opt[0] != '-' {
		return false, nil
	}
	word, err := a.value(opt)
	if err != nil {
		return true, err
	}
	r := &c.rule
	switch opt {
	case "-p":
		r.protoNot = not
		if r.proto, err = parseProto(word); err == nil && r.proto == 0 && not {
			err = fmt.Errorf("option %q: rule would never match protocol", opt)
		}
	case "-s":
		r.src.not = not
		c.sources, err = parsePrefixes(word, c.family, not)
	case "-d":
		r.dst.not = not
		c.dests, err = parsePrefixes(word, c.family, not)
	case "-i":
		r.in, err = parseIface(word, not)
	case "-o":
		r.out, err = parseIface(word, not)
	case "-m":
		if not {
			return true, fmt.Errorf(`option %q: can't be inverted with "!"`, opt)
		}
		_, err = c.load(word)
	case "-j":
		if not {
			return true, fmt.Errorf(`option %q: can't be inverted with "!"`, opt)
		}
		err = c.jump(word)
	}
	return true, err
}

func parsePrefixes(words string, f family, not bool) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for word := range strings.SplitSeq(words, ",") {
		p, err := parsePrefix(word, f)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	if not && len(all) > 1 {
		return nil, fmt.Errorf(`%q: several addresses can't be inverted with "!"`, words)
	}
	return all, nil
}

// maxIface is the longest name of an interface (Linux's IFNAMSIZ less its final 0).
const maxIface = 15

func parseIface(word string, not bool) (ifaceMatch, error) {
	if word == "" || len(word) > maxIface || strings.ContainsAny(word, " \t\n\v\f\r/:!\"'\\") {
		return ifaceMatch{}, fmt.Errorf("interface %q: expected a name of 1 to %d bytes without spaces and any of / : ! \" ' \\", word, maxIface)
	}
	return ifaceMatch{word, not}, nil
}

func (c *command) load(name string) (match, error) {
	m := newMatch(name, c.family)
	if m == nil {
		return nil, fmt.Errorf("match %q: not known here, expected tcp, udp, %s, conntrack, state, multiport or comment",
			name, (&icmpMatch{family: c.family}).name())
	}
	c.rule.matches = append(c.rule.matches, m)
	return m, nil
}

func (c *command) jump(name string) error {
	if c.rule.target.jump {
		return fmt.Errorf("option \"-j\": given twice")
	}
	k, ok := targetNamed(name)
	if !ok {
		return fmt.Errorf("target %q: not known here, expected ACCEPT, DROP, RETURN, REJECT, MASQUERADE, SNAT, DNAT or NETMAP", name)
	}
	c.rule.target.kind, c.rule.target.jump = k, true
	if k == rejectTarget {
		c.rule.target.reject, _ = rejectionNamed("", c.family)
	}
	return nil
}

// extensionOption takes an option of the target, of a match that was loaded, or of
// the match that the protocol stands for.
func (c *command) extensionOption(opt string, not bool, a *arguments) error {
	if known, err := c.rule.target.option(opt, not, c.family, a); known || err != nil {
		return err
	}
	for _, m := range c.rule.matches {
		if known, err := m.option(opt, not, a); known || err != nil {
			return err
		}
	}
	if m := c.ownMatch(); m != nil {
		known, err := m.option(opt, not, a)
		if known {
			c.rule.matches = append(c.rule.matches, m)
			return err
		}
	}
	if strings.HasPrefix(opt, "-") {
		return fmt.Errorf("unknown option %q", opt)
	}
	return fmt.Errorf("bad argument %q", opt)
}

// ownMatch returns the match that the rule's protocol stands for where it isn't loaded yet.
func (c *command) ownMatch() match {
	if c.rule.protoNot {
		return nil
	}
	name := ""
	switch c.rule.proto {
	case wire.ProtoTCP, wire.ProtoUDP:
		name = c.rule.proto.String()
	case wire.ProtoICMP:
		name = "icmp"
	case wire.ProtoICMPv6:
		name = "icmp6"
	}
	m := newMatch(name, c.family)
	for _, have := range c.rule.matches {
		if m != nil && have.name() == m.name() {
			return nil
		}
	}
	return m
}
