package reach

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// arguments are the options of a call of the aws CLI. Those that were read are taken away.
type arguments map[string][]string

// one returns the value of the first of the options that is there, else "".
func (a arguments) one(options ...string) string {
	for _, o := range options {
		if v, ok := a[o]; ok {
			delete(a, o)
			return strings.Join(v, " ")
		}
	}
	return ""
}

// calls are the calls of the aws CLI that are changes to try: those that a Fix proposes
// (AWS CLI Command Reference).
var calls = map[string]func(a arguments) (Overlay, error){
	"ec2 create-route":                                   newRoute,
	"ec2 replace-route":                                  newRoute,
	"ec2 delete-route":                                   func(a arguments) (Overlay, error) { return one(a.one("route-table-id"), destination(a), "none") },
	"ec2 authorize-security-group-ingress":               permissions("ingress", "allow"),
	"ec2 authorize-security-group-egress":                permissions("egress", "allow"),
	"ec2 revoke-security-group-ingress":                  permissions("ingress", "none"),
	"ec2 revoke-security-group-egress":                   permissions("egress", "none"),
	"ec2 create-network-acl-entry":                       newEntry,
	"ec2 replace-network-acl-entry":                      newEntry,
	"ec2 delete-network-acl-entry":                       oldEntry,
	"ec2 modify-network-interface-attribute":             interfaceAttribute,
	"ec2 attach-network-interface":                       attachInterface,
	"ec2 associate-address":                              associateAddress,
	"ec2 start-instances":                                state("instance-ids", "running"),
	"ec2 stop-instances":                                 state("instance-ids", "stopped"),
	"ec2 delete-nat-gateway":                             state("nat-gateway-id", "deleted"),
	"ec2 accept-vpc-peering-connection":                  state("vpc-peering-connection-id", "active"),
	"ec2 delete-vpc-peering-connection":                  state("vpc-peering-connection-id", "deleted"),
	"ec2 create-transit-gateway-route":                   transitRoute,
	"ec2 replace-transit-gateway-route":                  transitRoute,
	"ec2 associate-transit-gateway-route-table":          linkTable("route-table"),
	"ec2 enable-transit-gateway-route-table-propagation": linkTable("propagation"),
	"ec2 modify-transit-gateway-vpc-attachment":          modifyAttachment,
	"ec2 accept-vpc-endpoint-connections":                acceptEndpoint,
	"ec2 create-vpn-connection-route": func(a arguments) (Overlay, error) {
		return one(a.one("vpn-connection-id"), a.one("destination-cidr-block"), "on")
	},
	"ec2 modify-vpc-attribute":              vpcAttribute,
	"ec2 attach-internet-gateway":           func(a arguments) (Overlay, error) { return one(a.one("internet-gateway-id"), "vpc", a.one("vpc-id")) },
	"elbv2 modify-load-balancer-attributes": attributes("load-balancer-arn"),
	"elbv2 modify-target-group-attributes":  attributes("target-group-arn"),
	"elbv2 register-targets":                targets("on"),
	"elbv2 deregister-targets":              targets("none"),
}

// parseCall reads a call of the aws CLI as the changes that it makes.
func parseCall(text string) (Overlay, error) {
	words, err := shellWords(text)
	if err != nil {
		return nil, err
	}
	if len(words) < 3 {
		return nil, errors.New("expected a call such as aws ec2 create-route …")
	}
	name := words[1] + " " + words[2]
	call := calls[name]
	if call == nil {
		return nil, fmt.Errorf("aws %s can't be tried; expected one of %s", name, strings.Join(slices.Sorted(maps.Keys(calls)), ", "))
	}
	a, last := arguments{}, ""
	for _, w := range words[3:] {
		option, isOption := strings.CutPrefix(w, "--")
		switch {
		case isOption:
			last, w, _ = strings.Cut(option, "=")
			a[last] = nil
			if w != "" {
				a[last] = []string{w}
			}
		case last == "":
			return nil, fmt.Errorf("%q: expected an option", w)
		default:
			a[last] = append(a[last], w)
		}
	}
	delete(a, "region")
	delete(a, "profile")
	changes, err := call(a)
	if err != nil {
		return nil, err
	}
	for _, o := range slices.Sorted(maps.Keys(a)) {
		return nil, fmt.Errorf("--%s is not understood here", o)
	}
	for _, c := range changes {
		for _, part := range []string{c.Object, c.Path, c.Value} {
			if part == "" {
				return nil, fmt.Errorf("aws %s: an option is missing that says which object, or what becomes of it", name)
			}
			if i := strings.IndexByte(part, '<'); i >= 0 {
				return nil, fmt.Errorf("%s is for you to choose", part[i:])
			}
		}
		if again, err := ParseOverlay(c.String()); err != nil || again[0] != c {
			return nil, fmt.Errorf("%q: expected an id", c.Object)
		}
	}
	return changes, nil
}

