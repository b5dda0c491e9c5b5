//go:build !linux

package main

import "time"

var began = time.Now()

// cpuTime returns the time since the program began: elsewhere than on Linux other
// programs on the machine are in it.
func cpuTime() time.Duration { return time.Since(began) }

// kernelPeers are paths in the Linux kernel.
func kernelPeers() []peer { return nil }
