package capture

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Reader reads the frames of a pcap or pcapng file, of either byte order and
// time resolution, gzipped or not. It is its own parser because gopacket's keeps
// link types in one byte, too small for LINUX_SLL2, and panics on some malformed
// pcapng; its tests hold it against gopacket's and tshark's.
type Reader struct {
	name   string
	r      source
	file   io.Closer // nil where the reader is the caller's
	next   func() (captured, error)
	frames int       // read so far
	first  time.Time // of the first frame
	err    error     // what ended the reading
}

// captured is a frame with the time that the file gives it.
type captured struct {
	frame Frame
	at    time.Time
}

// frameMax is the longest frame that is read, in bytes: tcpdump's own bound
// (MAXIMUM_SNAPLEN), so that a wrong length can't ask for all memory.
const frameMax = 262144

// Open opens a file of captured frames. An error names the file and says what was
// expected. [Reader.Close] must be called.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	r, err := NewReader(f, path)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.file = f
	return r, nil
}

// NewReader reads the head of a file from r; name stands for it in errors.
func NewReader(r io.Reader, name string) (*Reader, error) {
	c := &Reader{name: name, r: source{r: bufio.NewReader(r)}}
	if err := c.readHead(); err != nil {
		return nil, c.wrap(err)
	}
	return c, nil
}

func (c *Reader) wrap(err error) error { return fmt.Errorf("capture: %s: %w", c.name, err) }

// The numbers that files begin with.
const (
	magicMicroseconds = 0xa1b2c3d4
	magicNanoseconds  = 0xa1b23c4d
	magicPcapNG       = 0x0a0d0d0a
	magicGzip         = 0x1f8b
)

func (c *Reader) readHead() error {
	if b, err := c.r.r.Peek(2); err == nil && binary.BigEndian.Uint16(b) == magicGzip {
		z, err := gzip.NewReader(c.r.r)
		if err != nil {
			return err
		}
		c.r.r = bufio.NewReader(z)
	}
	b, err := c.r.r.Peek(4)
	if err != nil {
		return fmt.Errorf("%d bytes: expected a pcap or pcapng file", len(b))
	}
	if binary.BigEndian.Uint32(b) == magicPcapNG {
		s := &section{r: &c.r}
		c.next = s.next
		return nil
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(b) {
		case magicMicroseconds:
			return c.readPcap(order, time.Microsecond)
		case magicNanoseconds:
			return c.readPcap(order, time.Nanosecond)
		}
	}
	return fmt.Errorf("begins with % x: expected a pcap or pcapng file", b)
}

// Next returns the next frame, whose bytes are the caller's, or [io.EOF] behind
// the last. Any other error says in which frame and at which byte of the file
// (unzipped) something is wrong, and what; it is returned ever after.
func (c *Reader) Next() (Frame, error) {
	if c.err != nil {
		return Frame{}, c.err
	}
	n, err := c.next()
	if errors.Is(err, io.EOF) {
		c.err = io.EOF
		return Frame{}, c.err
	}
	if err != nil {
		c.err = c.wrap(fmt.Errorf("frame %d: %w", c.frames+1, err))
		return Frame{}, c.err
	}
	if c.frames == 0 {
		c.first = n.at
	}
	c.frames++
	n.frame.At = n.at.Sub(c.first)
	return n.frame, nil
}

// Start returns the time of the first frame, which frames' At count from; the
// zero time before it was read.
func (c *Reader) Start() time.Time { return c.first }

// Close closes the file that Open opened.
func (c *Reader) Close() error {
	if c.file == nil {
		return nil
	}
	return c.file.Close()
}

// ReadFile returns all frames of a file, in the file's order. Where the file is
// damaged it returns the frames before the damage, and the error.
func ReadFile(path string) ([]Frame, error) {
	r, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var frames []Frame
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return frames, nil
		}
		if err != nil {
			return frames, err
		}
		frames = append(frames, f)
	}
}

// source counts the bytes that were read, so that errors can say where they are.
type source struct {
	r  *bufio.Reader
	at int64
}

// take reads n bytes. At the file's end it returns io.EOF where there is nothing
// more and may be nothing more, which clean says.
func (s *source) take(n int, clean bool) ([]byte, error) {
	b := make([]byte, n)
	got, err := io.ReadFull(s.r, b)
	switch {
	case err == nil:
		s.at += int64(n)
		return b, nil
	case got == 0 && clean && errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("at byte %d: the file ends after %d bytes: expected %d", s.at, got, n)
	}
	return nil, fmt.Errorf("at byte %d: %v", s.at, err)
}

// checkLengths says whether a frame can be as long as a file says.
func checkLengths(have, length int64) error {
	if have > frameMax {
		return fmt.Errorf("a frame of %d bytes: expected %d at most", have, frameMax)
	}
	if length < have {
		return fmt.Errorf("%d bytes captured of a frame of %d", have, length)
	}
	return nil
}

func checkLink(t uint32) (LinkType, error) {
	for _, known := range []LinkType{LinkEthernet, LinkRaw, LinkLinuxSLL, LinkIPv4, LinkIPv6, LinkLinuxSLL2} {
		if t == uint32(known) {
			return known, nil
		}
	}
	return 0, fmt.Errorf("link type %d: expected %s, %s, %s, %s, %s or %s", t,
		LinkEthernet, LinkRaw, LinkLinuxSLL, LinkIPv4, LinkIPv6, LinkLinuxSLL2)
}

// readPcap reads the head of a pcap file (draft-ietf-opsawg-pcap section 4).
func (c *Reader) readPcap(order binary.ByteOrder, tick time.Duration) error {
	b, err := c.r.take(24, false)
	if err != nil {
		return err
	}
	if major, minor := order.Uint16(b[4:]), order.Uint16(b[6:]); major != 2 || minor != 4 {
		return fmt.Errorf("pcap version %d.%d: expected 2.4", major, minor)
	}
	// The upper bits of the link type's word are about a frame check sequence.
	link, err := checkLink(order.Uint32(b[20:]) & 0xffff)
	if err != nil {
		return err
	}
	c.next = func() (captured, error) { return c.r.pcapFrame(order, tick, link) }
	return nil
}

func (s *source) pcapFrame(order binary.ByteOrder, tick time.Duration, link LinkType) (captured, error) {
	start := s.at
	h, err := s.take(16, true)
	if err != nil {
		return captured{}, err
	}
	have, length := int64(order.Uint32(h[8:])), int64(order.Uint32(h[12:]))
	if err := checkLengths(have, length); err != nil {
		return captured{}, fmt.Errorf("at byte %d: %w", start, err)
	}
	b, err := s.take(int(have), false)
	if err != nil {
		return captured{}, err
	}
	at := time.Unix(int64(order.Uint32(h)), int64(order.Uint32(h[4:]))*int64(tick)).UTC()
	return captured{Frame{Link: link, Bytes: b, Len: int(length)}, at}, nil
}
