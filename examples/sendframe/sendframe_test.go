package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheAllowedFrameArrivesAndTheOtherDoesNot(t *testing.T) {
	var out bytes.Buffer
	run(t, &out)
	require.Contains(t, out.String(), "UDP to port 7000: delivered\nUDP to port 7001: no security group ingress rule allows it\n")
	require.Contains(t, out.String(), "SrcIP=10.0.0.4 DstIP=10.0.1.4")
	require.Contains(t, out.String(), "DstPort=7000")
	require.NotContains(t, out.String(), "DstPort=7001")
}
