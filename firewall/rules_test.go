package firewall

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/wire"
)

// An address is in an expression where an item without ! has it, or there is none such,
// and no item with ! has it.
func TestAddressExpressions(t *testing.T) {
	vars := variables{ips: map[string][]string{"HOME_NET": {"10.0.0.0/16", "10.9.0.0/16"}, "EXTERNAL_NET": {"!$HOME_NET"}}}
	for expression, holds := range map[string]string{
		"":                              "10.0.0.1 8.8.8.8",
		"any":                           "10.0.0.1 8.8.8.8",
		"10.0.0.1":                      "10.0.0.1",
		"$HOME_NET":                     "10.0.0.1 10.9.0.1",
		"$EXTERNAL_NET":                 "8.8.8.8 2001:db8::1",
		"!10.0.0.0/8":                   "8.8.8.8 2001:db8::1",
		"[10.0.0.0/8,!10.9.0.0/16]":     "10.0.0.1",
		"[ $HOME_NET , ![10.0.0.0/16]]": "10.9.0.1",
	} {
		s, err := vars.parseAddresses(expression)
		require.NoError(t, err, expression)
		for _, a := range []string{"10.0.0.1", "10.9.0.1", "8.8.8.8", "2001:db8::1"} {
			want := strings.Contains(" "+holds+" ", " "+a+" ") || expression == "" || expression == "any"
			require.Equal(t, want, s.contain(wire.MustParseAddr(a)), "%q and %s", expression, a)
		}
	}
}

func TestPortExpressions(t *testing.T) {
	vars := variables{ports: map[string][]string{"WEB": {"80", "443"}}}
	for expression, holds := range map[string][]uint16{
		"80": {80}, "80:100": {80, 100}, ":80": {0, 80}, "1024:": {1024, 65535}, "!80": {0, 100, 443, 1024, 65535},
		"[$WEB,1024]": {80, 443, 1024}, "[0:1024,!$WEB]": {0, 100, 1024},
	} {
		s, err := vars.parsePorts(expression)
		require.NoError(t, err, expression)
		for _, n := range []uint16{0, 80, 100, 443, 1024, 65535} {
			want := false
			for _, h := range holds {
				want = want || h == n
			}
			require.Equal(t, want, s.contain(n), "%q and %d", expression, n)
		}
	}
}

func FuzzRule(f *testing.F) {
	f.Add("drop tcp $HOME_NET any -> [1.2.3.4,!5.6.0.0/16] [80,!81:90] (sid:1; flow:to_server,established; msg:\"x\";)")
	f.Add("pass ip any any <> any any ()")
	vars := variables{ips: map[string][]string{"HOME_NET": {"10.0.0.0/8"}, "LOOP": {"$LOOP"}}}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := parseRule(line)
		if err != nil {
			return
		}
		s, err := r.compile("group", vars)
		if err != nil {
			return
		}
		again, err := parseRule(s.text)
		if len(r.Options) > 0 {
			require.NoError(t, err, s.text)
			require.Equal(t, s.text, again.String())
		}
	})
}

// The twin looks every flow up in a list.
func TestFlowsAreFoundAsInAList(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	type entry struct {
		a, b wire.Flow
		last time.Duration
	}
	var list []entry
	var table flows
	addr := func() wire.Addr { return wire.AddrFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(rng.IntN(4))})) }
	now := time.Duration(0)
	for range 8_000 {
		now += time.Duration(rng.IntN(4000)) * time.Millisecond
		f := wire.Flow{Src: addr(), Dst: addr(), SrcPort: uint16(rng.IntN(6)), DstPort: uint16(rng.IntN(6)), Proto: []wire.Proto{wire.ProtoTCP, wire.ProtoUDP}[rng.IntN(2)]}
		known, at := false, -1
		for i, e := range list {
			if e.a == f || e.b == f {
				at, known = i, now < e.last+idle(f, time.Minute)
			}
		}
		k, _ := key(f)
		back, _ := key(f.Reverse())
		require.Equal(t, k, back)
		_, got := table.find(k, now, time.Minute)
		require.Equal(t, known, got)
		table.keep(k, flow{}, now, time.Minute)
		if at < 0 {
			list = append(list, entry{a: f, b: f.Reverse()})
			at = len(list) - 1
		}
		list[at].last = now
	}
	require.LessOrEqual(t, len(table.byFlow), len(list))
}
