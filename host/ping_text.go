package host

import (
	"fmt"
	"math"
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// title writes ping's first line.
func (p *pinger) title() {
	dst := p.result.Dst
	if dst.Is4() {
		whole := p.c.Size + wire.ICMPLen + wire.IPv4Len
		fmt.Fprintf(&p.out, "PING %s (%s) %d(%d) bytes of data.\n", dst, dst, p.c.Size, whole)
		return
	}
	fmt.Fprintf(&p.out, "PING %s(%s) %d data bytes\n", dst, dst, p.c.Size)
}

func (p *pinger) print(r PingReply) {
	fmt.Fprintf(&p.out, "%d bytes from %s: icmp_seq=%d ttl=%d", r.Size, r.From, r.Seq, r.TTL)
	if p.timed() {
		fmt.Fprintf(&p.out, " time=%s ms", threeDigits(r.RTT))
	}
	if r.Duplicate {
		p.out.WriteString(" (DUP!)")
	}
	p.out.WriteByte('\n')
}

// threeDigits returns d in milliseconds with about three digits, as ping does:
// 0.512, 1.23, 12.3, 123.
func threeDigits(d time.Duration) string {
	us := int64(d / time.Microsecond)
	switch {
	case us >= 100_000-50:
		return fmt.Sprintf("%d", (us+500)/1000)
	case us >= 10_000-5:
		return fmt.Sprintf("%d.%01d", (us+50)/1000, (us+50)%1000/100)
	case us >= 1000:
		return fmt.Sprintf("%d.%02d", (us+5)/1000, (us+5)%1000/10)
	}
	return fmt.Sprintf("%d.%03d", us/1000, us%1000)
}

func (p *pinger) printError(e ICMPError, seq int) {
	fmt.Fprintf(&p.out, "From %s icmp_seq=%d %s\n", e.From, seq, e)
}

// summary writes ping's statistics and fills in those of the result.
func (p *pinger) summary() {
	r := &p.result
	fmt.Fprintf(&p.out, "\n--- %s ping statistics ---\n", r.Dst)
	fmt.Fprintf(&p.out, "%d packets transmitted, %d received", r.Transmitted, r.Received)
	if d := len(r.Replies) - r.Received; d > 0 {
		fmt.Fprintf(&p.out, ", +%d duplicates", d)
	}
	if n := len(r.Errors) + p.local; n > 0 {
		fmt.Fprintf(&p.out, ", +%d errors", n)
	}
	took := p.sentAt[len(p.sentAt)-1] - p.sentAt[0]
	fmt.Fprintf(&p.out, ", %s%% packet loss, time %dms\n", percent(r.Loss()), took.Milliseconds())
	p.times()
	p.out.WriteByte('\n')
	r.Text = p.out.String()
}

// percent prints six digits, as C's %g does.
func percent(v float64) string { return fmt.Sprintf("%.6g", v) }

// times computes what ping's last line shows, in microseconds as ping does.
func (p *pinger) times() {
	r := &p.result
	between := ""
	if len(r.Replies) > 0 && p.timed() {
		least, most, sum, squares := int64(math.MaxInt64), int64(0), int64(0), int64(0)
		for _, reply := range r.Replies {
			us := int64(reply.RTT / time.Microsecond)
			least, most, sum, squares = min(least, us), max(most, us), sum+us, squares+us*us
		}
		n := int64(len(r.Replies))
		avg := sum / n
		mdev := int64(math.Sqrt(float64(squares/n - avg*avg)))
		r.Min, r.Avg, r.Max, r.Mdev = micros(least), micros(avg), micros(most), micros(mdev)
		fmt.Fprintf(&p.out, "rtt min/avg/max/mdev = %s/%s/%s/%s ms", millis(least), millis(avg), millis(most), millis(mdev))
		between = ", "
	}
	if p.pipe > 1 {
		fmt.Fprintf(&p.out, "%spipe %d", between, p.pipe)
	}
}

func micros(us int64) time.Duration { return time.Duration(us) * time.Microsecond }

func millis(us int64) string { return fmt.Sprintf("%d.%03d", us/1000, us%1000) }

// String returns the error in ping's words.
func (e ICMPError) String() string {
	if e.Flow.Src.Is4() {
		return e.text4()
	}
	return e.text6()
}

var unreachable4 = [...]string{
	0: "Destination Net Unreachable", 1: "Destination Host Unreachable", 2: "Destination Protocol Unreachable",
	3: "Destination Port Unreachable", 5: "Source Route Failed", 6: "Destination Net Unknown",
	7: "Destination Host Unknown", 8: "Source Host Isolated", 9: "Destination Net Prohibited",
	10: "Destination Host Prohibited", 11: "Destination Net Unreachable for Type of Service",
	12: "Destination Host Unreachable for Type of Service", 13: "Packet filtered",
	14: "Precedence Violation", 15: "Precedence Cutoff",
}

func (e ICMPError) text4() string {
	switch e.Type {
	case wire.ICMPUnreachable:
		if e.Code == wire.FragNeeded {
			return fmt.Sprintf("Frag needed and DF set (mtu = %d)", e.MTU)
		}
		if int(e.Code) < len(unreachable4) {
			return unreachable4[e.Code]
		}
		return fmt.Sprintf("Dest Unreachable, Bad Code: %d", e.Code)
	case wire.ICMPTimeExceeded:
		if e.Code == 0 {
			return "Time to live exceeded"
		}
		return "Frag reassembly time exceeded"
	case wire.ICMPSourceQuench:
		return "Source Quench"
	}
	return fmt.Sprintf("Parameter problem: pointer = %d", e.MTU>>24)
}

var unreachable6 = [...]string{"No route", "Administratively prohibited", "Beyond scope of source address", "Address unreachable", "Port unreachable"}

func (e ICMPError) text6() string {
	switch e.Type {
	case wire.ICMPv6Unreachable:
		if int(e.Code) < len(unreachable6) {
			return "Destination unreachable: " + unreachable6[e.Code]
		}
		return fmt.Sprintf("Destination unreachable: Unknown code %d", e.Code)
	case wire.ICMPv6TooBig:
		return fmt.Sprintf("Packet too big: mtu=%d", e.MTU)
	case wire.ICMPv6TimeExceeded:
		if e.Code == 0 {
			return "Time exceeded: Hop limit"
		}
		return "Time exceeded: Defragmentation failure"
	}
	return fmt.Sprintf("Parameter problem: code %d", e.Code)
}
