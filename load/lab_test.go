package load_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
)

// labs calls f with the name and folder of every recorded network.
func labs(t *testing.T, f func(t *testing.T, name, dir string)) {
	t.Helper()
	root := os.Getenv("VPCSIM_LABS")
	if root == "" {
		root = "../../shared/labs"
	}
	dirs, err := filepath.Glob(filepath.Join(root, "*", "aws_configs"))
	require.NoError(t, err)
	if len(dirs) == 0 {
		t.Skipf("no recorded networks in %s (VPCSIM_LABS)", root)
	}
	for _, dir := range dirs {
		name := filepath.Base(filepath.Dir(dir))
		t.Run(name, func(t *testing.T) { f(t, name, dir) })
	}
}

func TestEveryLabLoads(t *testing.T) {
	labs(t, func(t *testing.T, _, dir string) {
		n, err := load.Dir(dir, load.Config{})
		require.NoError(t, err)
		for _, s := range n.Skipped {
			t.Log(s)
		}
		for _, r := range n.Regions {
			require.NotNil(t, n.World.Live(r).Snapshot(), r.Name())
		}
	})
}
