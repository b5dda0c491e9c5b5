// Package picture draws one path: a request and its reply, hop by hop, as SVG, as
// Mermaid, as lanes of plain text and as the block that terminals show. It draws one
// path and never the estate.
//
// A [Path] is made from a [trace.Story]. What the packet met becomes a [Station]: an
// interface with what its subnet's table and network ACL said, a gateway with its own
// interfaces, what lies outside. Stations stand from left to right, under the lane (VPC,
// subnet, zone) that they lie in; the request runs above, the reply below, and a station
// that both passed is one column. Colours are Okabe and Ito's, which people see apart
// whatever their eyes; no meaning hangs by colour alone.
package picture
