package flowtable

// Memo is room in a record for who looks the same flow up and would keep something with
// it. The table does not read it: it is zero when the flow begins, and goes where the
// record goes. It is words of 16 bits to fit anywhere.
type Memo [5]uint16

// Set writes a Memo.
func (m *Memo) Set(a, b uint32, c uint16) {
	*m = Memo{uint16(a >> 16), uint16(a), uint16(b >> 16), uint16(b), c}
}

// Get returns what Set wrote, zeros where it never did.
func (m *Memo) Get() (a, b uint32, c uint16) {
	return uint32(m[0])<<16 | uint32(m[1]), uint32(m[2])<<16 | uint32(m[3]), m[4]
}
