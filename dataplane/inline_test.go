package dataplane_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatEveryNodeCallsIsInlined(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("skipped: no go command on the path")
	}
	for pkg, names := range map[string][]string{
		".":            {"To", "Drop", "Next.Node", "Next.End", "(*Context).Tracing", "(*Context).Deliver", "(*Context).Untracked", "(*Engine).release", "(*Context).Fixed", "(*Context).Fits", "(*Context).Recording", "(*flowCache).courseOf"},
		"../flowtable": {"fold"},
		"../filter":    {"(*flow).is", "(*flow).alive", "ends", "probeOf"},
		"../nat":       {"(*record).is", "(*wide).is", "packPorts", "side", "closed"},
		"../eni":       {"(*Port).impaired", "(*Interface).Out"},
	} {
		out, err := exec.Command(goTool, "build", "-gcflags=-m", pkg).CombinedOutput()
		require.NoError(t, err, "%s", out)
		for _, name := range names {
			require.Contains(t, string(out), "can inline "+name+"\n", pkg)
		}
	}
}
