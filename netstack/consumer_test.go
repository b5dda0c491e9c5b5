package netstack_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// consumer is a module that imports one package of this one, and its go.sum after
// "go mod tidy", which reads the tests of all packages imported as well.
func consumer(t *testing.T, imports string) (sum string) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("go.mod", fmt.Sprintf("module consumer\n\ngo 1.26\n\nrequire github.com/vpcsim/vpcsim v0.0.0\n\nreplace github.com/vpcsim/vpcsim => %q\n", root))
	write("consumer.go", fmt.Sprintf("package consumer\n\nimport _ %q\n", "github.com/vpcsim/vpcsim/"+imports))
	c := exec.Command("go", "mod", "tidy")
	c.Dir, c.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GOSUMDB=off")
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	b, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	require.NoError(t, err)
	return string(b)
}

func TestOnlyWhoImportsThisPackageHasGVisorInGoSum(t *testing.T) {
	for _, imports := range []string{"dataplane", "vpctest", "world"} {
		require.NotContains(t, consumer(t, imports), "gvisor", imports)
	}
	require.Contains(t, consumer(t, "netstack"), "gvisor.dev/gvisor ")
}
