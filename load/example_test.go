package load_test

import (
	"fmt"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/vpc"
)

// A folder of what the aws CLI printed is a network; what it lacks is told.
func ExampleDir() {
	n, err := load.Dir("testdata/shop", load.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range n.Regions {
		fmt.Println(r.Name(), len(r.DescribeNetworkInterfaces().NetworkInterfaces), "interfaces,", len(n.Skipped), "skipped")
	}
	for _, x := range n.Find("web-1") {
		if nic, ok := x.(*vpc.NetworkInterface); ok {
			fmt.Println(nic.PrivateIP(), "in", nic.Subnet().Label())
		}
	}
	// Output:
	// us-east-1 15 interfaces, 0 skipped
	// 10.0.10.5 in private-us-east-1a
}
