package vpc

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
)

// Tag is a key and a value given to a resource.
type Tag struct{ Key, Value string }

// Tag sets a tag (CreateTags), over a value that the key has. The tag Name is how
// traces call the resource. It refuses keys that begin with aws: and those that
// are empty, keys over 128 and values over 256 characters with
// InvalidParameterValue, and a tag beyond the quota with TagLimitExceeded (EC2
// guide, "Tag restrictions"); the sentences are as an emulator has them.
func (b *Base) Tag(key, value string) error {
	return b.Change(func(tx *Tx) error {
		if err := checkTag(key, value); err != nil {
			return err
		}
		if !slices.ContainsFunc(b.tags, func(t Tag) bool { return t.Key == key }) {
			if err := tx.Within(QuotaTags, len(b.tags), b.id); err != nil {
				return err
			}
		}
		b.setTag(key, value)
		return nil
	})
}

// Untag removes a tag (DeleteTags). One that is not there is no error.
func (b *Base) Untag(key string) error {
	return b.Change(func(*Tx) error {
		b.tags = slices.DeleteFunc(slices.Clone(b.tags), func(t Tag) bool { return t.Key == key })
		return nil
	})
}

func checkTag(key, value string) error {
	switch {
	case key == "":
		return Refuse("InvalidParameterValue", "Tag key cannot be empty.")
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return Refuse("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
	case len([]rune(key)) > 128:
		return Refuse("InvalidParameterValue", "Tag key exceeds the maximum length of 128 characters.")
	case len([]rune(value)) > 256:
		return Refuse("InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters.")
	}
	return nil
}

func (b *Base) setTag(key, value string) {
	for i := range b.tags {
		if b.tags[i].Key == key {
			b.tags[i].Value = value
			return
		}
	}
	b.tags = append(b.tags, Tag{key, value})
}

// Tags returns a copy of the tags, in the order in which they were first set.
func (b *Base) Tags() []Tag {
	var tags []Tag
	b.region.read(func() { tags = slices.Clone(b.tags) })
	return tags
}

// TagShapes returns a resource's tags in EC2's shape, an empty list where there are
// none.
func (tx *Tx) TagShapes(x interface{ base() *Base }) []ec2.Tag { return x.base().tagShapes() }

func (b *Base) tagShapes() []ec2.Tag {
	tags := make([]ec2.Tag, len(b.tags))
	for i, t := range b.tags {
		tags[i] = ec2.Tag{Key: new(t.Key), Value: new(t.Value)}
	}
	return tags
}

// tagged are the EC2 API's names of the resources that have tags, by the prefix of
// their ids.
var tagged = map[string]ec2.ResourceType{
	"acl": ec2.ResourceTypeNetworkAcl, "dopt": ec2.ResourceTypeDhcpOptions, "eigw": ec2.ResourceTypeEgressOnlyInternetGateway,
	"eipalloc": ec2.ResourceTypeElasticIp, "eni": ec2.ResourceTypeNetworkInterface, "fl": ec2.ResourceTypeVpcFlowLog, "i": ec2.ResourceTypeInstance,
	"igw": ec2.ResourceTypeInternetGateway, "nat": ec2.ResourceTypeNatgateway, "pcx": ec2.ResourceTypeVpcPeeringConnection,
	"pl": ec2.ResourceTypePrefixList, "rtb": ec2.ResourceTypeRouteTable, "sg": ec2.ResourceTypeSecurityGroup,
	"subnet": ec2.ResourceTypeSubnet, "tgw": ec2.ResourceTypeTransitGateway, "vgw": ec2.ResourceTypeVpnGateway,
	"cagw": ec2.ResourceTypeCarrierGateway, "lgw": ec2.ResourceTypeLocalGateway, "lgw-rtb": ec2.ResourceTypeLocalGatewayRouteTable,
	"lgw-vpc-assoc": ec2.ResourceTypeLocalGatewayRouteTableVpcAssociation,
	"vpc":           ec2.ResourceTypeVpc, "vpce": ec2.ResourceTypeVpcEndpoint,
	"vpce-svc": ec2.ResourceTypeVpcEndpointService,
}

// DescribeTags lists the tags of all resources, by resource id and key.
func (r *Region) DescribeTags() *ec2.DescribeTagsResult {
	list := []ec2.TagDescription{}
	r.read(func() {
		for id, x := range r.byID {
			h, ok := x.(interface{ base() *Base })
			if !ok {
				continue
			}
			for _, t := range h.base().tags {
				list = append(list, ec2.TagDescription{
					Key: new(t.Key), Value: new(t.Value), ResourceId: new(id), ResourceType: new(tagged[prefixOf(id)]),
				})
			}
		}
	})
	slices.SortFunc(list, func(a, b ec2.TagDescription) int {
		return cmp.Or(strings.Compare(*a.ResourceId, *b.ResourceId), strings.Compare(*a.Key, *b.Key))
	})
	return &ec2.DescribeTagsResult{Tags: list}
}
