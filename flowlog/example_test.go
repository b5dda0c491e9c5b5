package flowlog_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/flowlog"
	"github.com/vpcsim/vpcsim/vpctest"
)

// A flow log of a VPC: who asked, and who was refused.
func Example() {
	w := vpctest.New(vpctest.Program)
	v := w.VPC("10.0.0.0/16")
	client := v.Subnet("10.0.0.0/24").Host("client")
	server := v.Subnet("10.0.1.0/24").Card("server") // whose group lets nobody in
	log, err := flowlog.Create(v.VPC, flowlog.Config{
		Format: "${version} ${flow-direction} ${srcaddr} ${dstaddr} ${protocol} ${packets} ${bytes} ${start} ${action} ${traffic-path}",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client.Ping(server.Addr)
	w.Run(time.Minute)
	fmt.Print(log.Text(w.Live(w.Region)))
	// Output:
	// 5 egress 10.0.0.4 10.0.1.4 1 1 84 1767225600 ACCEPT 1
	// 5 ingress 10.0.0.4 10.0.1.4 1 1 84 1767225600 REJECT -
}

// What AWS refuses it refuses in AWS's words.
func ExampleCreate() {
	w := vpctest.New(vpctest.Program)
	_, err := flowlog.Create(w.VPC("10.0.0.0/16").VPC, flowlog.Config{Interval: 5 * time.Minute})
	fmt.Println(err)
	// Output: InvalidParameter: Invalid Flow Log Max Aggregation Interval.
}

// The fields of version 5.
func ExampleFields() {
	var five []string
	for _, name := range flowlog.Fields() {
		if f, err := flowlog.ParseFormat("${" + name + "}"); err == nil && f.Version() == 5 {
			five = append(five, name)
		}
	}
	fmt.Println(strings.Join(five, " "))
	// Output: flow-direction pkt-dst-aws-service pkt-src-aws-service traffic-path
}
