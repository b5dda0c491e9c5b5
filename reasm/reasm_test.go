package reasm_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/reasm"
	"github.com/vpcsim/vpcsim/wire"
)

var (
	a4, b4 = wire.MustParseAddr("10.0.0.1"), wire.MustParseAddr("10.0.0.2")
	a6, b6 = wire.MustParseAddr("2001:db8::1"), wire.MustParseAddr("2001:db8::2")
)

// datagram makes a UDP packet of either family.
func datagram(v6 bool, id uint16, length int) []byte {
	h := wire.Header{Src: a4, Dst: b4, TTL: 64, ID: id}
	if v6 {
		h.Src, h.Dst, h.ID = a6, b6, 0
	}
	payload := make([]byte, length)
	for i := range payload {
		payload[i] = byte(i*7 + int(id))
	}
	return wire.AppendUDP(nil, h, 1000, 2000, payload)
}

func read(t testing.TB, b []byte) *wire.Packet {
	t.Helper()
	p := new(wire.Packet)
	require.NoError(t, p.Read(b))
	return p
}

func TestWhatIsTakenApartComesTogetherInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		v6 := rng.IntN(2) == 0
		whole := datagram(v6, uint16(rng.Uint32()), 100+rng.IntN(5000))
		mtu := 100 + rng.IntN(1400)
		parts := reasm.Split(read(t, whole), mtu, reasm.Cut{ID: 77})
		var q reasm.Queue
		order := rng.Perm(len(parts))
		for i, n := range order {
			require.LessOrEqual(t, len(parts[n]), mtu)
			if len(parts) == 1 {
				require.Equal(t, whole, parts[0])
				break
			}
			d, r := q.Add(read(t, parts[n]), 0)
			if i < len(order)-1 {
				require.Equal(t, reasm.Kept, r)
				require.Equal(t, 1, q.Len())
				continue
			}
			require.Equal(t, reasm.Complete, r)
			require.Equal(t, whole, d.Bytes)
			require.NoError(t, read(t, d.Bytes).VerifyChecksum())
			require.Equal(t, parts, reasm.Split(read(t, d.Bytes), 1500, d.Cut), "the sizes in which it came")
			require.Zero(t, q.Len())
		}
	}
}

// slowQueue is the obvious way: all bytes of one datagram, each with whether it came.
type slowQueue struct {
	came   [1 << 16]bool
	run    [1 << 16]int
	runs   int
	length int
	last   bool
	high   int // end of the fragment that reaches farthest
}

func (q *slowQueue) add(offset, length int, more bool) reasm.Result {
	end := offset + length
	if length == 0 || !more && (end < q.length || q.last && end != q.length) || more && q.last && end > q.length {
		return reasm.Refused
	}
	some, all, same := false, true, true
	for i := offset; i < end; i++ {
		some, all = some || q.came[i], all && q.came[i]
		same = same && q.run[i] == q.run[offset]
	}
	switch {
	case some && all && same:
		return reasm.Repeated
	case some:
		return reasm.Refused
	}
	run := q.run[max(offset-1, 0)]
	if offset == 0 || offset != q.high || !q.came[offset-1] {
		q.runs++
		run = q.runs
	}
	for i := offset; i < end; i++ {
		q.came[i], q.run[i] = true, run
	}
	q.high, q.length, q.last = max(q.high, end), max(q.length, end), q.last || !more
	for i := range q.length {
		if !q.came[i] {
			return reasm.Kept
		}
	}
	if q.last {
		return reasm.Complete
	}
	return reasm.Kept
}

func TestTheQueueIsItsSlowTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	results := map[reasm.Result]int{}
	for range 5000 {
		var q reasm.Queue
		slow := new(slowQueue)
		v6 := rng.IntN(2) == 0
		for range 12 {
			offset, length, more := 8*rng.IntN(5), 8*(1+rng.IntN(3)), rng.IntN(3) > 0
			if !more {
				length -= rng.IntN(7)
			}
			if offset == 0 && !more {
				continue // whole
			}
			h := wire.Header{Src: a4, Dst: b4, TTL: 9, ID: 1, MF: more, Offset: offset, Proto: 200}
			if v6 {
				h.Src, h.Dst = a6, b6
			}
			_, got := q.Add(read(t, wire.AppendIP(nil, h, make([]byte, length))), 0)
			require.Equal(t, slow.add(offset, length, more), got)
			results[got]++
			if got == reasm.Refused || got == reasm.Complete {
				require.Zero(t, q.Len())
				break
			}
		}
	}
	for _, r := range []reasm.Result{reasm.Kept, reasm.Complete, reasm.Repeated, reasm.Refused} {
		require.Greater(t, results[r], 100, "%v", r)
	}
}

