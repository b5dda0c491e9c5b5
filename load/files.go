package load

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

// file is one file, read.
type file struct {
	name            string // in the folder
	region, account string // that its path names, else ""
	shapes          *shapes
	keys            map[string]bool // that it has; false where the answer goes on elsewhere
	cut             bool            // an answer that does not tell what it is about goes on elsewhere
}

var (
	regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
)

// readFiles reads every JSON file of the file system that is not hidden, in the order of
// their names.
func readFiles(fsys fs.FS) ([]*file, []Skip, error) {
	var files []*file
	var skipped []Skip
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && name != "." && strings.HasPrefix(d.Name(), ".") { // hidden, such as what macOS and git keep beside
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if err != nil || d.IsDir() || !strings.EqualFold(path.Ext(name), ".json") {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		f := newFile(name)
		skips, err := f.read(data)
		if err != nil {
			return err
		}
		skipped = append(skipped, skips...)
		files = append(files, f)
		return nil
	})
	return files, skipped, err
}

// newFile is a file of that name, not yet read: its path may tell region and account.
func newFile(name string) *file {
	f := &file{name: name, shapes: &shapes{}, keys: map[string]bool{}}
	for _, part := range strings.Split(path.Dir(name), "/") {
		switch {
		case regionName.MatchString(part):
			f.region = part
		case accountID.MatchString(part):
			f.account = part
		}
	}
	return f
}

// utf8Of returns a text as UTF-8 without its byte order mark: PowerShell writes UTF-16.
func utf8Of(data []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	}
	units := make([]uint16, 0, len(data)/2)
	for data = data[2:]; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	return []byte(string(utf16.Decode(units)))
}

// read reads a file's documents: most have one.
func (f *file) read(data []byte) ([]Skip, error) {
	data = utf8Of(data)
	dec := json.NewDecoder(bytes.NewReader(data))
	var skipped []Skip
	for known := false; ; {
		token, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF):
			if !known {
				skipped = append(skipped, Skip{File: f.name, Reason: "holds no description that is known"})
			}
			if f.cut {
				f.dropLoose()
				skipped = append(skipped, Skip{File: f.name, Reason: "the answer goes on elsewhere: it is left out, since its rest could not be told from none"})
			}
			return skipped, nil
		case err != nil:
			return nil, f.wrong(data, dec, err)
		case token != json.Delim('{'):
			return []Skip{{File: f.name, Reason: "is no JSON object"}}, nil
		}
		some, skips, err := f.document(data, dec)
		if err != nil {
			return nil, err
		}
		known = known || some
		skipped = append(skipped, skips...)
	}
}

// document reads one JSON object, behind its brace.
func (f *file) document(data []byte, dec *json.Decoder) (known bool, skipped []Skip, err error) {
	other := map[string]json.RawMessage{}
	var keys []string
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return known, skipped, f.wrong(data, dec, err)
		}
		key := token.(string)
		k := kinds[key]
		if k == nil {
			var raw json.RawMessage
			if err := dec.Decode(&raw); err != nil {
				return known, skipped, f.wrong(data, dec, err)
			}
			other[key] = raw
			continue
		}
		known, keys = true, append(keys, key)
		data, dec := data, dec
		if k.one {
			if data, dec, err = f.listed(data, dec); err != nil {
				return known, skipped, err
			}
		}
		if err := f.list(data, dec, key, k); err != nil {
			return known, skipped, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return known, skipped, f.wrong(data, dec, err)
	}
	for _, key := range keys {
		f.keys[key] = !goesOn(other["NextToken"]) && !goesOn(other["NextMarker"])
	}
	more, err := f.loose(other)
	if more {
		f.cut = goesOn(other["NextToken"])
	}
	return known || more, skipped, err
}

