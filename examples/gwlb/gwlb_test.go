package main

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "write what the program prints to testdata")

// C151, C152, C153: GENEVE with its options, the chain of middleboxes, failover.
func TestTheProgramPrints(t *testing.T) {
	var out bytes.Buffer
	run(&out)
	if *rewrite {
		require.NoError(t, os.WriteFile("testdata/output.txt", out.Bytes(), 0o644))
	}
	want, err := os.ReadFile("testdata/output.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())
}
