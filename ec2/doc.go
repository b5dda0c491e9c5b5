// Package ec2 holds the shapes of AWS's EC2 API: plain structs for what the
// actions of a virtual private cloud take and answer, generated from AWS's own
// service model. It has no rules, no requests and no defaults; those are vpc's.
// It imports the standard library alone and anything may import it.
//
// A struct bears the name of its shape, a field that of its member, and a tag
// the member's names on the wire:
//
//	json   as the aws CLI prints it (NatGatewayAddresses)
//	xml    the element in an answer of the API (natGatewayAddressSet); see [MarshalResponse]
//	query  the parameter in a request, lists numbered from 1 after a dot
//	       and structures' members after a dot (Filter, as in Filter.1.Value.2)
//
// Fields stand in the order in which the CLI prints them. Nil is absent: every
// scalar and structure is a pointer, and a nil list is not there at all, where
// an empty one is printed as []. new(x) makes a pointer of any value.
//
// encoding/json and encoding/xml read and write the shapes by their tags;
// members they don't know are ignored.
package ec2

//go:generate go run ../internal/shapegen