// listed reads an entry and returns the text of a list of it; a list it leaves as it is.
func (f *file) listed(data []byte, dec *json.Decoder) ([]byte, *json.Decoder, error) {
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return nil, nil, f.wrong(data, dec, err)
	}
	if raw[0] == '{' {
		raw = slices.Concat([]byte("["), raw, []byte("]"))
	}
	return raw, json.NewDecoder(bytes.NewReader(raw)), nil
}

// goesOn reports whether an answer's token says that there is more to ask for.
func goesOn(token json.RawMessage) bool {
	return len(token) > 0 && string(token) != "null" && string(token) != `""`
}

// list reads the list of a kind, one entry after another.
func (f *file) list(data []byte, dec *json.Decoder, key string, k *kind) error {
	token, err := dec.Token()
	switch {
	case err != nil:
		return f.wrong(data, dec, err)
	case token == nil:
		return nil
	case token != json.Delim('['):
		return &Error{File: f.name, Path: key, Msg: "expected a list"}
	}
	for i := 0; dec.More(); i++ {
		start := dec.InputOffset()
		if err := k.decode(f, dec, i); err != nil {
			var typ *json.UnmarshalTypeError
			if errors.As(err, &typ) {
				entry := skipComma(data[start:dec.InputOffset()])
				return &Error{File: f.name, Path: fmt.Sprintf("%s[%d]%s", key, i, pathAt(entry, typ.Offset-1)), Msg: fmt.Sprintf("expected %s, found %s", typ.Type, typ.Value)}
			}
			return f.wrong(data, dec, err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return f.wrong(data, dec, err)
	}
	return nil
}

// skipComma returns what comes behind the separator before an entry.
func skipComma(entry []byte) []byte { return bytes.TrimLeft(entry, ", \t\r\n") }

// wrong is the error of a file that is no JSON.
func (f *file) wrong(data []byte, dec *json.Decoder, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &Error{File: f.name, Path: strings.TrimPrefix(pathAt(data, int64(len(data))), "."), Msg: "expected more JSON, the file ends"}
	}
	return &Error{File: f.name, Path: strings.TrimPrefix(pathAt(data, dec.InputOffset()), "."), Msg: "expected JSON: " + err.Error()}
}

// pathAt returns the path of the value that holds the offset of a JSON text, such as
// .Routes[2].State.
func pathAt(data []byte, offset int64) string {
	type level struct {
		list  bool
		index int
		key   string
	}
	var at []level
	render := func() string {
		var b strings.Builder
		for _, l := range at {
			switch {
			case l.list:
				fmt.Fprintf(&b, "[%d]", l.index)
			case l.key != "":
				b.WriteString("." + l.key)
			}
		}
		return b.String()
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	wantKey := false
	done := func() { // a value has ended
		if len(at) > 0 {
			top := &at[len(at)-1]
			if wantKey = !top.list; top.list {
				top.index++
			}
		}
	}
	for {
		token, err := dec.Token()
		if err != nil {
			return render()
		}
		delim, isDelim := token.(json.Delim)
		switch {
		case isDelim && (delim == '{' || delim == '['):
			at = append(at, level{list: delim == '['})
			wantKey = delim == '{'
		case isDelim:
			at = at[:len(at)-1]
			if dec.InputOffset() >= offset {
				return render()
			}
			done()
		case wantKey && len(at) > 0:
			at[len(at)-1].key, wantKey = token.(string), false
		default:
			if dec.InputOffset() >= offset {
				return render()
			}
			done()
		}
	}
}

// idIn returns the first id with the prefix in a file's name, "" where there is none:
// some answers do not tell what they are about.
func (f *file) idIn(prefix string) string {
	base := strings.TrimSuffix(path.Base(f.name), path.Ext(f.name))
	at := strings.Index(base, prefix+"-")
	if at < 0 {
		return ""
	}
	rest := base[at+len(prefix)+1:]
	end := slices.IndexFunc([]byte(rest), func(c byte) bool { return (c < '0' || c > '9') && (c < 'a' || c > 'f') })
	if end < 0 {
		end = len(rest)
	}
	return base[at : at+len(prefix)+1+end]
}
