package main

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "write what the program prints to testdata")

// C116: idle for 350 s the mapping is gone, and the next segment from inside gets RST.
func TestTheProgramPrintsTheSameInABubbleAndOutside(t *testing.T) {
	golden := "testdata/output.txt"
	check := func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, run(&out))
		if *rewrite {
			require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), out.String())
	}
	t.Run("in a bubble", func(t *testing.T) { synctest.Test(t, check) })
	t.Run("outside of a bubble", check)
}
