package kernel

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace with its loopback up and IPv6's chatter off. It is
// gone when its test ends.
type Namespace struct {
	// Name is what "ip netns" calls it.
	Name string

	t testing.TB
}

var made atomic.Uint32

// NewNamespace makes an empty namespace whose name ends in label. It skips the test
// where the process may not.
func NewNamespace(t testing.TB, label string) *Namespace {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("comparing with the Linux kernel needs root: network namespaces")
	}
	n := &Namespace{Name: fmt.Sprintf("vpcsim-%d-%d-%s", os.Getpid(), made.Add(1), label), t: t}
	if out, err := exec.Command("ip", "netns", "add", n.Name).CombinedOutput(); err != nil {
		t.Skipf("comparing with the Linux kernel needs network namespaces: ip netns add: %v: %s", err, out)
	}
	t.Cleanup(func() {
		out, err := exec.Command("ip", "netns", "delete", n.Name).CombinedOutput()
		if err != nil {
			t.Errorf("ip netns delete %s: %v: %s", n.Name, err, out)
		}
	})
	for _, key := range []string{"accept_dad", "router_solicitations", "accept_ra", "autoconf", "addr_gen_mode"} {
		value := "0"
		if key == "addr_gen_mode" {
			value = "1" // no link-local address by itself
		}
		n.Sysctl("net.ipv6.conf.default."+key, value)
		n.Sysctl("net.ipv6.conf.all."+key, value)
	}
	n.Run("ip link set lo up")
	return n
}

// Exec runs a program in the namespace and returns what it printed.
func (n *Namespace) Exec(program string, args ...string) (string, error) {
	all := append([]string{"netns", "exec", n.Name, program}, args...)
	out, err := exec.Command("ip", all...).CombinedOutput()
	return string(out), err
}

// Run runs a command line, its words parted at spaces, in the namespace. It fails
// the test where the command fails.
func (n *Namespace) Run(line string) string {
	n.t.Helper()
	words := strings.Fields(line)
	out, err := n.Exec(words[0], words[1:]...)
	if err != nil {
		n.t.Fatalf("%s: %s: %v: %s", n.Name, line, err, out)
	}
	return out
}

// Sysctl sets a variable. It fails the test where the kernel refuses.
func (n *Namespace) Sysctl(key, value string) {
	n.t.Helper()
	if out, err := n.Exec("sysctl", "-qw", key+"="+value); err != nil {
		n.t.Fatalf("%s: sysctl %s=%s: %v: %s", n.Name, key, value, err, out)
	}
}

// Connect joins two namespaces by a veth pair of the given names, both ends up, and
// with checksums computed rather than left to a device.
func (n *Namespace) Connect(name string, peer *Namespace, peerName string) {
	n.t.Helper()
	n.Run(fmt.Sprintf("ip link add %s type veth peer name %s netns %s", name, peerName, peer.Name))
	for _, end := range []struct {
		ns    *Namespace
		iface string
	}{{n, name}, {peer, peerName}} {
		end.ns.Run("ip link set " + end.iface + " up")
		end.ns.inside(func() { must(n.t, computeChecksums(end.iface)) })
	}
}

// inside runs f on a thread that is in the namespace.
func (n *Namespace) inside(f func()) {
	n.t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	must(n.t, err)
	defer unix.Close(home)
	there, err := unix.Open("/run/netns/"+n.Name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	must(n.t, err)
	defer unix.Close(there)
	must(n.t, unix.Setns(there, unix.CLONE_NEWNET))
	defer func() {
		if err := unix.Setns(home, unix.CLONE_NEWNET); err != nil {
			panic("kernel: a thread can't leave its network namespace: " + err.Error())
		}
	}()
	f()
}

// must ends the test where the kernel refused something.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("kernel: %v", err)
	}
}
