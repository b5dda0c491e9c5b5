package host

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/wire"
)

func isARP(frame []byte) bool { return wire.Ethernet(frame).Type() == wire.EtherTypeARP }

// asked returns when questions for an address were sent on a LAN, and to whom.
func (l *lan) asked(a netip.Addr) (at []time.Duration, to []wire.MAC) {
	for i, frame := range l.frames {
		if !isARP(frame) {
			continue
		}
		p := wire.ARP(wire.Ethernet(frame).Payload())
		if p.Op() == wire.ARPRequest && p.Target() == wire.AddrFrom(a) {
			at, to = append(at, l.times[i]), append(to, wire.Ethernet(frame).Dst())
		}
	}
	return at, to
}

func TestASilentNeighbourIsAskedThreeTimes(t *testing.T) {
	n := newLine(t)
	absent := netip.MustParseAddr("10.0.0.77")
	r := n.a.Ping(absent, PingConfig{Count: 2, Interval: time.Millisecond})
	require.Len(t, r.Errors, 2)
	require.Equal(t, 3*time.Second, n.engine.Now().Truncate(time.Millisecond))
	at, to := n.left.asked(absent)
	require.Equal(t, []time.Duration{0, time.Second, 2 * time.Second}, at)
	require.Equal(t, []wire.MAC{wire.Broadcast, wire.Broadcast, wire.Broadcast}, to)
	require.Empty(t, n.a.neighbors)
}

func TestPacketsWaitForANeighbourTheOldestGoingFirst(t *testing.T) {
	n := newLine(t)
	s, err := n.router.ListenUDP(at(netip.Addr{}, 53))
	require.NoError(t, err)
	c, err := n.a.ListenUDP(netip.AddrPort{})
	require.NoError(t, err)
	for i := range 120 {
		_, err := c.Send(netip.MustParseAddrPort("10.0.0.1:53"), []byte{byte(i)})
		require.NoError(t, err)
	}
	n.settle()
	require.Len(t, s.Received(), maxPending)
	require.Equal(t, []byte{120 - maxPending}, s.Received()[0].Payload)
}

func TestANeighbourThatMovedIsFoundAgain(t *testing.T) {
	n := newLine(t)
	moved := netip.MustParseAddr("10.0.0.200")
	require.NoError(t, n.router.NIC("eth0").AddAddr(netip.PrefixFrom(moved, 24)))
	require.Equal(t, 1, n.a.Ping(moved, PingConfig{}).Received)
	require.True(t, n.router.NIC("eth0").RemoveAddr(moved))
	standby := New(n.engine, Config{Name: "standby"})
	n.left.attach(t, standby, NICConfig{}, "10.0.0.201/24", "10.0.0.200/24")
	iptables(t, n.router, "-P FORWARD DROP")
	r := n.a.Ping(moved, PingConfig{Count: 60})
	require.Greater(t, r.Received, 20)
	// reachable for 30 s from the first answer, 5 s in use while stale, three probes
	// at the old address, and a question to everybody.
	require.Equal(t, 39, r.Replies[0].Seq)
	at, to := n.left.asked(moved)
	require.Len(t, at, 5)
	old := n.router.NIC("eth0").MAC()
	require.Equal(t, []wire.MAC{wire.Broadcast, old, old, old, wire.Broadcast}, to)
}

func TestAnAnnouncementChangesWhatIsKnown(t *testing.T) {
	n := newLine(t)
	n.a.Ping(netip.MustParseAddr("10.0.0.1"), PingConfig{})
	claim := func(target string, mac wire.MAC) {
		b := make([]byte, wire.EthernetLen)
		wire.PutEthernet(b, wire.Broadcast, mac, wire.EtherTypeARP)
		a := wire.MustParseAddr(target)
		n.a.NIC("eth0").Frame(wire.AppendARP(b, wire.ARPRequest, mac, a, wire.MAC{}, a))
	}
	nic := n.a.NIC("eth0")
	other := wire.MAC{2, 7, 7, 7, 7, 7}
	claim("10.0.0.1", other)
	require.Equal(t, other, n.a.neighbors[neighborKey{nic, wire.MustParseAddr("10.0.0.1")}].mac)
	claim("10.0.0.88", other)
	require.Nil(t, n.a.neighbors[neighborKey{nic, wire.MustParseAddr("10.0.0.88")}], "an unknown station is not learned")
}

func TestNeighbourDiscoveryRefusesWhatCameThroughARouter(t *testing.T) {
	n := newLine(t)
	nic := n.a.NIC("eth0")
	solicit := func(ttl uint8) int {
		before := len(n.left.frames)
		target, mac := wire.MustParseAddr("fd00::11"), wire.MAC{2, 9, 9, 9, 9, 9}
		b := make([]byte, wire.EthernetLen)
		wire.PutEthernet(b, wire.GroupMAC(wire.SolicitedNode(target)), mac, wire.EtherTypeIPv6)
		b = wire.AppendNeighborSolicitation(b, wire.Header{Src: wire.MustParseAddr("fd00::1")}, target, mac)
		b[wire.EthernetLen+7] = ttl
		nic.Frame(b)
		return len(n.left.frames) - before
	}
	require.Equal(t, 0, solicit(254))
	require.Equal(t, 1, solicit(255))
}
