package tokenizer

import "unicode/utf8"

// alphabet is GPT-2's mapping of the 256 bytes to printable runes, in which the vocabulary of a byte-level model is
// written (openai/gpt-2, src/encoder.py, bytes_to_unicode).
type alphabet struct {
	runes [256]rune
	bytes [324]int16 // the byte of each rune, or -1
}

func newAlphabet() *alphabet {
	a := new(alphabet)
	for i := range a.bytes {
		a.bytes[i] = -1
	}
	next := rune(256)
	for b := range a.runes {
		r := rune(b)
		if !(r >= '!' && r <= '~' || r >= 0xA1 && r <= 0xAC || r >= 0xAE && r <= 0xFF) {
			r = next
			next++
		}
		a.runes[b] = r
		a.bytes[r] = int16(b)
	}
	return a
}

// decode appends the bytes that s is written for; ok is false when a rune of s is not of the alphabet.
func (a *alphabet) decode(dst []byte, s string) (out []byte, ok bool) {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if int(r) >= len(a.bytes) || a.bytes[r] < 0 {
			return dst, false
		}
		dst = append(dst, byte(a.bytes[r]))
		i += n
	}
	return dst, true
}