func TestUnevenFragmentsStayAsTheyAreWhereTheyFit(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		sizes := []int{400, 8, 1000, 64, 33}
		var q reasm.Queue
		for _, part := range reasm.Split(read(t, datagram(v6, 1, 1505-wire.UDPLen)), 1500, reasm.Cut{Sizes: sizes, ID: 7}) {
			d, r := q.Add(read(t, part), 0)
			if r == reasm.Kept {
				continue
			}
			require.Equal(t, reasm.Complete, r)
			require.Equal(t, sizes, d.Sizes)
			var lengths []int
			for _, again := range reasm.Split(read(t, d.Bytes), 900, d.Cut) {
				lengths = append(lengths, len(read(t, again).Bytes())-len(part)+33)
			}
			room := 880
			if v6 {
				room = 852 &^ 7
			}
			require.Equal(t, []int{room, 1505 - room}, lengths, "one of 1000 does not fit: all are cut anew")
		}
		require.Zero(t, q.Len())
	}
}

func TestNoFragmentIsLongerThanThoseThatCame(t *testing.T) {
	p := read(t, datagram(false, 1, 400)) // 408 bytes of payload
	for _, c := range []struct {
		mtu  int
		cut  reasm.Cut
		want []int
	}{
		{1500, reasm.Cut{Sizes: []int{200, 208}, Largest: 228}, []int{220, 228}},
		{228, reasm.Cut{Sizes: []int{200, 208}, Largest: 228}, []int{220, 228}},
		{227, reasm.Cut{Sizes: []int{200, 208}, Largest: 228}, []int{220, 220, 28}},
		{1500, reasm.Cut{Sizes: []int{200, 200}, Largest: 220}, []int{220, 220, 28}},
		{1500, reasm.Cut{Sizes: []int{200, 208}}, []int{220, 228}},
		{1500, reasm.Cut{}, []int{428}},
	} {
		var got []int
		for _, b := range reasm.Split(p, c.mtu, c.cut) {
			got = append(got, len(b))
		}
		require.Equal(t, c.want, got, "%d, %+v", c.mtu, c.cut)
	}
}

func TestAFragmentTakenApartStaysPartOfItsDatagram(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		whole := datagram(false, uint16(rng.Uint32()), 1500+rng.IntN(5000))
		var q reasm.Queue
		var got reasm.Datagram
		for _, part := range reasm.Split(read(t, whole), 800+rng.IntN(700), reasm.Cut{}) {
			for _, again := range reasm.Split(read(t, part), 100+rng.IntN(700), reasm.Cut{}) {
				got, _ = q.Add(read(t, again), 0)
			}
		}
		require.Equal(t, whole, got.Bytes)
	}
}

func TestADatagramInPiecesIsGivenUpInTime(t *testing.T) {
	var q reasm.Queue
	four := reasm.Split(read(t, datagram(false, 5, 2000)), 1500, reasm.Cut{})
	six := reasm.Split(read(t, datagram(true, 0, 2000)), 1500, reasm.Cut{ID: 9})
	for i, first := range [][]byte{six[0], four[0]} {
		_, r := q.Add(read(t, first), time.Duration(i)*time.Second)
		require.Equal(t, reasm.Kept, r)
	}
	at, ok := q.Deadline()
	require.True(t, ok)
	require.Equal(t, time.Second+reasm.Timeout4, at)

	var told [][]byte
	tell := func(b []byte) { told = append(told, b) }
	q.Expire(at-1, tell)
	require.Empty(t, told)
	q.Expire(at, tell)
	require.Equal(t, [][]byte{four[0]}, told)
	q.Expire(reasm.Timeout6, tell)
	require.Equal(t, [][]byte{four[0], six[0]}, told)
	_, ok = q.Deadline()
	require.False(t, ok)

	_, r := q.Add(read(t, four[1]), time.Hour)
	require.Equal(t, reasm.Kept, r, "the first fragment is forgotten")
	q.Expire(2*time.Hour, func([]byte) { t.Fatal("told without its first fragment") })
}

