package tokenizer

import (
	"bytes"
	"strconv"
	"strings"
)

// replace puts new in the place of each match in a token.
func (d *decoder) replace(token string) string {
	if d.old != "" {
		if strings.Contains(token, d.old) {
			token = strings.ReplaceAll(token, d.old, d.new)
		}
		return token
	}
	if token == "" {
		return ""
	}
	var out strings.Builder
	last := 0
	d.find.Find(token, func(a, b int) {
		out.WriteString(token[last:a])
		out.WriteString(d.new)
		last = b
	})
	out.WriteString(token[last:])
	return out.String()
}

// wordPiece takes the prefix off a token that continues a word and puts a space before any other.
func (d *decoder) wordPiece(token string, first bool) string {
	if !first {
		rest, continues := strings.CutPrefix(token, d.old)
		token = rest
		if !continues {
			token = " " + token
		}
	}
	if d.cleanup && strings.IndexByte(token, ' ') >= 0 {
		for _, r := range [][2]string{
			{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"}, {" 'm", "'m"},
			{" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
		} {
			token = strings.ReplaceAll(token, r[0], r[1])
		}
	}
	return token
}

// byteToken reads a token like <0x61>.
func byteToken(s string) (byte, bool) {
	if len(s) != 6 || s[:3] != "<0x" || s[5] != '>' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[3:5], 16, 8)
	return byte(n), err == nil
}

// strip takes content off the ends of a whole token.
func (d *decoder) strip(token string) string {
	for range d.start {
		token = strings.TrimPrefix(token, d.old)
	}
	for range d.stop {
		token = strings.TrimSuffix(token, d.old)
	}
	return token
}

// stripPart takes content off the ends of a token that comes in parts: up to start times at the front, and what may be
// the end is held back.
func (s *Stream) stripPart(k int, part string) {
	d, st := &s.t.decoders[k], &s.states[k]
	for st.open && part != "" {
		if st.n == d.start || !strings.HasPrefix(part, d.old) {
			st.open = false
			break
		}
		part = part[len(d.old):]
		st.n++
	}
	if part == "" {
		return
	}
	if d.stop == 0 {
		s.step(k+1, part)
		return
	}
	st.held = append(st.held, part...)
	tail := len(st.held)
	for bytes.HasSuffix(st.held[:tail], []byte(d.old)) {
		tail -= len(d.old)
	}
	if tail > 0 {
		out := string(st.held[:tail])
		st.held = append(st.held[:0], st.held[tail:]...)
		s.step(k+1, out)
	}
}
