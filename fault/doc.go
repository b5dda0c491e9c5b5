// Package fault is what goes wrong in a network, on request: an instance dies, an
// interface is detached, a link loses, delays or reorders a share of its packets, a
// zone is cut off. A fault is a value that says so in words; Begin makes it happen, at
// any simulated time, and Heal undoes it.
//
//	f, err := fault.Begin(w, fault.InstanceDies{Instance: firewall})
//	…
//	err = f.Heal()
//
// A packet that a fault takes ends as trace.Lost, and its last step has the fault's
// words. The API goes on to say what it said before: that an instance is dead or a zone
// cut off, AWS does not tell in its route tables and interfaces. Only a detached
// interface is AWS's own doing, so there packets end for AWS's own reasons.
//
// Faults are the world's, not AWS's: nothing here refuses or repairs anything. What
// notices them is package health, or the user's own code.
package fault
