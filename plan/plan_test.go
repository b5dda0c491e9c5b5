package plan

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
)

func TestAddressesAreSplitAtDotsOutsideOfKeys(t *testing.T) {
	for address, want := range map[string][]step{
		"aws_vpc.a":                          {{name: "aws_vpc"}, {name: "a"}},
		"aws_vpc.a[0].id":                    {{name: "aws_vpc"}, {"a", "0"}, {name: "id"}},
		`module.m["a.b"].aws_vpc.a["x]\"y"]`: {{name: "module"}, {"m", `"a.b"`}, {name: "aws_vpc"}, {"a", `"x]\"y"`}},
		"":                                   {{}},
		"a[":                                 {{name: "a["}},
		"a[0":                                {{"a", "0"}},
		"a[0][1].b":                          {{"a", "0"}, {name: "b"}},
	} {
		require.Equal(t, want, split(address), address)
	}
}

func TestAddressesOfResourcesAreLocated(t *testing.T) {
	l, ok := locate(`module.net["a"].module.inner.data.aws_vpc.this[0]`)
	require.True(t, ok)
	require.Equal(t, located{module: []step{{"net", `"a"`}, {name: "inner"}}, kind: "aws_vpc", name: "this", key: "0", data: true}, l)
	require.Equal(t, "data.aws_vpc.this", l.configured())
	for _, not := range []string{"", "aws_vpc", "module.net", "module.net.aws_vpc", "a.b.c", ".b"} {
		_, ok := locate(not)
		require.False(t, ok, not)
	}
}

func TestOnlyTheLongestReferencesCount(t *testing.T) {
	require.Equal(t, []string{`aws_subnet.a["x"].id`, "aws_subnet.ab", "each.key"},
		maximal([]string{`aws_subnet.a["x"].id`, `aws_subnet.a["x"]`, "aws_subnet.a", "aws_subnet.ab", "each.key"}))
}

// TestOfSeveralTheKeyChooses holds choose to what element(), values() and an index do.
func TestOfSeveralTheKeyChooses(t *testing.T) {
	in := &instance{}
	of := func(keys ...string) (list []target) {
		for _, k := range keys {
			list = append(list, target{r: &resource{located: located{kind: "aws_subnet", name: "a", key: k}, in: in}})
		}
		return list
	}
	keysOf := func(list []target) (keys []string) {
		for _, t := range list {
			keys = append(keys, t.r.key)
		}
		return keys
	}
	require.Equal(t, []string{"1"}, keysOf(choose(of("0", "1", "2"), "1")))
	require.Equal(t, []string{"1"}, keysOf(choose(of("0", "1", "2"), "4")))
	require.Equal(t, []string{`"b"`}, keysOf(choose(of(`"a"`, `"b"`), "1")))
	require.Equal(t, []string{`"b"`}, keysOf(choose(of(`"a"`, `"b"`), "0", `"b"`)))
	require.Equal(t, []string{`"a"`, `"b"`}, keysOf(choose(of(`"a"`, `"b"`), `"c"`)))
	require.Equal(t, []string{""}, keysOf(choose(of(""), `"c"`)))
}

func TestAddressesArePickedByNameAndNeverTwice(t *testing.T) {
	b := newBuilder(&document{}, &values{}, false)
	cidr, id := "10.0.0.0/28", "subnet-1"
	b.subnets.put(nil, id, subnetShape(cidr))
	s := b.space(id)
	first := s.pick("a")
	seen := map[string]bool{first: true}
	for _, name := range []string{"b", "c", "d", "e", "f", "g", "h", "i", "j", "k"} {
		a := s.pick(name)
		require.False(t, seen[a], a)
		seen[a] = true
	}
	require.Empty(t, s.pick("l"), "eleven of sixteen are for users")
	for _, reserved := range []string{"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.15"} {
		require.False(t, seen[reserved])
	}
	c := newBuilder(&document{}, &values{}, false)
	c.subnets.put(nil, id, subnetShape(cidr))
	require.Equal(t, first, c.space(id).pick("a"))
}

func subnetShape(cidr string) ec2.Subnet { return ec2.Subnet{CidrBlock: &cidr} }
