package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// builder makes a network of the values of a plan or state.
type builder struct {
	doc      *document
	planned  bool // there are values that are known after apply only
	modules  map[string]*instance
	all      []*resource                          // in the order of the plan
	old      []*resource                          // as they are before the plan
	byAddr   map[string]*resource                 // by full address
	byName   map[place][]*resource                // all instances of a block
	entries  map[string][]Entry                   // by region
	held     map[[2]string]map[string][]*resource // of old: by kind and attribute, and its value
	theirs   *string                              // the account, once it was looked for
	elastics map[string]bool                      // public addresses of Elastic IP addresses, before the plan and after it
	updated  map[string]bool                      // by full address: what the plan changes in place
	notes    []Note
	noted    map[Note]bool
	names    []Name
	visiting map[attributeOf]bool
	spaces   map[string]*space // by subnet's id
	depth    int

	parts
}

// place is a block of the configuration in an instance of its module.
type place struct{ module, name string }

// instance is a module as it is in the plan: one of those that count or for_each make.
type instance struct {
	address  string
	key      string // its key, as it stands between brackets
	parent   *instance
	call     *moduleCall
	config   *configModule
	children map[string][]*instance
}

// resource is a resource of the plan.
type resource struct {
	located
	address string
	in      *instance
	values  map[string]any
	unknown any
	config  *configResource
	region  string
	used    bool
}

func newBuilder(doc *document, v *values, planned bool) *builder {
	b := &builder{
		doc: doc, planned: planned, modules: map[string]*instance{}, byAddr: map[string]*resource{}, byName: map[place][]*resource{},
		entries: map[string][]Entry{}, noted: map[Note]bool{}, visiting: map[attributeOf]bool{}, spaces: map[string]*space{}, updated: map[string]bool{}, held: map[[2]string]map[string][]*resource{},
	}
	b.modules[""] = &instance{config: &doc.Configuration.RootModule, children: map[string][]*instance{}}
	unknown := map[string]any{}
	if planned {
		for i := range doc.ResourceChanges {
			if c := &doc.ResourceChanges[i]; c.Deposed == "" {
				unknown[c.Address] = c.Change.AfterUnknown
				b.updated[c.Address] = slices.Contains(c.Change.Actions, "update")
			}
		}
	}
	b.walk(&v.RootModule, unknown, false)
	if planned { // what data sources have read stands in the prior state alone
		b.walk(&doc.prior().RootModule, nil, true)
		b.remember(&doc.prior().RootModule)
	}
	for _, list := range b.byName {
		slices.SortStableFunc(list, func(x, y *resource) int { return compareKeys(x.key, y.key) })
	}
	return b
}

// compareKeys orders numbers as numbers, and before names.
func compareKeys(a, b string) int {
	if a != "" && b != "" && a[0] != '"' && b[0] != '"' {
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	}
	return strings.Compare(unquoted(a), unquoted(b))
}

func unquoted(key string) string { return strings.Trim(key, `"`) }

// walk takes the resources of a module and of those below it.
func (b *builder) walk(m *module, unknown map[string]any, dataOnly bool) {
	for i := range m.Resources {
		v := &m.Resources[i]
		at, ok := locate(v.Address)
		if !ok || b.byAddr[v.Address] != nil || dataOnly && !at.data {
			continue
		}
		r := &resource{located: at, address: v.Address, values: v.Values, unknown: unknown[v.Address]}
		r.in = b.module(at.module)
		r.config = r.in.block(at.configured())
		r.region = b.regionOf(r)
		b.all = append(b.all, r)
		b.byAddr[r.address] = r
		at1 := place{r.in.address, at.configured()}
		b.byName[at1] = append(b.byName[at1], r)
	}
	for i := range m.ChildModules {
		b.walk(&m.ChildModules[i], unknown, dataOnly)
	}
}

// remember takes the resources as they are before the plan.
func (b *builder) remember(m *module) {
	for i := range m.Resources {
		v := &m.Resources[i]
		if at, ok := locate(v.Address); ok && !at.data {
			b.old = append(b.old, &resource{located: at, address: v.Address, values: v.Values, in: b.modules[""], config: &configResource{}})
		}
	}
	for i := range m.ChildModules {
		b.remember(&m.ChildModules[i])
	}
}

