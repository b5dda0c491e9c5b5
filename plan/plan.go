// Package plan reads what "terraform show -json" prints of a plan or of a state, and
// describes the network that it tells of in the shapes of AWS's APIs: that after the plan
// is applied, and that before it. Package load makes regions of them.
//
//	p, err := plan.Read(data)
//	…
//	after := p.After()
//
// The format is Terraform's "JSON Output Format" of major version 1, which OpenTofu
// prints too. https://developer.hashicorp.com/terraform/internals/json-format
//
// What is only known after apply is found by the configuration, as far as it tells: it
// names what an expression refers to, and not what it does with it. A reference that
// leads to one resource is that resource; one that may lead to several is not guessed. An
// id that AWS has yet to give is made of the resource's address, and has "plan" in it.
// What AWS makes beside a resource is made as AWS does: a VPC's main route table, default
// network ACL and default security group, the interfaces of instances and gateways.
// Whatever is assumed, and whatever is left out, is a [Note].
package plan

import "fmt"

// Plan is a plan or a state that was read. It is not changed by what is asked of it.
type Plan struct {
	doc document
}

// Note is something that a network does not have, or that was assumed of it.
type Note struct {
	// Address is the resource's address, such as module.net.aws_subnet.private["a"].
	Address string
	// Path is the attribute in the resource, such as route[0].nat_gateway_id; "" is all
	// of it.
	Path string
	// Reason says what was left out or assumed, and why.
	Reason string
	// ID is the resource's id where the network has nothing of it, else "".
	ID string
	// Assumed says that the network has it: the reason says what was assumed.
	Assumed bool
}

// Entry is a resource as an API describes it.
type Entry struct {
	// Address is the address of the resource that it was made of.
	Address string
	// Shape is a shape of package ec2, elbv2 or rds, or one of this package.
	Shape any
}

// Region is what a network has in one region.
type Region struct {
	Name    string
	Entries []Entry
}

// Name is what a configuration calls a resource.
type Name struct {
	// Address is the resource's address, ID its id in the shapes.
	Address, ID string
}

// Network is what a plan tells of a network.
type Network struct {
	// Regions are in the order of their names.
	Regions []Region
	// Names are the resources that have shapes, in the order of the plan.
	Names []Name
	// Notes are what was left out or assumed.
	Notes []Note
}

// Error is a plan that can't be read.
type Error struct {
	// Offset is where in the text, in bytes, 0 where the text as a whole is wrong.
	Offset int64
	// Msg says what is there and what was expected.
	Msg string
}

// Error returns the message and where it is.
func (e *Error) Error() string {
	if e.Offset == 0 {
		return "plan: " + e.Msg
	}
	return fmt.Sprintf("plan: offset %d: %s", e.Offset, e.Msg)
}

// After returns the network once the plan is applied; of a state, the network.
func (p *Plan) After() *Network {
	if p.doc.PlannedValues == nil {
		return newBuilder(&p.doc, p.doc.Values, false).build()
	}
	return newBuilder(&p.doc, p.doc.PlannedValues, true).build()
}

// Before returns the network before the plan is applied, as its refreshed state tells; of
// a state, the network. A plan that makes everything anew has nothing before.
func (p *Plan) Before() *Network {
	if p.doc.PlannedValues == nil {
		return p.After()
	}
	return newBuilder(&p.doc, p.doc.prior(), false).build()
}

// State reports whether it is a state, which has no before and after.
func (p *Plan) State() bool { return p.doc.PlannedValues == nil }
