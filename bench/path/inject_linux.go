package main

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// Where things stand in a frame of Ethernet, IPv4 and UDP.
const (
	ethLen    = 14
	frameLen  = ethLen + ipLen
	offEther  = 12
	offIP     = ethLen
	offTTL    = ethLen + 8
	offProto  = ethLen + 9
	offIPSum  = ethLen + 10
	offSrc    = ethLen + 12
	offDst    = ethLen + 16
	offPorts  = ethLen + 20
	offUDPSum = ethLen + 26
)

// startLen is how much of a frame is written for each packet: all headers, and the
// word of the payload that differs.
const startLen = 48

// feed is the part of an XDP program that makes a list's next packet of the frame it
// is run on. The kernel runs the program as often as asked, so one system call walks
// a whole list.
type feed struct {
	list  *ebpf.Map // number -> the frame's first bytes
	state *ebpf.Map // 0 -> next number, how many, how many went through
}

type feedState struct{ Next, Len, Done uint64 }

func newFeed() (*feed, error) {
	list, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: startLen, MaxEntries: maxFlows})
	if err != nil {
		return nil, err
	}
	state, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 24, MaxEntries: 1})
	if err != nil {
		return nil, errors.Join(err, list.Close())
	}
	return &feed{list, state}, nil
}

func (f *feed) close() {
	f.list.Close()
	f.state.Close()
}

// fill sets the list, of packets in frames to a MAC address.
func (f *feed) fill(dst [6]byte, packets [][]byte) error {
	if len(packets) > maxFlows {
		return fmt.Errorf("%d packets at once, at most %d fit", len(packets), maxFlows)
	}
	keys, values := make([]uint32, len(packets)), make([][startLen]byte, len(packets))
	for i, ip := range packets {
		keys[i] = uint32(i)
		copy(values[i][:], frame(dst, ip))
	}
	if _, err := f.list.BatchUpdate(keys, values, nil); err != nil {
		return err
	}
	return f.state.Put(uint32(0), feedState{Len: uint64(len(packets))})
}

// done returns how many packets went through since fill.
func (f *feed) done() (int, error) {
	var s feedState
	err := f.state.Lookup(uint32(0), &s)
	return int(s.Done), err
}

// The registers that keep their values across calls, and what they hold here.
const (
	regFrame = asm.R6
	regState = asm.R8
)

// Places on the stack.
const (
	stackKey = -32
)

// lookup leaves in R0 a pointer to the value for the key at stackKey, or gives up.
func lookup(m *ebpf.Map) asm.Instructions {
	return asm.Instructions{
		asm.LoadMapPtr(asm.R1, m.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, stackKey),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "fail"),
	}
}

// next is the beginning of a program: it checks the frame's length and makes the
// list's next packet of it.
func (f *feed) next() (p asm.Instructions) {
	p = append(p,
		asm.LoadMem(regFrame, asm.R1, 0, asm.Word),
		asm.LoadMem(asm.R2, asm.R1, 4, asm.Word),
		asm.Mov.Reg(asm.R3, regFrame),
		asm.Add.Imm(asm.R3, frameLen),
		asm.JGT.Reg(asm.R3, asm.R2, "fail"),
		asm.StoreImm(asm.RFP, stackKey, 0, asm.Word),
	)
	p = append(p, lookup(f.state)...)
	p = append(p,
		asm.Mov.Reg(regState, asm.R0),
		asm.LoadMem(asm.R1, regState, 0, asm.DWord),
		asm.StoreMem(asm.RFP, stackKey, asm.R1, asm.Word),
		asm.Add.Imm(asm.R1, 1),
		asm.LoadMem(asm.R2, regState, 8, asm.DWord),
		asm.JLT.Reg(asm.R1, asm.R2, "more"),
		asm.Mov.Imm(asm.R1, 0),
		asm.StoreMem(regState, 0, asm.R1, asm.DWord).WithSymbol("more"),
	)
	p = append(p, lookup(f.list)...)
	for i := int16(0); i < startLen; i += 8 {
		p = append(p, asm.LoadMem(asm.R1, asm.R0, i, asm.DWord), asm.StoreMem(regFrame, i, asm.R1, asm.DWord))
	}
	return p
}

// Verdicts of an XDP program (linux/bpf.h).
const (
	xdpAborted = 0
	xdpPass    = 2
	xdpTx      = 3
)

// end is the end of a program: the packet is counted and gets the verdict.
func (f *feed) end(verdict int32) asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R1, regState, 16, asm.DWord),
		asm.Add.Imm(asm.R1, 1),
		asm.StoreMem(regState, 16, asm.R1, asm.DWord),
		asm.Mov.Imm(asm.R0, verdict),
		asm.Return(),
		asm.Mov.Imm(asm.R0, xdpAborted).WithSymbol("fail"),
		asm.Return(),
	}
}

func load(parts ...asm.Instructions) (*ebpf.Program, error) {
	var all asm.Instructions
	for _, p := range parts {
		all = append(all, p...)
	}
	return ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.XDP, License: "Dual MIT/GPL", Instructions: all})
}

// frame returns the frame that programs are run on.
func frame(dst [6]byte, ip []byte) []byte {
	b := make([]byte, ethLen, frameLen)
	copy(b, dst[:])
	b[offEther] = 0x08
	return append(b, ip...)
}
