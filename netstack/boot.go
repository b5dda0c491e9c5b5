package netstack

import (
	"fmt"
	"net/netip"

	"github.com/vpcsim/vpcsim/internet"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// Boot starts a guest on an instance: one interface of the guest for each of the
// instance's, configured as DHCP and the metadata service would. p must be the pump
// of the world's engine. An empty name is the instance's.
func Boot(p *Pump, w *world.World, i *vpc.Instance, c Config) (*Guest, error) {
	if p.engine != w.Engine {
		return nil, fmt.Errorf("netstack: the pump is another world's")
	}
	if c.Name == "" {
		c.Name = i.Label()
	}
	g := New(p, c)
	var err error
	p.Do(func() {
		for _, n := range i.Interfaces() {
			if err == nil {
				err = g.plug(w, n)
			}
		}
	})
	if err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// Behind starts a guest behind one interface, such as that of a load balancer's node,
// configured as DHCP would.
func Behind(p *Pump, w *world.World, n *vpc.NetworkInterface, c Config) (*Guest, error) {
	if p.engine != w.Engine {
		return nil, fmt.Errorf("netstack: the pump is another world's")
	}
	g := New(p, c)
	var err error
	p.Do(func() { err = g.plug(w, n) })
	if err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

func (g *Guest) plug(w *world.World, n *vpc.NetworkInterface) error {
	port, c, err := w.NIC(n)
	if err != nil {
		return err
	}
	nic, err := g.addNIC(c)
	if err != nil {
		return err
	}
	port.Plug(nic)
	return nil
}

// OnInternet starts a guest on the internet with the given public addresses.
func OnInternet(p *Pump, w *world.World, c Config, addrs ...netip.Addr) (*Guest, error) {
	return At(p, w, w.Internet, c, addrs...)
}

// At starts a guest at a site, such as a company's network, with the given addresses.
func At(p *Pump, w *world.World, site *internet.Network, c Config, addrs ...netip.Addr) (*Guest, error) {
	if p.engine != w.Engine {
		return nil, fmt.Errorf("netstack: the pump is another world's")
	}
	g := New(p, c)
	var err error
	p.Do(func() { err = g.join(w, site, addrs) })
	if err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

func (g *Guest) join(w *world.World, site *internet.Network, addrs []netip.Addr) error {
	station, c, err := w.Join(site, addrs...)
	if err != nil {
		return err
	}
	nic, err := g.addNIC(c)
	if err != nil {
		return err
	}
	station.Plug(nic)
	return nil
}
