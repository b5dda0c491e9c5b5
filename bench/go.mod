module github.com/vpcsim/vpcsim/bench

go 1.26.8

require (
	github.com/cilium/cilium v1.20.2
	github.com/cilium/ebpf v0.22.0
	github.com/gaissmai/bart v0.30.0
	github.com/google/gopacket v1.1.19
	github.com/k-sone/critbitgo v1.4.0
	github.com/vpcsim/vpcsim v0.0.0
	github.com/yl2chen/cidranger v1.0.2
	golang.org/x/sys v0.48.0
	gvisor.dev/gvisor v0.0.0-20260413194555-9680d69bf798
	tailscale.com v1.96.0
)

require (
	golang.org/x/exp v0.0.0-20260908205506-85c1c2202aba // indirect
	golang.org/x/net v0.59.0 // indirect
	golang.org/x/time v0.15.0 // indirect
)

replace github.com/vpcsim/vpcsim => ../