func TestMemoryIsBounded(t *testing.T) {
	var q reasm.Queue
	kept, full := 0, 0
	for id := range 4000 {
		parts := reasm.Split(read(t, datagram(false, uint16(id), 3000)), 1500, reasm.Cut{})
		switch _, r := q.Add(read(t, parts[0]), 0); r {
		case reasm.Kept:
			kept++
		case reasm.Full:
			full++
		}
	}
	require.Equal(t, 4000, kept+full)
	require.Positive(t, full)
	require.InDelta(t, reasm.MaxBytes, kept*1500, 1500+float64(kept)*4)
	_, r := q.Add(read(t, reasm.Split(read(t, datagram(false, 0, 3000)), 1500, reasm.Cut{})[1]), reasm.Timeout4)
	require.Equal(t, reasm.Kept, r, "there is room again")
	require.Equal(t, 1, q.Len())
}

func TestTheLargestFragmentsDFIsTheDatagrams(t *testing.T) {
	for _, c := range []struct{ first, last, want bool }{{true, false, true}, {false, true, false}, {true, true, true}, {false, false, false}} {
		var q reasm.Queue
		h := wire.Header{Src: a4, Dst: b4, TTL: 9, ID: 1, MF: true, DF: c.first, Proto: 200}
		q.Add(read(t, wire.AppendIP(nil, h, make([]byte, 80))), 0)
		h.MF, h.DF, h.Offset = false, c.last, 80
		d, r := q.Add(read(t, wire.AppendIP(nil, h, make([]byte, 8))), 0)
		require.Equal(t, reasm.Complete, r)
		require.Equal(t, c.want, wire.IPv4(d.Bytes).DontFragment())
	}
}

func TestOptionsWithoutTheCopiedFlagStayInTheFirstFragment(t *testing.T) {
	b := datagram(false, 1, 400)
	options := []byte{7, 7, 4, 0, 0, 0, 0, 1, 0x94, 4, 0, 0} // record route, no-operation, router alert
	b = slices.Insert(b, wire.IPv4Len, options...)
	b[0] = 0x48
	b[2], b[3] = byte(len(b)>>8), byte(len(b))
	b[10], b[11] = 0, 0
	sum := wire.Checksum(b[:32])
	b[10], b[11] = byte(sum>>8), byte(sum)
	parts := reasm.Split(read(t, b), 200, reasm.Cut{})
	require.Equal(t, options, []byte(wire.IPv4(parts[0]).Options()))
	require.NoError(t, wire.IPv4(parts[1]).Check())
	require.Equal(t, []byte{1, 1, 1, 1, 1, 1, 1, 1, 0x94, 4, 0, 0}, []byte(wire.IPv4(parts[1]).Options()))
}

func TestWhatCanNotBeSplitIsNot(t *testing.T) {
	b := datagram(false, 1, 400)
	p := read(t, b)
	require.Nil(t, reasm.Split(p, 27, reasm.Cut{}), "no room for 8 bytes")
	require.Equal(t, [][]byte{b}, reasm.Split(p, len(b), reasm.Cut{}))
	require.PanicsWithValue(t, "reasm: Add of a packet that is no fragment", func() {
		new(reasm.Queue).Add(read(t, b), 0)
	})
}

// FuzzAdd holds that any bytes that are a fragment can be added, and that what is
// complete is a packet or refused by its own contents, not by its lengths.
func FuzzAdd(f *testing.F) {
	for _, p := range reasm.Split(read(f, datagram(false, 1, 300)), 200, reasm.Cut{}) {
		f.Add(p, p)
	}
	for _, p := range reasm.Split(read(f, datagram(true, 1, 300)), 200, reasm.Cut{ID: 3}) {
		f.Add(p, p)
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var q reasm.Queue
		for _, bytes := range [][]byte{a, b} {
			var p wire.Packet
			if p.Read(bytes) != nil || p.Fragment == wire.Whole {
				continue
			}
			d, r := q.Add(&p, 0)
			if r != reasm.Complete {
				continue
			}
			if p.Is4() {
				require.NoError(t, wire.IPv4(d.Bytes).Check())
			} else {
				require.NoError(t, wire.IPv6(d.Bytes).Check())
			}
		}
	})
}
