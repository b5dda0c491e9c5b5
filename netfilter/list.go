package netfilter

import (
	"fmt"
	"strings"
)

// list prints what -L and -S print, of one chain or all.
func list(c *command, tab *table) (string, error) {
	if c.number > 0 && c.number > len(tab.chains[c.chain].rules) {
		return "", nil
	}
	var b strings.Builder
	if c.op == 'S' {
		saveChains(&b, c, tab)
		return b.String(), nil
	}
	for h := prerouting; h < hookCount; h++ {
		ch := tab.chains[h]
		if ch == nil || c.chain != noHook && c.chain != h {
			continue
		}
		if c.number > 0 {
			ch.rules[c.number-1].list(&b, c, c.number)
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		ch.list(&b, c, h)
	}
	return b.String(), nil
}

func (ch *chain) list(b *strings.Builder, c *command, h hook) {
	fmt.Fprintf(b, "Chain %s (policy %s", hookNames[h], ch.policy)
	if c.verbose {
		fmt.Fprintf(b, " %s packets, %s bytes", count(ch.count.packets, c.exact, 0), count(ch.count.bytes, c.exact, 0))
	}
	b.WriteString(")\n")
	if c.lineNumbers {
		fmt.Fprintf(b, "%-4s ", "num")
	}
	if c.verbose {
		if c.exact {
			fmt.Fprintf(b, "%8s %10s ", "pkts", "bytes")
		} else {
			fmt.Fprintf(b, "%5s %5s ", "pkts", "bytes")
		}
	}
	fmt.Fprintf(b, "%-9s  %-4s %-3s ", "target", "prot", "opt")
	if c.verbose {
		fmt.Fprintf(b, "%-6s %-6s ", "in", "out")
		b.WriteByte(' ')
	}
	fmt.Fprintf(b, "%-19s  %-19s \n", "source", "destination")
	for i, r := range ch.rules {
		r.list(b, c, i+1)
	}
}

// count returns a counter as iptables prints it: up to 99999 in full, then in
// thousands (of 1000, rounded) that are K, M, G and T, right in width columns.
func count(n uint64, exact bool, width int) string {
	if exact {
		return fmt.Sprintf("%*d", max(width-1, 0)*8/5, n)
	}
	if n <= 99999 {
		return fmt.Sprintf("%*d", width, n)
	}
	for _, unit := range "KMG" {
		if n = (n + 500) / 1000; n <= 9999 {
			return fmt.Sprintf("%*d%c", max(width-1, 0), n, unit)
		}
	}
	return fmt.Sprintf("%*dT", max(width-1, 0), (n+500)/1000)
}

func (r *rule) list(b *strings.Builder, c *command, number int) {
	if c.lineNumbers {
		fmt.Fprintf(b, "%-4d ", number)
	}
	if c.verbose && c.exact {
		fmt.Fprintf(b, "%8d %8d ", r.count.packets, r.count.bytes)
	} else if c.verbose {
		fmt.Fprintf(b, "%s %s ", count(r.count.packets, false, 5), count(r.count.bytes, false, 5))
	}
	fmt.Fprintf(b, "%-9s %s%-4s -- ", targetNames[r.target.kind], blank(r.protoNot), protoListed(r.proto))
	if c.verbose {
		fmt.Fprintf(b, " %-6s %-6s ", r.in.listed(), r.out.listed())
	}
	fmt.Fprintf(b, "%s%-19s %s%-19s ", blank(r.src.not), r.src.listed(c), blank(r.dst.not), r.dst.listed(c))
	for _, m := range r.matches {
		b.WriteByte(' ')
		b.WriteString(m.listed())
	}
	if t := r.target.listed(); t != "" {
		b.WriteByte(' ')
		b.WriteString(t)
	}
	b.WriteByte('\n')
}

// blank is the column of "!".
func blank(not bool) string {
	if not {
		return "!"
	}
	return " "
}

func (m *ifaceMatch) listed() string {
	if m.name == "" {
		return "*"
	}
	return bang(m.not, "") + m.name
}

func (m *prefixMatch) listed(c *command) string {
	switch p := m.prefix; {
	case (!p.IsValid() || p.Bits() == 0) && !c.numeric:
		return "anywhere"
	case !p.IsValid() && c.family == ipv6:
		return "::/0"
	case !p.IsValid():
		return "0.0.0.0/0"
	case p.IsSingleIP():
		return p.Addr().String()
	default:
		return p.String()
	}
}

// saveChains prints the policies and rules as the options that make them, with -v
// the counters in the form of -c too.
func saveChains(b *strings.Builder, c *command, tab *table) {
	for h := prerouting; h < hookCount; h++ {
		ch := tab.chains[h]
		if ch == nil || c.chain != noHook && c.chain != h || c.number > 0 {
			continue
		}
		fmt.Fprintf(b, "-P %s %s", hookNames[h], ch.policy)
		saveCount(b, c, ch.count)
	}
	for h := prerouting; h < hookCount; h++ {
		ch := tab.chains[h]
		if ch == nil || c.chain != noHook && c.chain != h {
			continue
		}
		for i, r := range ch.rules {
			if c.number == 0 || c.number == i+1 {
				fmt.Fprintf(b, "-A %s", hookNames[h]+r.conditions())
				if c.verbose {
					fmt.Fprintf(b, " -c %d %d", r.count.packets, r.count.bytes)
				}
				b.WriteString(r.jump())
				b.WriteByte('\n')
			}
		}
	}
}

func saveCount(b *strings.Builder, c *command, n counter) {
	if c.verbose {
		fmt.Fprintf(b, " -c %d %d", n.packets, n.bytes)
	}
	b.WriteByte('\n')
}

// words returns the rule as the options that make it: " -s 10.0.0.0/8 -j DROP".
func (r *rule) words() string { return r.conditions() + r.jump() }

func (r *rule) conditions() string {
	var b strings.Builder
	prefix := func(opt string, m *prefixMatch) {
		if m.prefix.IsValid() && (m.prefix.Bits() > 0 || m.not) {
			b.WriteString(" " + bang(m.not, " ") + opt + " " + m.prefix.String())
		}
	}
	iface := func(opt string, m *ifaceMatch) {
		if m.name != "" {
			b.WriteString(" " + bang(m.not, " ") + opt + " " + m.name)
		}
	}
	prefix("-s", &r.src)
	prefix("-d", &r.dst)
	iface("-i", &r.in)
	iface("-o", &r.out)
	if r.proto != 0 {
		b.WriteString(" " + bang(r.protoNot, " ") + "-p " + protoOption(r.proto))
	}
	for _, m := range r.matches {
		b.WriteString(strings.TrimRight(" -m "+m.name()+" "+m.options(), " "))
	}
	return b.String()
}

func (r *rule) jump() string {
	if !r.target.jump {
		return ""
	}
	return strings.TrimRight(" -j "+targetNames[r.target.kind]+" "+r.target.options(), " ")
}
