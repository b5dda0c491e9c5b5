package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/picture"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/report"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// session is what all commands share: the flags and where to read and write.
type session struct {
	in        io.Reader
	out, errs io.Writer

	json       bool
	seed       uint64
	set        []string
	open       string
	appliances []string
	ttl        uint8
	colour     string
	before     bool
}

func (s *session) flags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.BoolVar(&s.json, "json", false, "write JSON")
	f.Uint64Var(&s.seed, "seed", 0, "seed of what the network chooses at random; the same seed gives the same answer")
	f.StringArrayVar(&s.set, "set", nil, "a change to try, such as rtb-1/0.0.0.0/0=igw-1 (docs/cli.md has all); may be repeated")
	f.StringVar(&s.open, "assume-open", "all", "ports on which hosts listen: all, none, or a list such as tcp/22,web:tcp/443")
	f.Lookup("assume-open").NoOptDefVal = "all"
	f.StringArrayVar(&s.appliances, "appliance", nil, "a guest that sends on what is for others: NAME=forward or NAME=masquerade; may be repeated")
	f.Uint8Var(&s.ttl, "ttl", 255, "TTL with which hosts send")
	f.BoolVar(&s.before, "before", false, "of a Terraform plan, ask the network before it and not the one once it is applied")
	f.StringVar(&s.colour, "color", "auto", "auto (on a terminal), always or never")
}

// network is a loaded network with the changes to try made, and what is assumed of it.
type network struct {
	*load.Network
	dir    string
	config reach.Config
}

// load loads a folder and makes the changes of --set.
func (s *session) load(dir string) (*network, error) {
	n, err := s.loadPlain(dir)
	if err != nil {
		return nil, err
	}
	return s.change(n)
}

func (s *session) loadPlain(dir string) (*network, error) {
	l, err := load.Open(dir, load.Config{World: world.Config{Seed: s.seed}, Before: s.before})
	if err != nil {
		return nil, err
	}
	n := &network{Network: l, dir: dir}
	if !n.hasVPC() {
		return nil, fmt.Errorf("%s: expected a network, found no VPC in it (describe-vpcs), and %d things left out", dir, len(l.Skipped))
	}
	n.config, err = s.config(l)
	return n, err
}

// hasVPC reports whether there is anything to ask.
func (n *network) hasVPC() bool {
	for _, r := range n.Regions {
		some := false
		if r.View(func(tx *vpc.Tx) { some = len(tx.VPCs()) > 0 }); some {
			return true
		}
	}
	return false
}

// change is the network with the changes of --set made, in a copy.
func (s *session) change(n *network) (*network, error) {
	if len(s.set) == 0 {
		return n, nil
	}
	o, err := reach.ParseOverlay(s.set...)
	if err != nil {
		return nil, err
	}
	l, err := n.With(o)
	if err != nil {
		return nil, err
	}
	c := &network{Network: l, dir: n.dir}
	c.config, err = s.config(l)
	return c, err
}

// config is what the flags say that a snapshot does not hold.
func (s *session) config(n *load.Network) (reach.Config, error) {
	c := reach.Config{Seed: s.seed, TTL: s.ttl, LeftOut: n.Lacks}
	if s.ttl == 0 {
		return c, fmt.Errorf("--ttl 0: expected 1 to 255")
	}
	for _, a := range s.appliances {
		name, does, _ := strings.Cut(a, "=")
		if does != "forward" && does != "masquerade" {
			return c, fmt.Errorf("--appliance %q: expected NAME=forward or NAME=masquerade", a)
		}
		ids, err := guests(n, name)
		if err != nil {
			return c, fmt.Errorf("--appliance %q: %w", a, err)
		}
		if c.Appliances == nil {
			c.Appliances = map[string]reach.Appliance{}
		}
		for _, id := range ids {
			c.Appliances[id] = reach.Appliance{Masquerade: does == "masquerade"}
		}
	}
	return c, s.ports(n, &c)
}

