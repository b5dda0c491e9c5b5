package vpctest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/vpcsim/vpcsim/intent"
	"github.com/vpcsim/vpcsim/report"
)

// Want is what a network shall do with some traffic.
type Want struct {
	// From and To are names as intents have them: a Name tag, an id, an address, a CIDR,
	// or internet.
	From, To string
	// Traffic is icmp, tcp/443, udp/53, tcp/8000-8010, tcp, udp or any; "" is any.
	Traffic string
	// Expect is Reachable, Blocked or Via.
	Expect Expectation
}

// Expectation is what shall become of traffic. The zero Expectation is none, and fails.
type Expectation struct{ words string }

// Reachable says that an answer comes back.
var Reachable = Expectation{"reachable"}

// Blocked says that nothing gets through; a code says what the first blocker is, such as
// SUBNET_ACL_RESTRICTION.
func Blocked(code ...string) Expectation {
	if len(code) == 0 {
		return Expectation{"blocked"}
	}
	return Expectation{"blocked by " + strings.Join(code, " ")}
}

// Via says that an answer comes back, and that both ways pass what is named.
func Via(names ...string) Expectation {
	words := "reachable via"
	for _, n := range names {
		words += " " + intent.Endpoint{Name: n}.String()
	}
	return Expectation{words}
}

// line is the intent that says the same.
func (w Want) line() string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s -> %s %s %s", endpoint(w.From), endpoint(w.To), w.Traffic, w.Expect.words)), " ")
}

func endpoint(name string) string {
	return intent.Endpoint{Name: name, Internet: name == intent.Internet}.String()
}

// Matrix holds a network to what is wanted of it, each as a subtest whose name is the
// want as a sentence, so that -run finds it: -run 'TestX/web_->_db_tcp/5432_reachable'.
// What the network can't tell fails. A failure says all by itself: what was wanted and
// what was seen, each hop of request and reply, every blocker with what would change it,
// and how to see it again; a picture and a capture go to t.ArtifactDir.
func Matrix(t *testing.T, n *Network, wants []Want) {
	t.Helper()
	for k, w := range wants {
		if w.Expect.words == "" {
			t.Errorf("want %d, %s -> %s %s: expected an Expect: Reachable, Blocked(…) or Via(…)", k, w.From, w.To, w.Traffic)
			continue
		}
		i, err := intent.ParseLine(w.line())
		if err != nil {
			t.Errorf("want %d, %s: %v", k, w.line(), err)
			continue
		}
		hold(t, n, "", intent.Line{Number: 1, Intent: &i})
	}
}

// Intents holds a network to a file of intents (package intent), each line a subtest
// like those of [Matrix].
func Intents(t *testing.T, n *Network, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := intent.Parse(file, string(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range f.Intents() {
		hold(t, n, file, l)
	}
}

func hold(t *testing.T, n *Network, file string, l intent.Line) {
	t.Helper()
	t.Run(l.Intent.String(), func(t *testing.T) {
		t.Helper()
		p := n.prober(t)
		defer n.giveBack(p)
		o := intent.NewChecker(p, n.names, n.ports).Check(l)
		if o.Verdict == intent.Holds {
			return
		}
		b := report.Intent(file, &o, p, n.Where())
		b.Rerun = fmt.Sprintf("go test -run '%s'", pattern(t.Name()))
		if o.Asked && n.dir != "" {
			b.Rerun += "  or  " + report.Command(n.dir, report.Spec(o.Question), n.flags()...)
		}
		if b.Path != nil {
			b.See = artifacts(t, n, b, o.Result.Story)
		}
		t.Errorf("%s", b)
	})
}

// pattern is what -run takes for exactly one test.
func pattern(name string) string {
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		parts = append(parts, "^"+quoteMeta(part)+"$")
	}
	return strings.Join(parts, "/")
}

func quoteMeta(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
