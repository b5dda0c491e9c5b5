package lint

// Omission is a mistake of the catalogue that no rule asks for.
type Omission struct {
	// ID is the catalogue's, such as NG05.
	ID string `json:"id"`
	// Title says the mistake in few words.
	Title string `json:"title"`
	// Why says what a description of a network lacks to tell it.
	Why string `json:"why"`
}

// Omissions are the mistakes of the catalogue that are not asked for, in its order, and why.
func Omissions() []Omission { return omitted }

var omitted = []Omission{
	{"EN02", "a NAT instance or router does not forward", "what a guest does with packets for others is in no description: a probe says Unknown, and reach.Config.Appliances tells"},
	{"EN03", "a guest with several interfaces answers by the first of them", "the guest's routing policy; Amazon Linux sets it by itself, others do not"},
	{"EN04", "a guest sends with addresses that are not its interface's", "the guest's addresses: containers' and overlays' are in no description; a probe from eni-…/ADDRESS shows what becomes of them"},
	{"EN06", "an appliance that takes over knows no flows", "time, and the appliance's own configuration; package fault tells it in a simulation"},
	{"NG05", "a NAT gateway runs out of its 55,000 ports to one destination", "load: how many connections there are at once; a simulation counts them (ErrorPortAllocation)"},
	{"NG06", "a connection idles for 350 s behind a NAT gateway", "time, and the keep-alive of the guests"},
	{"NG10", "a NAT gateway does not answer ping", "no mistake of a network: it never does"},
	{"NG11", "a NAT gateway that is made anew has another address", "a difference of two networks: vpcsim diff shows addresses that change"},
	{"NG13", "a regional NAT gateway is not in the zone of the packet", "regional NAT gateways are not modelled"},
	{"SG06", "a rule is removed under a connection that goes on", "time: which connections there were; a simulation tells"},
	{"SG07", "an instance tracks more connections than its type allows", "load, and an allowance that AWS does not publish by type"},
	{"LB07", "a connection idles longer than its load balancer waits", "time, and the keep-alive of clients and targets"},
}
