package route

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// What every lookup goes through must cost no call of its own.
func TestTheCompilerInlinesWhatEveryLookupCalls(t *testing.T) {
	out, err := exec.Command("go", "build", "-gcflags=-m", ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, name := range []string{"common4", "(*match).matches", "slot.route", "unpack"} {
		require.Contains(t, string(out), "can inline "+name+"\n")
	}
}
