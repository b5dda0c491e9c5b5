package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
)

// loose reads answers that have no list of their own resource: DescribeVpcAttribute
// names its VPC; the others name nothing, and are known by the id in the file's name,
// such as routes-tgw-rtb-0123456789abcdef0.json. It reports whether the document is one.
func (f *file) loose(members map[string]json.RawMessage) (bool, error) {
	s := f.shapes
	switch {
	case members["VpcId"] != nil && (members["EnableDnsSupport"] != nil || members["EnableDnsHostnames"] != nil):
		return true, member(f, members, "", func(a vpcAttributes) {
			s.Attributes = append(s.Attributes, item[vpcAttributes]{shape: a, file: f, whole: true})
		})
	case members["Entries"] != nil && f.idIn("pl") != "":
		return true, member(f, members, "Entries", func(list []ec2.PrefixListEntry) {
			s.ListEntries = append(s.ListEntries, item[listEntries]{shape: listEntries{new(f.idIn("pl")), list}, file: f, whole: true})
		})
	case members["TransitGatewayRouteTablePropagations"] != nil && f.idIn("tgw-rtb") != "":
		return true, member(f, members, "TransitGatewayRouteTablePropagations", func(list []ec2.TransitGatewayRouteTablePropagation) {
			s.Propagations = append(s.Propagations, item[propagations]{shape: propagations{new(f.idIn("tgw-rtb")), list}, file: f, whole: true})
		})
	case members["Associations"] != nil && f.idIn("tgw-rtb") != "":
		return true, member(f, members, "Associations", func(list []ec2.TransitGatewayRouteTableAssociation) {
			s.TransitLinks = append(s.TransitLinks, item[transitAssociations]{shape: transitAssociations{new(f.idIn("tgw-rtb")), list}, file: f, whole: true})
		})
	case members["TransitGatewayAttachmentPropagations"] != nil && f.idIn("tgw-attach") != "":
		return true, member(f, members, "TransitGatewayAttachmentPropagations", func(list []ec2.TransitGatewayAttachmentPropagation) {
			s.AttachmentTables = append(s.AttachmentTables, item[attachmentPropagations]{shape: attachmentPropagations{new(f.idIn("tgw-attach")), list}, file: f, whole: true})
		})
	case members["Routes"] != nil && f.idIn("tgw-rtb") != "":
		return true, member(f, members, "", func(answer transitRoutes) {
			answer.TransitGatewayRouteTableId = new(f.idIn("tgw-rtb"))
			s.TransitRoutes = append(s.TransitRoutes, item[transitRoutes]{shape: answer, file: f, whole: true})
		})
	case members["Routes"] != nil && f.idIn("lgw-rtb") != "":
		return true, member(f, members, "Routes", func(list []ec2.LocalGatewayRoute) {
			s.LocalRoutes = append(s.LocalRoutes, item[localRoutes]{shape: localRoutes{new(f.idIn("lgw-rtb")), list}, file: f, whole: true})
		})
	}
	return false, nil
}

// dropLoose forgets the lists that loose has read.
func (f *file) dropLoose() {
	s := f.shapes
	s.ListEntries, s.Propagations, s.TransitLinks = notWhole(s.ListEntries), notWhole(s.Propagations), notWhole(s.TransitLinks)
	s.AttachmentTables, s.LocalRoutes = notWhole(s.AttachmentTables), notWhole(s.LocalRoutes)
}

func notWhole[T any](list []item[T]) []item[T] {
	return slices.DeleteFunc(list, func(i item[T]) bool { return i.whole })
}

// member reads a member of a document, or all of it where key is "", and gives it to f.
func member[T any](f *file, members map[string]json.RawMessage, key string, take func(T)) error {
	text := []byte(members[key])
	if key == "" {
		text, _ = json.Marshal(members)
	}
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		var typ *json.UnmarshalTypeError
		if !errors.As(err, &typ) {
			return &Error{File: f.name, Path: key, Msg: err.Error()}
		}
		return &Error{File: f.name, Path: trimDot(key + pathAt(text, typ.Offset-1)), Msg: fmt.Sprintf("expected %s, found %s", typ.Type, typ.Value)}
	}
	take(v)
	return nil
}

func trimDot(path string) string {
	if len(path) > 0 && path[0] == '.' {
		return path[1:]
	}
	return path
}
