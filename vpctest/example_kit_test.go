package vpctest_test

import (
	"fmt"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/vpctest"
)

var hostConfig = host.Config{}

// What becomes of a packet, and all that stands in its way.
func ExampleNetwork_Ask() {
	n := shop(vpctest.Program).Network()
	v := n.Ask(vpctest.Program, "web", "db", "tcp/5432")
	fmt.Println(v.Observed, v.Reachable)
	for _, b := range v.Blockers {
		fmt.Println(b.Direction, b.Code)
	}
	// Output:
	// filtered false
	// request ENI_SG_RULES_MISMATCH
}

// What a change would do, without making it.
func ExampleNetwork_With() {
	n := shop(vpctest.Program).Network()
	after := n.With(vpctest.Program, "db/ingress/tcp/5432/10.0.1.0/24=none", "web/state=stopped")
	fmt.Println(n.Ask(vpctest.Program, "app", "db", "tcp/5432").Reachable)
	fmt.Println(after.Ask(vpctest.Program, "app", "db", "tcp/5432").Reachable)
	// Output:
	// true
	// false
}

// A matrix for a golden file: a review shows a change of connectivity as a change of
// lines.
func ExampleNetwork_Reachability() {
	n := shop(vpctest.Program).Network()
	fmt.Print(n.Reachability(vpctest.Program, "tcp/443", "tcp/5432"))
	// Output:
	// app -> db: tcp/5432
	// app -> internet: tcp/443 tcp/5432
	// app -> web: tcp/443
	// db -> app: -
	// db -> internet: tcp/443 tcp/5432
	// db -> web: tcp/443
	// internet -> app: -
	// internet -> db: -
	// internet -> web: tcp/443
	// web -> app: -
	// web -> db: -
	// web -> internet: tcp/443 tcp/5432
}
