// Package awscli prints values as the aws command-line interface does: as JSON,
// as a table and as text, and first picks from them what a JMESPath expression
// (--query) asks for. The output is the CLI's own, byte for byte, measured
// against aws-cli 1.45.11 printing without a terminal.
//
// A value is a shape of package ec2 or anything else that encoding/json would
// take: structs by their json tags and in the order of their fields, pointers,
// slices, scalars; or what [Query] returned. It has no colors, which the CLI
// uses on a terminal alone, and knows no API: the caller brings the values. So
// what the CLI's pagination adds is not here: it leaves a member out that is none
// of the pages' (AdditionalRoutesAvailable of search-transit-gateway-routes)
// unless told --no-paginate, and prints None as text for a list that is absent.
package awscli
