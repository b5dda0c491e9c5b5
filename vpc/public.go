package vpc

import "net/netip"

// publicAddresses are the region's public IPv4 addresses: who has which, and the
// next to hand out. Those of TEST-NET-3 (RFC 5737) come first, then those of the
// benchmark range (RFC 2544), none of which is anybody's.
type publicAddresses struct {
	taken map[netip.Addr]bool
	next  uint32
}

func newPublicAddresses() publicAddresses {
	return publicAddresses{taken: map[netip.Addr]bool{}}
}

const (
	testNet3  = 254       // addresses of 203.0.113.0/24 that are handed out
	benchmark = 1<<17 - 2 // of 198.18.0.0/15
)

// publicAddress returns the n-th address that is handed out.
func publicAddress(n uint32) netip.Addr {
	v := uint32(203<<24|113<<8) + n + 1
	if n >= testNet3 {
		v = uint32(198<<24|18<<16) + n - testNet3 + 1
	}
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// free returns an address that nobody has, the zero Addr where all are taken. Those
// given back are handed out again after all others.
func (p *publicAddresses) free() netip.Addr {
	const all = testNet3 + benchmark
	for range uint32(all) {
		a := publicAddress(p.next % all)
		p.next++
		if !p.taken[a] {
			return a
		}
	}
	return netip.Addr{}
}

func (p *publicAddresses) take(a netip.Addr)    { p.taken[a] = true }
func (p *publicAddresses) release(a netip.Addr) { delete(p.taken, a) }
