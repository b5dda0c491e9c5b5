// Package fidelity holds the simulator against AWS. It is tests only: whole
// networks are built as a user builds them, packets are sent through, and what
// comes out is compared with what AWS documents, what was measured on it, and with
// the RFCs.
//
//   - Cases: each numbered behaviour is a test of that number ("C013 a NAT gateway
//     never answers ping").
//   - Stories: whole conversations as text, in testdata. "go test ./fidelity
//     -rewrite" writes them anew; the difference is what a change does to packets.
//   - Laws: what holds for every packet in every network, over random networks and
//     random packets from a seed.
//
// docs/fidelity.md is the table of it all: behaviour, source, test; and what is not
// modelled.
package fidelity
