// Package netstack is a guest with a real TCP/IP stack, gVisor's, behind an
// interface of the simulated network, and sockets for Go programs on it: Dial,
// Listen and ListenPacket return what package net does, so net/http, gRPC and
// database drivers run over the simulated VPC unchanged.
//
//	pump := netstack.NewPump(w.Engine, netstack.PumpConfig{})
//	defer pump.Close()
//	web, err := netstack.Boot(pump, w, instance, netstack.Config{})
//	l, err := web.Listen("tcp", ":80")
//	go http.Serve(l, handler)
//	…
//	client := http.Client{Transport: &http.Transport{DialContext: app.DialContext}}
//	r, err := client.Get("http://10.0.1.5/")
//
// Package host is the other guest: a model of Linux without goroutines, whose runs
// repeat byte for byte, and which forwards and translates. Take that one unless a
// program wants a net.Conn. A netstack guest never forwards: it is an end, not a hop.
//
// # Time
//
// A [Pump] runs the simulated clock while goroutines wait in sockets. Inside a
// bubble of testing/synctest simulated time is the bubble's: time.Sleep, deadlines,
// contexts and the network agree to the nanosecond, and an hour takes no time.
//
// Outside of a bubble the clock goes on to the next event as soon as every goroutine
// of the process waits, which the runtime's metrics show. So latency and idle
// timeouts cost no time there either. Computing takes no simulated time; but where
// the process does not become quiet (another test computes in parallel), simulated
// time goes on too, no faster than real time and by steps of at least 200 µs of it.
// Goroutines that wait for real time (time.Sleep, a context's deadline, idle timers
// of net/http) or for the world outside (a file, a real socket) count as waiting:
// simulated time passes them by. Use [Pump.Sleep], or a bubble. Deadlines of sockets,
// and of the context of a Dial, count on the simulated clock.
//
// With [PumpConfig].RealTime simulated time is real time.
//
// # What is repeated and what is not
//
// Chance comes from seeds. Timers of one instant fire in the order in which they
// were set, and everything that reaches a guest (a packet, a timer) has a nanosecond
// of its own, before whose end whoever it wakes has come to wait again. So a
// sequential program, in which one goroutine at a time is awake, sends the same
// packets at the same instants in each run: always in a bubble, and outside of one
// as long as the process becomes quiet within those 200 µs. Where one event wakes
// several goroutines (close of a channel, a broadcast), or a program computes in
// several, their socket calls come in the order of Go's scheduler.
//
// A connection from a guest to itself keeps several of gVisor's workers busy at a
// time: its bytes are right, the order of its packets is not repeated.
//
// # Costs
//
// gVisor keeps one worker goroutine a processor (GOMAXPROCS) for each guest, and
// each TCP segment wakes all of them once. Guests, worlds and pumps of a bubble must
// be made in it. See the benchmarks for figures.
//
// # What it is not
//
// Names are resolved by packets to the VPC's resolver, or by [Config].Lookup; there is no
// search list. There are no raw sockets, no sockets by file descriptor, no DHCP and no
// router advertisements: interfaces are configured. The guest's TCP is gVisor's with Linux's CUBIC and SACK, not Linux's.
package netstack
