package reach

import (
	"strings"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// service is what AWS's guides say of a service behind an interface that is not modelled
// itself. Of what they do not say nothing is known.
type service struct {
	port   uint16 // of TCP, on which it accepts connections; 0 is not known
	noPing bool   // it answers no ping
	silent bool   // nor anything else
}

// services are those that the description of their interface tells.
var services = []struct {
	description string // how it begins
	service
}{
	{"ES ", service{port: 443}},                    // OpenSearch Service guide, "VPC support": HTTPS
	{"EFS mount target for ", service{port: 2049}}, // EFS guide, "Using VPC security groups": NFS
}

// serviceOf returns what is known of the service behind an interface.
func serviceOf(n *vpc.NetworkInterface) service {
	if n.Type() == vpc.InterfaceLambda { // Lambda guide: inbound connections are blocked
		return service{noPing: true, silent: true}
	}
	if d, ok := n.Owner().(interface{ Port() uint16 }); ok { // a database
		return service{port: d.Port(), noPing: true}
	}
	if n.Type() == vpc.InterfaceService {
		for _, s := range services {
			if strings.HasPrefix(n.Description(), s.description) {
				return s.service
			}
		}
	}
	return service{}
}

// answer has a service answer a packet for its own address, as far as that is known.
func (s service) answer(g *guest, p *wire.Packet) trace.Reason {
	switch {
	case p.Flow.Proto == wire.ProtoTCP && s.port != 0 && p.Flow.DstPort == s.port:
		return g.serve(p)
	case s.silent, s.noPing && isPing(p):
		return g.prober.run.serve(p, server{at: g.nic, mute: true}, g.send)
	}
	return trace.Unmodelled
}