// ports reads --assume-open.
func (s *session) ports(n *load.Network, c *reach.Config) error {
	if s.open == "all" {
		return nil
	}
	c.Closed = true
	if s.open == "none" {
		return nil
	}
	c.Ports = map[string][]reach.Port{}
	for entry := range strings.SplitSeq(s.open, ",") {
		name, port, named := strings.Cut(strings.TrimSpace(entry), ":")
		if !named {
			name, port = "", name
		}
		proto, number, _ := strings.Cut(port, "/")
		x, err := strconv.ParseUint(number, 10, 16)
		if err != nil || x == 0 || proto != "tcp" && proto != "udp" {
			return fmt.Errorf("--assume-open %q: expected all, none, or a list such as tcp/22,web:tcp/443", entry)
		}
		ids, err := guests(n, name)
		if err != nil {
			return fmt.Errorf("--assume-open %q: %w", entry, err)
		}
		for _, id := range ids {
			c.Ports[id] = append(c.Ports[id], reach.Port{Proto: proto, Number: uint16(x)})
		}
	}
	return nil
}

// guests returns the ids of the users' interfaces that a name stands for; of all for "".
func guests(n *load.Network, name string) ([]string, error) {
	var ids []string
	if name == "" {
		for _, r := range n.Regions {
			r.View(func(tx *vpc.Tx) {
				for _, nic := range vpc.Resources[*vpc.NetworkInterface](tx) {
					ids = append(ids, nic.ID())
				}
			})
		}
		return ids, nil
	}
	for _, x := range n.Find(name) {
		switch x := x.(type) {
		case *vpc.NetworkInterface:
			ids = append(ids, x.ID())
		case *vpc.Instance:
			for _, nic := range x.Interfaces() {
				ids = append(ids, nic.ID())
			}
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%q is no instance and no interface of the network", name)
	}
	return ids, nil
}

// where tells where resources lie, for pictures.
func (n *network) where() func(id string) (picture.Place, bool) { return picture.Places(n.Regions...) }

func (n *network) prober() (*reach.Prober, error) { return reach.New(n.World, n.config) }

// paint is colours on a terminal, and none elsewhere.
func (s *session) paint() (picture.Paint, error) {
	switch s.colour {
	case "always":
		return picture.ANSI, nil
	case "never":
		return picture.Colourless, nil
	case "auto":
		if f, ok := s.out.(*os.File); ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
			if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
				return picture.ANSI, nil
			}
		}
		return picture.Colourless, nil
	}
	return nil, fmt.Errorf("--color %q: expected auto, always or never", s.colour)
}

// read reads a file, or standard input for "-"; what says what it should be.
func (s *session) read(file, what string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(s.in)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: expected %s: %w", file, what, bare(err))
	}
	return text, nil
}

// write writes a file that a flag names.
func write(flag, file string, text []byte) error {
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("--%s %s: expected a file that can be written: %w", flag, file, bare(err))
	}
	return nil
}

// bare is an error of the file system without the call and the name.
func bare(err error) error {
	var why *fs.PathError
	if errors.As(err, &why) {
		return why.Err
	}
	return err
}

