package netfilter_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/netfilter"
	"github.com/vpcsim/vpcsim/wire"
)

// What is untracked passes, what is INVALID is dropped and what is NEW is answered, so
// each message tells what the kernel takes it for.
func TestICMPMessagesAreTrackedAsByTheKernel(t *testing.T) {
	linux, model := newLinuxRouter(t), &modelRouter{tables: netfilter.New(netfilter.Config{})}
	for _, program := range []string{"iptables", "ip6tables"} {
		for _, rule := range []string{
			" -A FORWARD -m conntrack --ctstate UNTRACKED -j ACCEPT",
			" -A FORWARD -m conntrack --ctstate INVALID -j DROP",
			" -A FORWARD -m conntrack --ctstate NEW -j REJECT",
		} {
			linux.ns.Run(legacy(program + rule))
			_, err := model.tables.Command(program + rule)
			require.NoError(t, err)
		}
	}
	untracked := []int{}
	for family, proto := range []wire.Proto{wire.ProtoICMP, wire.ProtoICMPv6} {
		for typ := range 256 {
			if proto == wire.ProtoICMPv6 && (typ == 139 || typ > 150) {
				continue // node information queries are INVALID here; multicast routers in new kernels not
			}
			h := wire.Header{Src: insiders[family][0], Dst: outsiders[family][0], TTL: 9, Proto: proto}
			b := wire.AppendICMP(nil, h, uint8(typ), 0, 0x01020304, make([]byte, 40))
			real, got := linux.send(0, b), model.send(0, slices.Clone(b))
			require.Equal(t, describeAll(real), describeAll(got), "%v type %d", proto, typ)
			if len(real) == 1 && real[0].side == 1 {
				untracked = append(untracked, typ)
			}
		}
	}
	require.Equal(t, []int{130, 131, 132, 133, 134, 135, 136, 143}, untracked, "of ICMPv6 alone")
}