// shellWords splits a command as a POSIX shell does where there are no expansions; what is
// behind a # is a comment.
func shellWords(text string) ([]string, error) {
	var words []string
	var b strings.Builder
	inside, quote, escaped := false, rune(0), false
	end := func() {
		if inside {
			words = append(words, b.String())
			b.Reset()
			inside = false
		}
	}
	for _, r := range text {
		switch {
		case escaped:
			b.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			inside, escaped = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			b.WriteRune(r)
		case r == '\'' || r == '"':
			inside, quote = true, r
		case r == ' ' || r == '\t' || r == '\n':
			end()
		case r == '#' && !inside:
			return words, nil
		default:
			inside = true
			b.WriteRune(r)
		}
	}
	if quote != 0 || escaped {
		return nil, fmt.Errorf("expected another %c: a quote is open", quote)
	}
	end()
	return words, nil
}

func one(object, path, value string) (Overlay, error) { return Overlay{{object, path, value}}, nil }

func destination(a arguments) string {
	return a.one("destination-cidr-block", "destination-ipv6-cidr-block", "destination-prefix-list-id")
}

func newRoute(a arguments) (Overlay, error) {
	value := a.one("gateway-id", "nat-gateway-id", "transit-gateway-id", "vpc-peering-connection-id", "network-interface-id", "instance-id",
		"vpc-endpoint-id", "egress-only-internet-gateway-id", "local-gateway-id", "carrier-gateway-id")
	return one(a.one("route-table-id"), destination(a), value)
}

// state is a call that brings the objects of an option into a state.
func state(option, to string) func(a arguments) (Overlay, error) {
	return func(a arguments) (Overlay, error) {
		var o Overlay
		for _, id := range strings.Fields(a.one(option)) {
			o = append(o, Change{id, "state", to})
		}
		if o == nil {
			return nil, fmt.Errorf("expected --%s", option)
		}
		return o, nil
	}
}

// permissions reads the shorthand of --ip-permissions: IpProtocol=tcp,FromPort=22,ToPort=22,IpRanges=[{CidrIp=10.0.0.0/8}].
func permissions(direction, to string) func(a arguments) (Overlay, error) {
	return func(a arguments) (Overlay, error) {
		group, text := a.one("group-id", "group-name"), a.one("ip-permissions")
		plain, ranges, _ := strings.Cut(text, "=[{")
		value := map[string]string{}
		for part := range strings.SplitSeq(plain, ",") {
			key, v, _ := strings.Cut(part, "=")
			value[key] = v
		}
		proto, from, last := value["IpProtocol"], value["FromPort"], value["ToPort"]
		_, peer, ok := strings.Cut(strings.TrimSuffix(ranges, "}]"), "=")
		if text == "" {
			proto, peer, from = a.one("protocol"), a.one("cidr", "source-group"), a.one("port")
			from, last, ok = strings.Cut(from, "-")
			if !ok {
				last = from
			}
			ok = peer != ""
		}
		if !ok || strings.ContainsAny(peer, ",{[") {
			return nil, errors.New("expected --ip-permissions with one peer, such as IpProtocol=tcp,FromPort=22,ToPort=22,IpRanges=[{CidrIp=10.0.0.0/8}]")
		}
		return one(group, direction+"/"+trafficWord(proto, from, last)+"/"+peer, to)
	}
}

// trafficWord writes traffic as a change has it.
func trafficWord(proto, from, last string) string {
	name := map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "-1": "all"}[proto]
	if name == "" {
		name = proto
	}
	if name == "tcp" || name == "udp" {
		if from != last {
			return name + "/" + from + "-" + last
		}
		return name + "/" + from
	}
	if isICMP := name == "icmp" || name == "icmpv6"; isICMP && from != "" && from != "-1" {
		name += "/" + from
		if last != "" && last != "-1" {
			name += "-" + last
		}
	}
	return name
}

// side is the direction of an ACL's entry, with its number.
func side(a arguments) string {
	direction := "ingress"
	if _, ok := a["egress"]; ok {
		direction = "egress"
	}
	delete(a, "egress")
	delete(a, "ingress")
	return direction + "/" + a.one("rule-number")
}

func newEntry(a arguments) (Overlay, error) {
	from, last := "", ""
	for part := range strings.SplitSeq(a.one("port-range")+","+a.one("icmp-type-code"), ",") {
		switch key, v, _ := strings.Cut(part, "="); key {
		case "From", "Type":
			from = v
		case "To", "Code":
			last = v
		}
	}
	value := a.one("rule-action") + " " + trafficWord(a.one("protocol"), from, last) + " " + a.one("cidr-block", "ipv6-cidr-block")
	return one(a.one("network-acl-id"), side(a), value)
}

