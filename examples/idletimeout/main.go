// Idletimeout shows what an idle connection through a NAT gateway comes to: after
// 350 seconds the NAT gateway has forgotten it, and answers what comes next with a
// reset. With keep-alives it lives. The program's sockets are Go's net.Conns on
// gVisor's TCP/IP stack, its hours are simulated and take milliseconds.
//
//	go run ./examples/idletimeout
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/netstack"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

const server = "198.51.100.7:5432"

// lab is an application in a private subnet and a database on the internet.
type lab struct {
	world    *world.World
	pump     *netstack.Pump
	app      *netstack.Guest
	database *netstack.Guest
}

func run(out io.Writer) error {
	l, err := build()
	if err != nil {
		return err
	}
	defer l.pump.Close()
	if err := l.serve(); err != nil {
		return err
	}
	fmt.Fprintln(out, "An application in a private subnet keeps a connection to a database open, through a NAT gateway.")
	for _, idle := range []time.Duration{349 * time.Second, 351 * time.Second} {
		if err := l.try(out, idle, 0); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "\nThe last query's way. Neither end had closed the connection; the NAT gateway had forgotten it:")
	l.showReset(out)
	return l.try(out, time.Hour, time.Minute)
}

// build makes the VPC, the NAT gateway and both guests.
func build() (*lab, error) {
	w := world.New(world.Config{Seed: 5})
	r := w.Region(vpc.RegionConfig{})
	v, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{Name: "vpc"})
	if err != nil {
		return nil, err
	}
	g, err := igw.Create(r, igw.Config{Name: "igw"})
	if err != nil {
		return nil, err
	}
	if err := g.Attach(v); err != nil {
		return nil, err
	}
	public, err := subnet(v, "public", "10.0.0.0/24", func(*vpc.Subnet) (vpc.Target, error) { return g, nil })
	if err != nil {
		return nil, err
	}
	private, err := subnet(v, "private", "10.0.1.0/24", func(*vpc.Subnet) (vpc.Target, error) {
		return natgw.Create(public, natgw.Config{Name: "nat"})
	})
	if err != nil {
		return nil, err
	}
	i, err := private.RunInstance(vpc.InstanceConfig{Name: "app"})
	if err != nil {
		return nil, err
	}
	l := &lab{world: w, pump: netstack.NewPump(w.Engine, netstack.PumpConfig{})}
	if l.app, err = netstack.Boot(l.pump, w, i, netstack.Config{}); err == nil {
		addr := netip.MustParseAddrPort(server).Addr()
		l.database, err = netstack.OnInternet(l.pump, w, netstack.Config{Name: "database"}, addr)
	}
	if err != nil {
		l.pump.Close()
	}
	return l, err
}

// subnet makes a subnet with a route table whose default route leads to a target.
func subnet(v *vpc.VPC, name, cidr string, target func(*vpc.Subnet) (vpc.Target, error)) (*vpc.Subnet, error) {
	s, err := v.CreateSubnet(cidr, vpc.SubnetConfig{Name: name})
	if err != nil {
		return nil, err
	}
	t, err := v.CreateRouteTable(vpc.RouteTableConfig{Name: name})
	if err != nil {
		return nil, err
	}
	to, err := target(s)
	if err != nil {
		return nil, err
	}
	return s, errors.Join(t.Associate(s), t.CreateRoute("0.0.0.0/0", to))
}

// serve has the database answer each query with the same bytes.
func (l *lab) serve() error {
	ln, err := l.database.Listen("tcp", ":5432")
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go io.Copy(c, c)
		}
	}()
	return nil
}

// try queries, waits and queries again; keepAlive of 0 is none. What it keeps of
// the network's walks is the second query's.
func (l *lab) try(out io.Writer, idle, keepAlive time.Duration) error {
	conn, err := l.app.Dial("tcp", server)
	if err != nil {
		return err
	}
	defer conn.Close()
	with := "without keep-alives"
	if keepAlive > 0 {
		with = fmt.Sprintf("with a keep-alive every %v", keepAlive)
		c := conn.(*netstack.TCPConn)
		if err := errors.Join(c.SetKeepAlive(true), c.SetKeepAlivePeriod(keepAlive)); err != nil {
			return err
		}
	}
	if err := query(conn); err != nil {
		return err
	}
	l.pump.Sleep(idle)
	l.pump.Do(func() { l.world.Trace().Clear() })
	err = query(conn)
	fmt.Fprintf(out, "\nIdle for %v %s:\n", idle, with)
	switch {
	case err == nil:
		fmt.Fprintln(out, "  the next query is answered")
	case errors.Is(err, syscall.ECONNRESET):
		fmt.Fprintln(out, "  the next query fails: ECONNRESET, connection reset by peer")
	default:
		return err
	}
	return nil
}

func query(conn net.Conn) error {
	b := []byte("select 1")
	if _, err := conn.Write(b); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, b)
	return err
}

// showReset prints the walk that ended for an idle session, and what it caused.
func (l *lab) showReset(out io.Writer) {
	l.pump.Do(func() {
		kept := l.world.Trace()
		for _, w := range kept.Walks() {
			if w.Reason == trace.IdleSession {
				fmt.Fprint(out, kept.Story(w.ID))
			}
		}
	})
}
