package vpc

import "github.com/vpcsim/vpcsim/wire"

// mac returns a new MAC address, locally administered as AWS's are (02…, 06…, 0a…).
func (s *ids) mac() wire.MAC {
	w := s.word()
	return wire.MAC{byte(w>>40)&^0x0f | 0x02 | byte(w>>48)&0x0c, byte(w >> 32), byte(w >> 24), byte(w >> 16), byte(w >> 8), byte(w)}
}
