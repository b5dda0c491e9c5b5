package flowlog

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/vpc"
)

// DefaultFormat is the format of version 2.
const DefaultFormat = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"

// absent stands for what a record does not have.
const absent = "-"

// field is a field of a record: the version that brought it and its text.
type field struct {
	version int
	text    func(r *Record) string
}

// fields are all fields (VPC guide, "Flow log records", "Available fields"). What
// nobody can have here is always absent: sub-locations, ECS tasks, Auto Scaling
// groups, the encryption of traffic (whose control is off), regional NAT gateways.
var fields = map[string]field{
	"account-id":          {2, func(r *Record) string { return r.Account }},
	"interface-id":        {2, func(r *Record) string { return r.Interface }},
	"srcaddr":             {2, func(r *Record) string { return r.data(r.Src.String()) }},
	"dstaddr":             {2, func(r *Record) string { return r.data(r.Dst.String()) }},
	"srcport":             {2, func(r *Record) string { return r.number(uint64(r.SrcPort)) }},
	"dstport":             {2, func(r *Record) string { return r.number(uint64(r.DstPort)) }},
	"protocol":            {2, func(r *Record) string { return r.number(uint64(r.Protocol)) }},
	"packets":             {2, func(r *Record) string { return r.number(r.Packets) }},
	"bytes":               {2, (*Record).octets},
	"start":               {2, func(r *Record) string { return seconds(r.Start) }},
	"end":                 {2, func(r *Record) string { return seconds(r.End) }},
	"action":              {2, func(r *Record) string { return string(r.Action) }},
	"log-status":          {2, func(r *Record) string { return string(r.Status) }},
	"vpc-id":              {3, func(r *Record) string { return r.VPC }},
	"subnet-id":           {3, func(r *Record) string { return r.Subnet }},
	"instance-id":         {3, func(r *Record) string { return r.Instance }},
	"tcp-flags":           {3, func(r *Record) string { return r.number(uint64(r.TCPFlags)) }},
	"type":                {3, func(r *Record) string { return r.data(r.family()) }},
	"pkt-srcaddr":         {3, func(r *Record) string { return r.data(r.PktSrc.String()) }},
	"pkt-dstaddr":         {3, func(r *Record) string { return r.data(r.PktDst.String()) }},
	"region":              {4, func(r *Record) string { return r.Region }},
	"az-id":               {4, func(r *Record) string { return r.ZoneID }},
	"sublocation-type":    {4, nothing},
	"sublocation-id":      {4, nothing},
	"pkt-src-aws-service": {5, func(r *Record) string { return r.SrcService }},
	"pkt-dst-aws-service": {5, func(r *Record) string { return r.DstService }},
	"flow-direction":      {5, func(r *Record) string { return string(r.Direction) }},
	"traffic-path":        {5, func(r *Record) string { return positive(r.TrafficPath) }},

	"ecs-cluster-arn": {7, nothing}, "ecs-cluster-name": {7, nothing}, "ecs-container-instance-arn": {7, nothing},
	"ecs-container-instance-id": {7, nothing}, "ecs-container-id": {7, nothing}, "ecs-second-container-id": {7, nothing},
	"ecs-service-name": {7, nothing}, "ecs-task-definition-arn": {7, nothing}, "ecs-task-arn": {7, nothing}, "ecs-task-id": {7, nothing},

	"reject-reason":     {8, func(r *Record) string { return r.RejectReason }},
	"resource-id":       {9, nothing},
	"encryption-status": {10, nothing},

	"instance-tag":            {11, func(r *Record) string { return url.QueryEscape(r.InstanceTags[0]) }},
	"instance-tag-2":          {11, func(r *Record) string { return url.QueryEscape(r.InstanceTags[1]) }},
	"interface-tag":           {11, func(r *Record) string { return url.QueryEscape(r.InterfaceTags[0]) }},
	"interface-tag-2":         {11, func(r *Record) string { return url.QueryEscape(r.InterfaceTags[1]) }},
	"asg-tag":                 {11, nothing},
	"asg-tag-2":               {11, nothing},
	"interface-type":          {11, func(r *Record) string { return typed(r.InterfaceType) }},
	"next-hop-interface-id":   {11, func(r *Record) string { return r.NextHop.Interface }},
	"next-hop-subnet-id":      {11, func(r *Record) string { return r.NextHop.Subnet }},
	"next-hop-az-id":          {11, func(r *Record) string { return r.NextHop.ZoneID }},
	"next-hop-vpc-id":         {11, func(r *Record) string { return r.NextHop.VPC }},
	"next-hop-interface-type": {11, func(r *Record) string { return typed(r.NextHop.Type) }},
}

func nothing(*Record) string { return absent }

// typed returns the types of interface that the fields know.
func typed(t string) string {
	switch t {
	case "nat_gateway", "network_load_balancer", "transit_gateway", "vpc_endpoint":
		return t
	}
	return absent
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func positive(n int) string {
	if n == 0 {
		return absent
	}
	return strconv.Itoa(n)
}

// data returns s of a record with data, which NODATA and SKIPDATA are not.
func (r *Record) data(s string) string {
	if r.Status != OK {
		return absent
	}
	return s
}

// octets returns the record's bytes, which those of Block Public Access lack (VPC guide,
// "Flow log limitations").
func (r *Record) octets() string {
	if r.RejectReason == "BPA" {
		return absent
	}
	return r.number(r.Bytes)
}

func (r *Record) number(n uint64) string { return r.data(strconv.FormatUint(n, 10)) }

// family returns the record's type. EFA is not modelled.
func (r *Record) family() string {
	if r.PktSrc.Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// Format is the fields of a record, in their order, without "${" and "}".
type Format []string

// ParseFormat reads a format such as "${srcaddr} ${dstaddr}". It returns a *vpc.Error
// for a field that there is not and for none at all (the sentences are inferred).
func ParseFormat(s string) (Format, error) {
	var f Format
	for _, word := range strings.Fields(s) {
		name, ok := strings.CutPrefix(word, "${")
		name, closed := strings.CutSuffix(name, "}")
		if !ok || !closed || name != "version" && fields[name].text == nil {
			return nil, vpc.Refuse("InvalidParameter", "Invalid LogFormat: unknown field %s", word)
		}
		f = append(f, name)
	}
	if len(f) == 0 {
		return nil, vpc.Refuse("InvalidParameter", "Invalid LogFormat: expected at least one field")
	}
	return f, nil
}

// Fields returns the names of all fields, by version and name.
func Fields() []string {
	names := []string{"version"}
	for name := range fields {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := versionOf(a) - versionOf(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return names
}

func versionOf(name string) int { return max(2, fields[name].version) }

// Version returns the format's version: the highest of its fields'.
func (f Format) Version() int {
	v := 2
	for _, name := range f {
		v = max(v, versionOf(name))
	}
	return v
}

// String returns the format as it is configured: "${srcaddr} ${dstaddr}".
func (f Format) String() string { return "${" + strings.Join(f, "} ${") + "}" }

// Line returns the record as a line of the format, without the end of the line.
func (f Format) Line(r Record) string {
	words := make([]string, len(f))
	for i, name := range f {
		if words[i] = r.field(f, name); words[i] == "" {
			words[i] = absent
		}
	}
	return strings.Join(words, " ")
}

func (r *Record) field(f Format, name string) string {
	if name == "version" {
		return strconv.Itoa(f.Version())
	}
	return fields[name].text(r)
}