// writeJSON writes a value as JSON, indented, a newline behind it.
func (s *session) writeJSON(v any) error {
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// traffic is the flags that say what is sent.
type traffic struct {
	icmp     bool
	tcp, udp int
	proto    string
	size     int
	fragment bool
}

func (t *traffic) flags(c *cobra.Command) {
	c.Flags().BoolVar(&t.icmp, "icmp", false, "send an echo request, as ping does (the default)")
	c.Flags().IntVar(&t.tcp, "tcp", 0, "send a SYN to this port, as nmap and curl do")
	c.Flags().IntVar(&t.udp, "udp", 0, "send a datagram to this port")
	c.Flags().StringVar(&t.proto, "proto", "", "send a packet of this IP protocol, a number")
	c.Flags().IntVar(&t.size, "size", 0, "bytes that each packet carries, not to be fragmented; with --tcp what both ends send once connected")
	c.Flags().BoolVar(&t.fragment, "fragment", false, "let what does not fit be fragmented, of UDP and ICMP")
}

// oneOf refuses more than one of the flags.
func oneOf(c *cobra.Command, flags ...string) error {
	var set []string
	for _, f := range flags {
		if c.Flags().Changed(f) {
			set = append(set, "--"+f)
		}
	}
	if len(set) > 1 {
		return fmt.Errorf("%s: expected one of them", strings.Join(set, " and "))
	}
	return nil
}

// spec is the question; the destination may have a port, which is of TCP.
func (t *traffic) spec(c *cobra.Command, from, to string) (reach.Spec, error) {
	q := reach.Spec{From: from, To: to, Proto: "icmp", Size: t.size, Fragment: t.fragment}
	if err := oneOf(c, "icmp", "tcp", "udp", "proto"); err != nil {
		return q, err
	}
	switch {
	case c.Flags().Changed("tcp"):
		q.Proto, q.Port = "tcp", t.tcp
	case c.Flags().Changed("udp"):
		q.Proto, q.Port = "udp", t.udp
	case t.proto != "":
		q.Proto = t.proto
	case !t.icmp:
		host, port, ok := splitPort(to)
		switch {
		case ok:
			q.To, q.Proto, q.Port = host, "tcp", port
		case badPort.MatchString(to):
			return q, fmt.Errorf("%q: expected a port of 1 to 65535 behind the colon", to)
		}
	}
	if q.Proto == "tcp" || q.Proto == "udp" {
		if q.Port < 1 || q.Port > 65535 {
			return q, fmt.Errorf("--%s %d: expected a port, 1 to 65535", q.Proto, q.Port)
		}
	}
	return q, nil
}

// badPort is a name, or an IPv4 address, with a number behind a colon; splitPort has
// taken those that are ports.
var badPort = regexp.MustCompile(`^[^:/]+:-?[0-9]+$`)

// splitPort splits "db:5432" and "[2001:db8::1]:443"; an IPv6 address alone has no port.
func splitPort(to string) (host string, port int, ok bool) {
	if ap, err := netip.ParseAddrPort(to); err == nil {
		return ap.Addr().String(), int(ap.Port()), true
	}
	if _, err := netip.ParseAddr(to); err == nil {
		return to, 0, false
	}
	i := strings.LastIndexByte(to, ':')
	if i < 0 {
		return to, 0, false
	}
	n, err := strconv.ParseUint(to[i+1:], 10, 16)
	return to[:i], int(n), err == nil && n > 0
}

// question loads a folder and finds the ends of a question in it. packets keeps the bytes of
// what is sent.
func (s *session) question(dir string, spec reach.Spec, packets bool) (n *network, p *reach.Prober, q reach.Question, err error) {
	if n, err = s.load(dir); err != nil {
		return
	}
	n.config.Packets = packets
	if p, err = n.prober(); err != nil {
		return
	}
	q, err = n.ask(p, spec)
	return
}

// ask finds the ends of a question; an end that is not there is bad input.
func (n *network) ask(p *reach.Prober, q reach.Spec) (reach.Question, error) {
	out, err := p.Question(q)
	if err != nil {
		return out, fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "reach: "))
	}
	return out, nil
}

// title is how a question is called in a block.
func title(q reach.Spec) string { return q.String() }

// rerun is the command that shows a question again.
func (s *session) rerun(dir string, q reach.Spec) string {
	var flags []string
	for _, c := range s.set {
		flags = append(flags, "--set", c)
	}
	for _, a := range s.appliances {
		flags = append(flags, "--appliance", a)
	}
	if s.open != "all" {
		flags = append(flags, "--assume-open="+s.open)
	}
	if s.ttl != 255 {
		flags = append(flags, "--ttl", strconv.Itoa(int(s.ttl)))
	}
	if s.before {
		flags = append(flags, "--before")
	}
	return report.Command(dir, q, append(flags, "--seed", strconv.FormatUint(s.seed, 10))...)
}
