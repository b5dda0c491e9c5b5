package fault

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// Direction says which packets of a link a fault befalls, as seen from its interface.
type Direction uint8

// The directions. The zero Direction is Both.
const (
	Both     Direction = iota
	Outbound           // from the interface
	Inbound            // to the interface
	directions
)

// String returns the direction in words.
func (d Direction) String() string {
	if d < directions {
		return [...]string{"both ways", "outbound", "inbound"}[d]
	}
	return "Direction(" + strconv.Itoa(int(d)) + ")"
}

// DefaultHold is how long a packet is held that others are to overtake.
const DefaultHold = 10 * time.Millisecond

// Link has the link between an interface and its subnet lose, delay and reorder a
// share of the packets. Each packet meets one fate at most, in this order; shares are
// 0 to 1, 1 being all of them. Which packets it befalls is a matter of the Seed: the
// same seed and packets, the same fates. ARP, neighbour discovery and the metadata
// service are answered ahead of the link.
type Link struct {
	// Interface is the link's, a user's or a service's.
	Interface *vpc.NetworkInterface
	// Direction is which packets; the zero value is those of both.
	Direction Direction
	// Loses is the share of packets lost.
	Loses float64
	// Delays is the share of packets that take Delay longer. Packets stay in order, as
	// in a queue: those behind a delayed one wait for it.
	Delays float64
	Delay  time.Duration
	// Reorders is the share of packets held for Hold, so that those behind overtake
	// them; 0 of Hold is DefaultHold.
	Reorders float64
	Hold     time.Duration
	// Seed decides which packets they are.
	Seed uint64
}

// String returns what the link does, such as "link of a loses 10 % of packets, both ways".
func (f Link) String() string {
	var does []string
	if f.Loses > 0 {
		does = append(does, "loses "+percent(f.Loses)+" of packets")
	}
	if f.Delays > 0 {
		does = append(does, "delays "+percent(f.Delays)+" of packets by "+f.Delay.String())
	}
	if f.Reorders > 0 {
		does = append(does, "reorders "+percent(f.Reorders)+" of packets")
	}
	return "link of " + name(f.Interface) + " " + strings.Join(does, " and ") + ", " + f.Direction.String()
}

func percent(share float64) string { return strconv.FormatFloat(share*100, 'f', -1, 64) + " %" }

func (f Link) check() error {
	for _, share := range []float64{f.Loses, f.Delays, f.Reorders} {
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("share %v is not in 0-1", share)
		}
	}
	switch {
	case f.Interface == nil:
		return errors.New("no interface is given")
	case f.Loses+f.Delays+f.Reorders > 1:
		return fmt.Errorf("the shares are %v together, more than 1", f.Loses+f.Delays+f.Reorders)
	case f.Loses+f.Delays+f.Reorders == 0:
		return errors.New("it is to lose, delay or reorder nothing")
	case f.Delay < 0 || f.Hold < 0:
		return errors.New("a delay is negative")
	case f.Delays > 0 && f.Delay == 0:
		return errors.New("it is to delay packets by nothing")
	case f.Direction >= directions:
		return fmt.Errorf("%v is none", f.Direction)
	}
	return nil
}

func (f Link) begin(w *world.World) (func() error, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	p, err := portOf(w, f.Interface)
	if err != nil {
		return nil, err
	}
	if f.Hold == 0 {
		f.Hold = DefaultHold
	}
	return befall(p, &impaired{Link: f, words: f.String(), rng: rand.New(rand.NewPCG(f.Seed, 0))})
}

// impaired is a Link in force.
type impaired struct {
	Link
	words  string
	rng    *rand.Rand
	queues [2]queue // inbound, outbound
}

// queue remembers the last packet that left a link in one direction.
type queue struct{ arrived, left time.Duration }

// Impair draws once for each packet in the fault's direction, so that the fate of
// one does not hang on what others were.
func (f *impaired) Impair(at time.Duration, out bool) eni.Fate {
	if f.Direction == Outbound && !out || f.Direction == Inbound && out {
		return eni.Fate{}
	}
	q := &f.queues[0]
	if out {
		q = &f.queues[1]
	}
	switch draw := f.rng.Float64(); {
	case draw < f.Loses:
		return eni.Fate{Lost: f.words}
	case draw < f.Loses+f.Delays:
		return f.fate(q.pass(at, f.Delay))
	case draw < f.Loses+f.Delays+f.Reorders:
		return f.fate(f.Hold)
	}
	return f.fate(q.pass(at, 0))
}

func (f *impaired) fate(delay time.Duration) eni.Fate {
	if delay == 0 {
		return eni.Fate{}
	}
	return eni.Fate{Delayed: f.words, Delay: delay}
}

// pass returns how long a packet takes that comes at an instant: not less than those
// ahead of it. Packets are asked for in the order in which they are sent, which is not
// that in which they come: one that comes before the last is ahead of it.
func (q *queue) pass(at, delay time.Duration) time.Duration {
	if at >= q.arrived {
		delay = max(delay, q.left-at)
		q.arrived, q.left = at, at+delay
	}
	return delay
}
