// Package reasm puts the fragments of IP datagrams together as Linux does, and takes
// datagrams apart again: IPv4 (RFC 791 section 3.2) and IPv6 (RFC 8200 section 4.5),
// one code for both.
//
// A [Queue] keeps what has come of each datagram. A fragment that lies over another
// in part condemns its whole datagram, a repeated one is left out (RFC 5722, RFC 8200;
// Linux holds IPv4 to the same). Memory is bounded: [MaxBytes] of fragments, beyond
// which new datagrams find no place, as Linux's ipfrag_high_thresh has it.
//
// Linux remembers the sizes in which a datagram's fragments came, and a router that
// put it together sends it on in the same ones where the next MTU allows: the reason
// why a [Datagram] carries them.
//
// Not modelled: Linux's ipfrag_max_dist, which gives up a datagram when its sender
// has had 64 other fragments between, and ECN's rules for a mix of marks (RFC 3168
// section 5.3).
package reasm
