package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns the CPU time of all threads of this process, its garbage collector's
// and what the kernel did in their name too: other programs on the machine, however
// busy, are not in it.
func cpuTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		panic("path: no CPU clock: " + err.Error())
	}
	return time.Duration(t.Nano())
}

// softirqThreads are the files with the CPU times of the kernel's threads that handle
// packets which nobody else has handled.
func softirqThreads() (files []string, err error) {
	comms, err := filepath.Glob("/proc/[0-9]*/comm")
	for _, f := range comms {
		name, err := os.ReadFile(f)
		if err == nil && strings.HasPrefix(string(name), "ksoftirqd/") {
			files = append(files, filepath.Join(filepath.Dir(f), "schedstat"))
		}
	}
	return files, err
}

// timeOf returns the sum of CPU times in schedstat files.
func timeOf(files []string) (sum time.Duration) {
	for _, f := range files {
		var ns int64
		b, err := os.ReadFile(f)
		if err == nil {
			_, err = fmt.Sscan(string(b), &ns)
		}
		if err != nil {
			panic("path: the kernel does not tell a thread's CPU time: " + err.Error())
		}
		sum += time.Duration(ns)
	}
	return sum
}
