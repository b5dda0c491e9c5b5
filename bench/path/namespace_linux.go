package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// namespace is a network namespace, by its name.
type namespace string

var namespaces atomic.Uint32

// newNamespace makes a namespace that forwards and keeps quiet.
func newNamespace(label string) (namespace, error) {
	ns := namespace(fmt.Sprintf("vpcsim-bench-%d-%d-%s", os.Getpid(), namespaces.Add(1), label))
	if out, err := exec.Command("ip", "netns", "add", string(ns)).CombinedOutput(); err != nil {
		return "", fmt.Errorf("ip netns add: %v: %s", err, out)
	}
	err := run(
		command{ns, "ip link set lo up"},
		command{ns, "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.default.disable_ipv6=1"},
	)
	if err != nil {
		ns.remove()
		return "", err
	}
	return ns, nil
}

func (ns namespace) remove() error { return exec.Command("ip", "netns", "delete", string(ns)).Run() }

// command is a command line, its words parted at spaces, for a namespace.
type command struct {
	ns   namespace
	line string
}

func run(steps ...command) error {
	for _, s := range steps {
		words := append([]string{"netns", "exec", string(s.ns)}, strings.Fields(s.line)...)
		if out, err := exec.Command("ip", words...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %v: %s", s.line, err, bytes.TrimSpace(out))
		}
	}
	return nil
}

// inside runs f on a thread that is in the namespace.
func (ns namespace) inside(f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(home)
	there, err := unix.Open("/run/netns/"+string(ns), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(there)
	if err := unix.Setns(there, unix.CLONE_NEWNET); err != nil {
		return err
	}
	defer func() {
		if err := unix.Setns(home, unix.CLONE_NEWNET); err != nil {
			panic("path: a thread can't leave its network namespace: " + err.Error())
		}
	}()
	return f()
}

// received returns how many packets an interface has received.
func (ns namespace) received(iface string) (n int, err error) {
	err = ns.inside(func() error {
		all, err := os.ReadFile("/proc/thread-self/net/dev")
		if err != nil {
			return err
		}
		_, line, ok := strings.Cut(string(all), iface+":")
		if !ok {
			return fmt.Errorf("no interface %q", iface)
		}
		var octets int
		_, err = fmt.Sscan(line, &octets, &n)
		return err
	})
	return n, err
}

// tap is a packet socket that catches what an interface receives.
type tap struct{ fd int }

func (ns namespace) tap(iface string) (t tap, err error) {
	return t, ns.inside(func() error {
		i, err := net.InterfaceByName(iface)
		if err != nil {
			return err
		}
		if t.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err != nil {
			return err
		}
		if err = unix.SetsockoptInt(t.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20); err == nil {
			protocol := binary.NativeEndian.Uint16([]byte{0x08, 0x00})
			err = unix.Bind(t.fd, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: i.Index})
		}
		if err != nil {
			t.close()
		}
		return err
	})
}

func (t tap) close() { unix.Close(t.fd) }

// receive hands out the IP packets that were caught.
func (t tap) receive(got func(ip []byte)) error {
	b := make([]byte, 2048)
	for {
		n, err := unix.Read(t.fd, b)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return nil
		case err != nil:
			return err
		case n > ethLen:
			got(b[ethLen:n])
		}
	}
}