// was returns the resources of the kinds before the plan whose attribute has the value. What
// they put into another resource stands in its values still, whatever becomes of them.
func (b *builder) was(attr, value string, kinds ...string) []*resource {
	var list []*resource
	for _, kind := range kinds {
		key := [2]string{kind, attr}
		if b.held[key] == nil {
			b.held[key] = map[string][]*resource{}
			for _, r := range b.old {
				if r.kind == kind {
					v := r.root().get(attr).text()
					b.held[key][v] = append(b.held[key][v], r)
				}
			}
		}
		list = append(list, b.held[key][value]...)
	}
	return list
}

// module returns the instance of a module, which it makes where it is new.
func (b *builder) module(path []step) *instance {
	in := b.modules[""]
	for _, s := range path {
		address := in.address
		if address != "" {
			address += "."
		}
		address += "module." + s.name
		if s.key != "" {
			address += "[" + s.key + "]"
		}
		next := b.modules[address]
		if next == nil {
			next = &instance{address: address, key: s.key, parent: in, config: &configModule{}, children: map[string][]*instance{}}
			if call, ok := in.config.ModuleCalls[s.name]; ok {
				next.call, next.config = &call, &call.Module
			}
			b.modules[address] = next
			in.children[s.name] = append(in.children[s.name], next)
		}
		in = next
	}
	return in
}

// block returns the configuration of a resource, an empty one where there is none.
func (in *instance) block(name string) *configResource {
	for i := range in.config.Resources {
		if in.config.Resources[i].Address == name {
			return &in.config.Resources[i]
		}
	}
	return &configResource{}
}

// regionOf returns the region of a resource: what it says itself (of provider version 6
// on), what its ARN says, what its provider is configured with; "" is not told.
func (b *builder) regionOf(r *resource) string {
	if s, ok := r.values["region"].(string); ok && s != "" {
		return s
	}
	if arn, ok := r.values["arn"].(string); ok {
		if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 && parts[3] != "" {
			return parts[3]
		}
	}
	p := b.doc.Configuration.ProviderConfig[r.config.ProviderConfigKey]
	return b.constant(r.in, p.Expressions["region"])
}

// constant returns the text of an expression that is a constant, or a variable of the
// root module.
func (b *builder) constant(in *instance, expr any) string {
	e, _ := expr.(map[string]any)
	if s, ok := e["constant_value"].(string); ok {
		return s
	}
	for _, ref := range references(expr) {
		if name, ok := strings.CutPrefix(ref, "var."); ok {
			if s, ok := b.doc.Variables[name].Value.(string); ok {
				return s
			}
		}
	}
	return ""
}

// newID returns the id of what apply will make for a resource: prefix, and a hash of the
// address and of what it is made for.
func newID(prefix, address, part string) string {
	sum := sha256.Sum256([]byte(address + "\x00" + part))
	return prefix + "-plan" + hex.EncodeToString(sum[:])[:13]
}

// add describes a resource to the region of r.
func (b *builder) add(r *resource, shape any) {
	b.entries[r.region] = append(b.entries[r.region], Entry{r.address, shape})
}

// call gives a resource's address to an id.
func (b *builder) call(r *resource, id string) {
	r.used = true
	if id != "" {
		b.names = append(b.names, Name{r.address, id})
	}
}

// note takes down what was left out or assumed, once.
func (b *builder) note(r *resource, path, reason string) {
	b.take(Note{Address: r.address, Path: path, Reason: reason})
}

// assume takes down what was assumed, and is in the network.
func (b *builder) assume(r *resource, path, reason string) {
	b.take(Note{Address: r.address, Path: path, Reason: reason, Assumed: true})
}

// leave takes down a resource of which the network has nothing.
func (b *builder) leave(r *resource, path, reason string) {
	r.used = true
	b.take(Note{Address: r.address, Path: path, Reason: reason, ID: r.address})
}

func (b *builder) take(n Note) {
	if !b.noted[n] {
		b.noted[n] = true
		b.notes = append(b.notes, n)
	}
}

// of returns the resources of the kinds, in the order of the plan.
func (b *builder) of(kinds ...string) []*resource {
	var list []*resource
	for _, r := range b.all {
		if !r.data && slices.Contains(kinds, r.kind) {
			list = append(list, r)
		}
	}
	return list
}

// block returns the address without the resource's key.
func (r *resource) block() string { return strings.TrimPrefix(r.in.address+"."+r.configured(), ".") }
