package nlb_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/flowlog"
)

// What a target answers is logged, although it goes past the route table.
func TestTheAnswersOfATargetAreLogged(t *testing.T) {
	for _, preserve := range []string{"false", "true"} {
		n := newNet(t, options{})
		n.must(n.group.SetAttribute("preserve_client_ip.enabled", preserve))
		l, err := flowlog.Create(n.targets[0].Subnet, flowlog.Config{Format: "${flow-direction} ${action} ${traffic-path} ${next-hop-interface-id}"})
		n.must(err)
		c, err := n.dial(n.client, 0)
		n.must(err)
		n.echo(c)
		n.Run(time.Minute)
		require.Contains(t, strings.Split(l.Text(n.Live(n.Region)), "\n"), "egress ACCEPT 1 "+n.l.Interfaces()[0].ID(), preserve)
	}
}
