// Package metadata is the instance metadata service: what an instance reads at
// http://169.254.169.254/ and, where it is enabled, http://[fd00:ec2::254]/ (EC2
// guide, "Instance metadata"). It speaks HTTP/1.1 over a TCP of its own, so that an
// instance reaches it with packets as it reaches anything else.
//
// A [Service] serves one instance, whose [Facts] it asks for at each request. It is
// a dataplane.Guest: hand it the packets for its addresses, and send what it gives
// to its output back to the instance.
//
// Modelled are the networking paths, what the instance's set-up scripts ask beside
// them (id, type, zone, region), user data, versions 1 and 2 of the protocol, and
// the hop limit of version 2. Not modelled: credentials, instance identity, tags,
// events, dated versions beside "latest", and the limit of 1024 packets a second.
package metadata
