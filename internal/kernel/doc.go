// Package kernel lets tests ask the real Linux kernel: it builds networks of network
// namespaces and veth pairs, and throws frames at them and catches what comes out
// through packet sockets. It is for tests only, needs root and Linux, and skips the
// test, saying so, where it has not both.
//
// A network is one that tests own whole: names carry the process's number, nothing is
// routed to the outside, and all is gone when the test ends.
//
//	router := kernel.NewNamespace(t, "router")
//	world := kernel.NewNamespace(t, "world")
//	router.Connect("r0", world, "w0")
//	router.Run("ip addr add 10.99.0.1/24 dev r0")
//	tap := world.Tap("w0")
//	tap.Send(frame)
//	frames := tap.Receive()
package kernel