func oldEntry(a arguments) (Overlay, error) { return one(a.one("network-acl-id"), side(a), "none") }

func interfaceAttribute(a arguments) (Overlay, error) {
	id := a.one("network-interface-id")
	if _, off := a["no-source-dest-check"]; off {
		delete(a, "no-source-dest-check")
		return one(id, "source-dest-check", "off")
	}
	if _, on := a["source-dest-check"]; on {
		delete(a, "source-dest-check")
		return one(id, "source-dest-check", "on")
	}
	return one(id, "groups", strings.ReplaceAll(a.one("groups"), " ", ","))
}

func vpcAttribute(a arguments) (Overlay, error) {
	id := a.one("vpc-id")
	for _, name := range []string{"dns-support", "dns-hostnames"} {
		for option, value := range map[string]string{"enable-" + name: "on", "no-enable-" + name: "off"} {
			if _, ok := a[option]; ok {
				delete(a, option)
				return one(id, name, value)
			}
		}
	}
	return nil, errors.New("expected --enable-dns-support, --enable-dns-hostnames or the same with --no-")
}

func attachInterface(a arguments) (Overlay, error) {
	a.one("device-index")
	return one(a.one("network-interface-id"), "instance", a.one("instance-id"))
}

// associateAddress takes an address that is not told for a new one.
func associateAddress(a arguments) (Overlay, error) {
	address := a.one("allocation-id")
	if strings.HasPrefix(address, "<") {
		address = "new"
	}
	return one(a.one("network-interface-id", "instance-id"), "address", address)
}

func transitRoute(a arguments) (Overlay, error) {
	value := a.one("transit-gateway-attachment-id")
	if _, ok := a["blackhole"]; ok {
		delete(a, "blackhole")
		value = "blackhole"
	}
	return one(a.one("transit-gateway-route-table-id"), a.one("destination-cidr-block"), value)
}

// linkTable ties an attachment and a table of a transit gateway.
func linkTable(what string) func(a arguments) (Overlay, error) {
	return func(a arguments) (Overlay, error) {
		table, attachment := a.one("transit-gateway-route-table-id"), a.one("transit-gateway-attachment-id")
		if what == "propagation" {
			return one(table, "propagation/"+attachment, "on")
		}
		return one(attachment, what, table)
	}
}

func modifyAttachment(a arguments) (Overlay, error) {
	id := a.one("transit-gateway-attachment-id")
	var o Overlay
	for _, s := range strings.Fields(a.one("add-subnet-ids")) {
		o = append(o, Change{id, "subnet/" + s, "on"})
	}
	for _, s := range strings.Fields(a.one("remove-subnet-ids")) {
		o = append(o, Change{id, "subnet/" + s, "off"})
	}
	if mode, ok := strings.CutPrefix(a.one("options"), "ApplianceModeSupport="); ok {
		o = append(o, Change{id, "appliance-mode", map[string]string{"enable": "on", "disable": "off"}[mode]})
	}
	if o == nil {
		return nil, errors.New("expected --add-subnet-ids, --remove-subnet-ids or --options ApplianceModeSupport=enable")
	}
	return o, nil
}

func acceptEndpoint(a arguments) (Overlay, error) {
	a.one("service-id")
	return state("vpc-endpoint-ids", "available")(a)
}

// attributes sets attributes of a load balancer or of a target group: Key=k,Value=v.
func attributes(option string) func(a arguments) (Overlay, error) {
	return func(a arguments) (Overlay, error) {
		id := a.one(option)
		var o Overlay
		for _, pair := range strings.Fields(a.one("attributes")) {
			key, value, ok := strings.Cut(strings.TrimPrefix(pair, "Key="), ",Value=")
			if !ok {
				return nil, fmt.Errorf("--attributes %q: expected Key=…,Value=…", pair)
			}
			o = append(o, Change{id, key, value})
		}
		if o == nil {
			return nil, errors.New("expected --attributes")
		}
		return o, nil
	}
}

// targets registers targets, or takes them away: Id=i-…,Port=80.
func targets(to string) func(a arguments) (Overlay, error) {
	return func(a arguments) (Overlay, error) {
		group := a.one("target-group-arn")
		var o Overlay
		for _, t := range strings.Fields(a.one("targets")) {
			id, port, ok := strings.Cut(strings.TrimPrefix(t, "Id="), ",Port=")
			if ok {
				id += ":" + port
			}
			o = append(o, Change{group, "target/" + id, to})
		}
		if o == nil {
			return nil, errors.New("expected --targets")
		}
		return o, nil
	}
}
