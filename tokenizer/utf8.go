package tokenizer

import "unicode/utf8"

// replacement is U+FFFD in UTF-8.
const replacement = "\uFFFD"

// badPrefix gives, for b that does not start with a whole UTF-8 sequence, the length of its maximal subpart: the bytes
// that one U+FFFD replaces (Unicode 15, section 3.9, as in the WHATWG encoding standard). whole is false when all of b
// is the beginning of a sequence that more bytes could complete.
func badPrefix[T string | []byte](b T) (n int, whole bool) {
	c := b[0]
	var need int
	lo, hi := byte(0x80), byte(0xBF)
	switch {
	case c >= 0xC2 && c <= 0xDF:
		need = 1
	case c >= 0xE0 && c <= 0xEF:
		need = 2
		if c == 0xE0 {
			lo = 0xA0
		} else if c == 0xED {
			hi = 0x9F
		}
	case c >= 0xF0 && c <= 0xF4:
		need = 3
		if c == 0xF0 {
			lo = 0x90
		} else if c == 0xF4 {
			hi = 0x8F
		}
	default:
		return 1, true
	}
	for n = 1; n <= need; n++ {
		if n == len(b) {
			return n, false
		}
		if b[n] < lo || b[n] > hi {
			return n, true
		}
		lo, hi = 0x80, 0xBF
	}
	return n, true
}

// appendLossy appends b to dst with one U+FFFD for every maximal subpart that is not UTF-8. Unless final, an incomplete
// sequence at the end of b is left out and returned.
func appendLossy(dst, b []byte, final bool) (out, rest []byte) {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r != utf8.RuneError || n > 1 {
			i := n
			for i < len(b) {
				if b[i] < utf8.RuneSelf {
					i++
					continue
				}
				r, n = utf8.DecodeRune(b[i:])
				if r == utf8.RuneError && n <= 1 {
					break
				}
				i += n
			}
			dst = append(dst, b[:i]...)
			b = b[i:]
			continue
		}
		n, whole := badPrefix(b)
		if !whole && !final {
			return dst, b
		}
		dst = append(dst, replacement...)
		b = b[n:]
	}
	return dst, nil
}
