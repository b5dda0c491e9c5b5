package filter_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/filter"
)

func TestResetForgetsFlowsAndRefusals(t *testing.T) {
	s := newStory(t, filter.TrackerConfig{Allowance: 1})
	query, other := udp(peer, 4000, me, 53), udp(peer, 4001, me, 53)
	s.admit(in, query)
	require.False(t, s.flows.Admit(in, other.read(t), s.now))
	s.flows.Reset()
	require.Zero(t, s.flows.Len())
	require.Zero(t, s.flows.Exceeded())
	s.unknown(in, query)
	s.admit(in, other)
	s.known(in, other)
}
