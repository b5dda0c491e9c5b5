// Overlap is S004: a client and a web server have the same address, in two VPCs that
// a transit gateway joins. They talk HTTP all the same: the client's requests go
// through a private NAT gateway to an Application Load Balancer, and the load
// balancer's own through the interface of the transit gateway's attachment to the
// server. A 1:1 NAT instance does the like for what is no HTTP.
//
//	go run ./examples/overlap
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/vpcsim/vpcsim/proxy"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(out io.Writer) error {
	for _, v := range []variant{wide, narrow} {
		if err := browse(out, v); err != nil {
			return err
		}
	}
	return anything(out)
}

// page is nginx's.
const page = "<title>Welcome to nginx!</title>"

// browse has the client get the page.
func browse(out io.Writer, v variant) error {
	l, err := build(v)
	if err != nil {
		return err
	}
	defer l.pump.Close()
	p, err := proxy.Run(l.pump, l.world, l.alb, proxy.Config{})
	if err != nil {
		return err
	}
	defer p.Close()
	access, stop, err := l.serve()
	if err != nil {
		return err
	}
	defer stop()
	fmt.Fprintf(out, "%s. Client and server are both %s; the transit gateway itself is refused as a target:\n  %v\n", v.name, address, l.refusal)
	body, err := l.get("http://" + l.alb.DNSName() + "/")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nclient$ curl http://%s/\n%s\n", l.alb.DNSName(), body)
	fmt.Fprintf(out, "\nweb$ cat access.log\n%s", access())
	fmt.Fprintln(out, "\nThe ways of both connections' packets, there and back:")
	for _, w := range l.ways(wire.ProtoTCP) {
		fmt.Fprintln(out, "  "+w)
	}
	fmt.Fprintln(out)
	return nil
}

// serve starts the web server; access returns its log.
func (l *lab) serve() (access func() string, stop func(), err error) {
	at, err := l.web.Listen("tcp", ":80")
	if err != nil {
		return nil, nil, err
	}
	var mu sync.Mutex
	var lines strings.Builder
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, _, _ := net.SplitHostPort(r.RemoteAddr)
		mu.Lock()
		fmt.Fprintf(&lines, "%s \"%s %s %s\" 200 %d X-Forwarded-For=%q\n", peer, r.Method, r.URL, r.Proto, len(page), r.Header.Get("X-Forwarded-For"))
		mu.Unlock()
		fmt.Fprint(w, page)
	})}
	go s.Serve(at)
	access = func() string {
		mu.Lock()
		defer mu.Unlock()
		return lines.String()
	}
	return access, func() { s.Close() }, nil
}

// get asks for a page from the client.
func (l *lab) get(url string) (string, error) {
	t := &http.Transport{DialContext: l.client.DialContext}
	defer t.CloseIdleConnections()
	res, err := (&http.Client{Transport: t}).Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the answer is %s", res.Status)
	}
	return string(b), err
}

// ways returns the ways of the first packet of each flow of the protocol: who sends what to whom, and the
// nodes that it passes, an interface's two sides as one.
func (l *lab) ways(proto wire.Proto) []string {
	var list []string
	seen := map[wire.Flow]bool{}
	l.pump.Do(func() {
		for _, w := range l.world.Trace().Walks() {
			if w.First.Proto == proto && !seen[w.First] {
				seen[w.First] = true
				list = append(list, way(w))
			}
		}
	})
	return list
}

// way is a walk in one line.
func way(w *trace.Walk) string {
	var nodes []string
	for _, s := range w.Steps {
		name := strings.TrimSuffix(strings.TrimSuffix(s.Node, " in"), " out")
		if len(nodes) == 0 || nodes[len(nodes)-1] != name {
			nodes = append(nodes, name)
		}
	}
	first, last := ends(w.First), ends(w.Last)
	if first != last {
		first += ", which arrives as " + last
	}
	return first + "\n    " + strings.Join(nodes, " > ")
}

// ends are a flow's addresses and ports.
func ends(f wire.Flow) string {
	return fmt.Sprintf("%s:%d > %s:%d", f.Src, f.SrcPort, f.Dst, f.DstPort)
}
