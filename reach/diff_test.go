package reach_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/reach"
)

// compare asks two networks all that may be asked of them.
func compare(t *testing.T, a, b *load.Network) *reach.Comparison {
	t.Helper()
	ports := []reach.Port{{Proto: "tcp", Number: 443}}
	var all []reach.Spec
	for _, n := range []*load.Network{a, b} {
		all = append(append(all, reach.AllPairs(n.World)...), reach.AcrossTheBorder(n.World)...)
		all = append(append(all, reach.AllPairs(n.World, ports...)...), reach.AcrossTheBorder(n.World, ports...)...)
	}
	side := func(n *load.Network) reach.Side {
		return reach.Side{World: n.World, Config: reach.Config{LeftOut: n.Lacks}}
	}
	c, err := reach.Diff(side(a), side(b), all)
	require.NoError(t, err)
	return c
}

func TestDiffInWords(t *testing.T) {
	a := shop(t)
	b, err := a.With(overlay(t,
		"eipalloc-071098dc238492249/association=eni-003b061f661351836", // another address of the bastion's
		"rtb-0dd2f9b2d0b5f15e6/10.0.0.0/16=tgw-05d81788a5c2ef67f",      // from the office by the transit gateway
		"web/ingress/tcp/443/0.0.0.0/0=none", "web/ingress/tcp/443/172.31.0.0/16=allow", "web/ingress/icmp/172.31.0.0/16=allow",
	))
	require.NoError(t, err)
	c := compare(t, a, b)
	text := c.String()
	for _, line := range []string{
		"lost    bastion (eni-003b061f661351836) -> web-1 (eni-03884f50d388dc242) tcp/443: open -> filtered (no security group ingress rule allows it at web-1 (eni-03884f50d388dc242))\n",
		"gained  desk (eni-0a4b06b2bd6dca489) -> web-1 (eni-03884f50d388dc242) icmp: no-reply (no security group ingress rule allows it at web-1 (eni-03884f50d388dc242)) -> reply\n",
		"egress  bastion (eni-003b061f661351836) -> internet icmp,tcp/443: seen as 203.0.113.2 -> 203.0.113.4\n",
		"way     desk (eni-0a4b06b2bd6dca489) -> web-1 (eni-03884f50d388dc242) tcp/443: there by office (tgw-attach-0a254559d4fb0fd0e), office in us-east-1b (eni-0956e3eed4b1647c2), hub (tgw-05d81788a5c2ef67f), shop in us-east-1a (eni-09d1f9f54fe5c6163), no more by shop-office (pcx-0657b445f1ff82bc7), shop (vpc-0044c3cd7f43c661c)\n",
		", of 156 asked\n",
	} {
		require.Contains(t, text, line)
	}
	require.Less(t, strings.Index(text, "\nlost"), strings.Index(text, "\negress"))
	require.Empty(t, c.Gone)
	require.True(t, compare(t, a, a).Same())
	require.Empty(t, compare(t, a, a).String())
	back := compare(t, b, a)
	require.Len(t, back.Deltas, len(c.Deltas))
	for i := range c.Deltas {
		opposite := map[string]string{"lost": "gained", "gained": "lost"}[c.Deltas[i].Change]
		if opposite == "" {
			opposite = c.Deltas[i].Change
		}
		require.Equal(t, opposite, back.Deltas[i].Change)
	}
}

// TestDiffFindsHostsByTheirNames: a network that was built anew has other ids.
func TestDiffFindsHostsByTheirNames(t *testing.T) {
	a := shop(t)
	files := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(os.DirFS("../load/testdata/shop"), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile("../load/testdata/shop/" + name)
		for _, prefix := range []string{"eni", "nat", "igw", "subnet", "tgw", "vgw"} {
			text = []byte(strings.ReplaceAll(string(text), `"`+prefix+"-0", `"`+prefix+"-f"))
		}
		text = []byte(strings.ReplaceAll(string(text), `"Value": "desk"`, `"Value": "table"`))
		files[name] = &fstest.MapFile{Data: text}
		return err
	}))
	b, err := load.FS(files, load.Config{})
	require.NoError(t, err)
	require.Equal(t, `gone    eni-055f053ed7217c6a7
gone    eni-086edf4f59f79586c
gone    desk (eni-0a4b06b2bd6dca489)
gone    eni-0f43ef5f607528fb6
new     eni-f55f053ed7217c6a7
new     eni-f86edf4f59f79586c
new     table (eni-fa4b06b2bd6dca489)
new     eni-ff43ef5f607528fb6
no path changed, of 94 asked
`, compare(t, a, b).String(), "interfaces without a name are not known again")
}
