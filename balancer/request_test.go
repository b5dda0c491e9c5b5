package balancer

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// The slow twin of like is a regular expression.
func TestWildcardsEqualTheSlowTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	draw := func(of string, n int) string {
		b := make([]byte, rng.IntN(n))
		for i := range b {
			b[i] = of[rng.IntN(len(of))]
		}
		return string(b)
	}
	matched := 0
	for range 20000 {
		pattern, s := draw("ab*?.", 7), draw("ab.", 8)
		twin := regexp.MustCompile("^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern)) + "$")
		require.Equal(t, twin.MatchString(s), like(pattern, s), "%q %q", pattern, s)
		if like(pattern, s) {
			matched++
		}
	}
	require.Greater(t, matched, 1000)
}

// Whatever a description says, restoring it is an error or a resource, and describing
// and compiling what came of it works.
func FuzzRestore(f *testing.F) {
	f.Add(`{"LoadBalancerArn":"arn:aws:elasticloadbalancing:r:1:loadbalancer/net/a/1","VpcId":"vpc-0123456789abcdef0","AvailabilityZones":[{"SubnetId":"subnet-1"}]}`,
		`{"TargetGroupArn":"arn:aws:elasticloadbalancing:r:1:targetgroup/a/1","Protocol":"TCP","Port":80,"TargetType":"ip","HealthCheckPort":"x"}`,
		`{"ListenerArn":"l","LoadBalancerArn":"arn:aws:elasticloadbalancing:r:1:loadbalancer/net/a/1","Port":80,"DefaultActions":[{"Type":"forward","TargetGroupArn":"arn:aws:elasticloadbalancing:r:1:targetgroup/a/1"}]}`,
		`[{"Target":{"Id":"10.0.0.1","Port":80},"TargetHealth":{"State":"draining"}},{"Target":{}}]`)
	f.Add(`{"LoadBalancerArn":"arn:aws:elasticloadbalancing:r:1:loadbalancer/net/a/1","VpcId":"vpc-0123456789abcdef0"}`, `{}`,
		`{"ListenerArn":"l","LoadBalancerArn":"arn:aws:elasticloadbalancing:r:1:loadbalancer/net/a/1"}`, `[]`)
	f.Add(`{}`, `{}`, `{"DefaultActions":[{}]}`, `[{}]`)
	f.Add(`{"SecurityGroups":["sg-1"]}`, `{"Port":-1}`, `{"Port":70000,"DefaultActions":null}`, `[{"Target":{"Id":"x","Port":-5}}]`)
	f.Fuzz(func(t *testing.T, lb, group, listener, health string) {
		var a elbv2.LoadBalancer
		var b elbv2.TargetGroup
		var c elbv2.Listener
		var d []elbv2.TargetHealthDescription
		for text, to := range map[*string]any{&lb: &a, &group: &b, &listener: &c, &health: &d} {
			if json.Unmarshal([]byte(*text), to) != nil {
				return
			}
		}
		r := vpc.NewRegion(vpc.RegionConfig{})
		_, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{ID: "vpc-0123456789abcdef0"})
		require.NoError(t, err)
		kind := &Kind{Type: elbv2.TypeNetwork, Interface: vpc.InterfaceNLB, Path: "net/"}
		var l *LoadBalancer
		require.NoError(t, r.Change(func(tx *vpc.Tx) error {
			l, _ = Restore(tx, kind, a)
			g, _ := RestoreTargetGroup(tx, b)
			RestoreListener(tx, c)
			if g != nil {
				RestoreTargetHealth(tx, g.ID(), d)
			}
			return nil
		}))
		Describe(r)
		DescribeTargetGroups(r)
		if l != nil {
			l.DescribeListeners()
			r.View(func(tx *vpc.Tx) { l.Resolve(tx) })
		}
	})
}
