package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/trace"
)

func TestC139WithoutApplianceModeOnlyEqualZonesTalk(t *testing.T) {
	l, err := newLab(t, false)
	require.NoError(t, err)
	for i, row := range l.table() {
		for j, c := range row {
			require.Equal(t, i == j, c.answered, "%s to %s:\n%s", zones[i], zones[j], c.story)
			require.Equal(t, zones[i], c.out)
			require.Equal(t, zones[j], c.back)
			if i != j {
				require.Equal(t, trace.HostFilter, c.end)
			}
		}
	}
}

func TestC139WithApplianceModeAllZonesTalk(t *testing.T) {
	l, err := newLab(t, true)
	require.NoError(t, err)
	for i, row := range l.table() {
		for j, c := range row {
			require.True(t, c.answered, "%s to %s:\n%s", zones[i], zones[j], c.story)
			require.Equal(t, c.out, c.back)
			if i == j {
				require.Equal(t, zones[i], c.out)
			}
		}
	}
}

func TestRunTellsTheStoryTheSameWayTwice(t *testing.T) {
	var first, second bytes.Buffer
	require.NoError(t, run(&first, t))
	require.NoError(t, run(&second, t))
	require.Equal(t, first.String(), second.String())
	for _, want := range []string{
		"us-east-1a  ok (a, a)                 no answer (a, b)          no answer (a, c)",
		"6 times: dropped by the guest's own filter",
	} {
		require.Contains(t, first.String(), want)
	}
}
