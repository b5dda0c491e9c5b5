package nat_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/wire"
)

// listed returns the sessions of a table without their age, which is not handed over.
func listed(t *nat.Table, now time.Duration) []nat.Session {
	var all []nat.Session
	for _, s := range t.All(now) {
		s.Created = 0
		all = append(all, s)
	}
	return all
}

// tell hands all sessions over, and what has ended.
func tell(t *testing.T, active, standby *nat.Table, now time.Duration) {
	for id, s := range standby.All(now) {
		if at, _ := active.Find(s.Original, now); at == 0 || active.Session(at).Translated != s.Translated {
			standby.Delete(id)
		}
	}
	for _, s := range active.All(now) {
		require.NotZero(t, standby.Restore(s, now))
	}
}

// A standby that is told of every session, now and then, ends with the same ones.
func TestARestoredTableIsTheActiveOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 3))
	for range 40 {
		active, standby := nat.NewTable(nat.TableConfig{Seed: 1}), nat.NewTable(nat.TableConfig{Seed: 2})
		var flows []wire.Flow
		now := time.Duration(0)
		for range 300 {
			now += time.Duration(rng.IntN(2000)) * time.Millisecond
			f := randomFlow(rng)
			if len(flows) > 0 && rng.IntN(3) > 0 {
				f = flows[rng.IntN(len(flows))]
			}
			if id, d := active.Find(f, now); id != 0 {
				p := of(t, f, []wire.TCPFlags{wire.ACK, wire.SYN | wire.ACK, wire.FIN | wire.ACK}[rng.IntN(3)])
				active.Track(id, d, p, now)
			} else if to, ok := active.PickSource(f, nat.SourceRange{First: gateway}, now); ok && f.Src.Is4() {
				active.Create(f, to, wire.SYN, now)
				flows = append(flows, f, to.Reverse())
			}
			if rng.IntN(10) == 0 {
				tell(t, active, standby, now)
			}
		}
		tell(t, active, standby, now)
		want := listed(active, now)
		require.NotEmpty(t, want)
		require.ElementsMatch(t, want, listed(standby, now))
		last := slices.MaxFunc(want, func(a, b nat.Session) int { return int(a.Expires - b.Expires) }).Expires
		require.NotEmpty(t, listed(standby, last-1))
		require.Empty(t, listed(standby, last), "they expire as they would have there")
		standby.Expire(last)
		require.Zero(t, standby.Len())
	}
}

func TestARestoredSessionTranslatesBothWays(t *testing.T) {
	active, standby := nat.NewTable(nat.TableConfig{}), nat.NewTable(nat.TableConfig{})
	f := flow(wire.ProtoTCP, inside, 40000, server, 80)
	id, to := linux(t, active, f, nat.SourceRange{First: gateway, FirstPort: 2000, LastPort: 2000}, 0)
	active.Track(id, nat.Reply, tcp(t, to.Reverse(), wire.SYN|wire.ACK), 0)
	active.Track(id, nat.Original, tcp(t, f, wire.ACK), 0)
	s := active.Session(id)
	require.Equal(t, nat.Established, s.State)
	require.NotZero(t, standby.Restore(s, second))
	at, d := standby.Find(to.Reverse(), second)
	require.Equal(t, nat.Reply, d)
	p := tcp(t, to.Reverse(), wire.ACK)
	standby.Translate(p, at, d)
	require.Equal(t, f.Reverse(), p.Flow)
	again(t, p)
}

func TestWhatCannotBeRestoredChangesNothing(t *testing.T) {
	f, g := flow(wire.ProtoUDP, inside, 4000, server, 53), flow(wire.ProtoUDP, router, 4000, server, 53)
	out := flow(wire.ProtoUDP, gateway, 4000, server, 53)
	elsewhere := flow(wire.ProtoUDP, gateway, 4001, server, 53)
	good := nat.Session{Original: g, Translated: elsewhere, State: nat.UDP, Expires: 10 * second}
	for name, spoil := range map[string]func(*nat.Session){
		"it has expired":                       func(s *nat.Session) { s.Expires = second },
		"it has no state":                      func(s *nat.Session) { s.State = 0 },
		"it has no known state":                func(s *nat.Session) { s.State = 200 },
		"its answers are another session's":    func(s *nat.Session) { s.Translated = out },
		"its opener is another session's":      func(s *nat.Session) { s.Original = f },
		"its opener's flow is that of answers": func(s *nat.Session) { s.Original = out.Reverse() },
	} {
		t.Run(name, func(t *testing.T) {
			table := nat.NewTable(nat.TableConfig{Max: 2})
			require.NotZero(t, table.Create(f, out, 0, 0))
			before := listed(table, second)
			s := good
			spoil(&s)
			require.Zero(t, table.Restore(s, second))
			require.Equal(t, before, listed(table, second))
		})
	}
	table := nat.NewTable(nat.TableConfig{Max: 1})
	require.NotZero(t, table.Restore(good, second))
	require.NotZero(t, table.Restore(good, second), "it is known")
	require.Zero(t, table.Restore(nat.Session{Original: f, Translated: out, State: nat.UDP, Expires: 10 * second}, second), "the table is full")
	require.NotZero(t, table.Restore(nat.Session{Original: f, Translated: elsewhere, State: nat.UDP, Expires: 30 * second}, 10*second),
		"the one that had its tuple has expired")
}
