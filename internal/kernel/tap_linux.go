package kernel

import (
	"encoding/binary"
	"net"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Tap is a packet socket on an interface: it sends frames as they are, and catches
// all that the interface receives.
type Tap struct {
	// MAC is the interface's own address.
	MAC [6]byte

	t  testing.TB
	fd int
}

// Tap opens a packet socket on an interface of the namespace. Frames for any MAC
// address are caught; with one that is not the interface's, the namespace's own
// stack leaves them alone.
func (n *Namespace) Tap(iface string) *Tap {
	n.t.Helper()
	tap := &Tap{t: n.t, fd: -1}
	n.inside(func() {
		link, err := net.InterfaceByName(iface)
		must(n.t, err)
		tap.MAC = [6]byte(link.HardwareAddr)
		tap.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		must(n.t, err)
		n.t.Cleanup(func() { unix.Close(tap.fd) })
		promiscuous := unix.PacketMreq{Ifindex: int32(link.Index), Type: unix.PACKET_MR_PROMISC}
		must(n.t, unix.SetsockoptPacketMreq(tap.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &promiscuous))
		must(n.t, unix.SetsockoptInt(tap.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20))
		everything := unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ALL), Ifindex: link.Index}
		must(n.t, unix.Bind(tap.fd, &everything))
	})
	return tap
}

func bigEndian(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

// Send sends a frame from its Ethernet header on. It fails the test where the kernel
// refuses it, as one longer than the MTU.
func (p *Tap) Send(frame []byte) {
	p.t.Helper()
	if _, err := unix.Write(p.fd, frame); err != nil {
		p.t.Fatalf("frame of %d bytes: %v", len(frame), err)
	}
}

// Receive returns the frames that have been caught since, in their order, without
// waiting. Frames that the namespace itself sent are left out.
func (p *Tap) Receive() [][]byte {
	p.t.Helper()
	var frames [][]byte
	for {
		b := make([]byte, 1<<16)
		n, from, err := unix.Recvfrom(p.fd, b, 0)
		if err == unix.EINTR {
			continue
		}
		if err == unix.EAGAIN {
			return frames
		}
		must(p.t, err)
		if from.(*unix.SockaddrLinklayer).Pkttype != unix.PACKET_OUTGOING {
			frames = append(frames, b[:n:n])
		}
	}
}

// Wait waits until a frame is there to be received, and reports false where none
// came within d.
func (p *Tap) Wait(d time.Duration) bool {
	p.t.Helper()
	deadline := time.Now().Add(d)
	for {
		left := max(time.Until(deadline), 0)
		fds := []unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, int(left.Milliseconds()))
		if err != unix.EINTR {
			must(p.t, err)
			return n > 0
		}
	}
}

// Pin keeps the test on one processor. What one thread sends over veth is then handled
// by one processor and in order, so that an answer to the last frame says that the
// frames before it have been dealt with.
func Pin(t testing.TB) {
	t.Helper()
	runtime.LockOSThread()
	var before, one unix.CPUSet
	must(t, unix.SchedGetaffinity(0, &before))
	cpu := 0
	for !before.IsSet(cpu) {
		cpu++
	}
	one.Set(cpu)
	must(t, unix.SchedSetaffinity(0, &one))
	t.Cleanup(func() {
		must(t, unix.SchedSetaffinity(0, &before))
		runtime.UnlockOSThread()
	})
}

// computeChecksums turns transmit checksum offload off, so that what a namespace sends
// is summed when a Tap sees it. The calling thread is in the interface's namespace.
func computeChecksums(iface string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	command := struct{ cmd, data uint32 }{unix.ETHTOOL_STXCSUM, 0}
	request := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}{data: unsafe.Pointer(&command)}
	copy(request.name[:unix.IFNAMSIZ-1], iface)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		return errno
	}
	return nil
}
