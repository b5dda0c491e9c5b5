package netfilter

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/wire"
)

// rule is one rule of a chain. A condition that was not given matches everything.
type rule struct {
	family   family
	src, dst prefixMatch
	in, out  ifaceMatch
	proto    wire.Proto // 0 is every protocol
	protoNot bool
	matches  []match // in the order in which they were given
	target   target
	count    counter
}

// match is one of iptables' match extensions within a rule.
type match interface {
	// name is what -m calls it.
	name() string
	// option takes an option of its own, with its values from a; it reports false
	// for one it doesn't know.
	option(opt string, not bool, a *arguments) (known bool, err error)
	// check says what is missing once the whole rule is read.
	check(r *rule) error
	// holds reports whether the packet matches.
	holds(t *Tables, w *Passage) bool
	// listed returns the words of the listing, options those of -S behind "-m name".
	listed() string
	options() string
}

// prefixMatch matches an address; not given it matches all.
type prefixMatch struct {
	prefix netip.Prefix
	not    bool
	wire   wire.Prefix
}

func (m *prefixMatch) holds(a wire.Addr) bool {
	return !m.prefix.IsValid() || m.wire.Contains(a) != m.not
}

// ifaceMatch matches an interface's name, or with a last "+" its beginning.
type ifaceMatch struct {
	name string // empty where not given
	not  bool
}

func (m *ifaceMatch) holds(name string) bool {
	if m.name == "" {
		return true
	}
	if stem, ok := strings.CutSuffix(m.name, "+"); ok {
		return strings.HasPrefix(name, stem) != m.not
	}
	return (name == m.name) != m.not
}

// holds reports whether all the rule's conditions match the packet at a hook where
// in and out are its interfaces, empty where there is none.
func (r *rule) holds(t *Tables, w *Passage, in, out string) bool {
	f := &w.Packet.Flow
	if !r.src.holds(f.Src) || !r.dst.holds(f.Dst) || !r.in.holds(in) || !r.out.holds(out) {
		return false
	}
	if r.proto != 0 && (r.proto == f.Proto) == r.protoNot {
		return false
	}
	for _, m := range r.matches {
		if !m.holds(t, w) {
			return false
		}
	}
	return true
}

func (r *rule) usesTracking() bool {
	return slices.ContainsFunc(r.matches, func(m match) bool {
		_, ok := m.(*stateMatch)
		return ok
	})
}

// equal reports whether two rules say the same, as -D and -C compare them.
func (r *rule) equal(q *rule) bool { return r.words() == q.words() }
