package main

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// accept gives up on what is not IPv4, UDP and worth forwarding.
func accept() asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R1, regFrame, offEther, asm.Half),
		asm.JNE.Imm(asm.R1, 0x0008, "fail"),
		asm.LoadMem(asm.R1, regFrame, offIP, asm.Byte),
		asm.JNE.Imm(asm.R1, 0x45, "fail"),
		asm.LoadMem(asm.R1, regFrame, offTTL, asm.Byte),
		asm.JLE.Imm(asm.R1, 2, "fail"),
		asm.LoadMem(asm.R1, regFrame, offProto, asm.Byte),
		asm.JNE.Imm(asm.R1, 17, "fail"),
	}
}

// route looks the destination up in a table and gives up where there is no route.
func route(table *ebpf.Map) asm.Instructions {
	p := asm.Instructions{
		asm.StoreImm(asm.RFP, stackKey, 32, asm.Word),
		asm.LoadMem(asm.R1, regFrame, offDst, asm.Word),
		asm.StoreMem(asm.RFP, stackKey+4, asm.R1, asm.Word),
	}
	p = append(p, lookup(table)...)
	return append(p, asm.LoadMem(asm.R1, asm.R0, 0, asm.Word), asm.JEq.Imm(asm.R1, 0, "fail"))
}

// flowOnStack makes the packet's flow the key of the next lookup.
func flowOnStack() asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R1, regFrame, offSrc, asm.DWord),
		asm.StoreMem(asm.RFP, stackKey, asm.R1, asm.DWord),
		asm.LoadMem(asm.R1, regFrame, offPorts, asm.Word),
		asm.StoreMem(asm.RFP, stackKey+8, asm.R1, asm.Word),
		asm.StoreImm(asm.RFP, stackKey+12, 17, asm.Word),
	}
}

// addrOnStack makes an address of the packet the key of the next lookup.
func addrOnStack(off int16) asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R1, regFrame, off, asm.Word),
		asm.StoreMem(asm.RFP, stackKey, asm.R1, asm.Word),
	}
}

// apply does the rewriting that R0 points at to an address and a port of the packet;
// no port has the offset 0.
func apply(addr, port int16) asm.Instructions {
	p := asm.Instructions{
		asm.LoadMem(asm.R1, asm.R0, 0, asm.Word),
		asm.StoreMem(regFrame, addr, asm.R1, asm.Word),
		asm.LoadMem(asm.R3, asm.R0, 8, asm.Word),
		asm.LoadMem(asm.R4, asm.R0, 12, asm.Word),
	}
	if port != 0 {
		p = append(p, asm.LoadMem(asm.R1, asm.R0, 4, asm.Half), asm.StoreMem(regFrame, port, asm.R1, asm.Half))
	}
	p = append(p, change(offIPSum, asm.R3)...)
	return append(p, change(offUDPSum, asm.R4)...)
}

// change adds a register to a checksum: HC' = ~(~HC + sum of ~m + m') (RFC 1624).
func change(off int16, by asm.Register) asm.Instructions {
	p := asm.Instructions{
		asm.LoadMem(asm.R1, regFrame, off, asm.Half),
		asm.Xor.Imm(asm.R1, 0xffff),
		asm.Add.Reg(asm.R1, by),
	}
	for range 2 {
		p = append(p,
			asm.Mov.Reg(asm.R2, asm.R1),
			asm.RSh.Imm(asm.R2, 16),
			asm.And.Imm(asm.R1, 0xffff),
			asm.Add.Reg(asm.R1, asm.R2),
		)
	}
	return append(p, asm.Xor.Imm(asm.R1, 0xffff), asm.StoreMem(regFrame, off, asm.R1, asm.Half))
}

// hops takes two from the TTL: one each for NAT gateway and internet gateway.
func hops() asm.Instructions {
	p := asm.Instructions{
		asm.LoadMem(asm.R1, regFrame, offTTL, asm.Byte),
		asm.Sub.Imm(asm.R1, 2),
		asm.StoreMem(regFrame, offTTL, asm.R1, asm.Byte),
		asm.Mov.Imm(asm.R3, int32(word([]byte{0xff, 0xff})-word([]byte{2, 0}))),
	}
	return append(p, change(offIPSum, asm.R3)...)
}
