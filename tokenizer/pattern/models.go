package pattern

import "strings"

// The regular expressions of CLIP's tokenizers, and the main one of DeepSeek's from V2 on.
const (
	CLIP          = `'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`
	CLIPEnds      = `<\|startoftext\|>|<\|endoftext\|>|` + CLIP
	deepseekRegex = `[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_` + "`" + `{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+` +
		`| ?[\p{P}\p{S}]+[\r\n]*` + spacesRegex
)

// findClip finds the matches of CLIP or, with ends, of CLIPEnds.
type findClip struct {
	scan Scanner
	ends bool
}

func (f findClip) Source() string {
	if f.ends {
		return CLIPEnds
	}
	return CLIP
}

func (f findClip) Find(s string, match func(a, b int)) {
	for i := 0; i < len(s); {
		bits, w := f.scan.Class(s, i)
		if bits&Space != 0 {
			i += w
			continue
		}
		j := i + w
		switch {
		case f.ends && s[i] == '<' && strings.HasPrefix(s[i:], "<|startoftext|>"):
			j = i + len("<|startoftext|>")
		case f.ends && s[i] == '<' && strings.HasPrefix(s[i:], "<|endoftext|>"):
			j = i + len("<|endoftext|>")
		case bits&Letter != 0:
			j = f.scan.Run(s, j, Letter)
		case bits&Number != 0:
		default:
			n := 0
			if s[i] == '\'' {
				n = f.scan.contract(s, i)
			}
			if n > 0 {
				j = i + n
			} else {
				j = f.scan.Until(s, j, Space|Letter|Number)
			}
		}
		match(i, j)
		i = j
	}
}

// findDeepseek finds the matches of deepseekRegex.
type findDeepseek struct {
	scan  Scanner
	signs *runeBits // [\p{P}\p{S}]
}

func newFindDeepseek(classes *Classes) findDeepseek {
	var signs runeSet
	signs.addProperty("P")
	signs.addProperty("S")
	scan := Scanner{Classes: classes, wordPattern: wordPattern{newlines: true}}
	return findDeepseek{scan, newRuneBits(signs.all())}
}

func (f findDeepseek) Source() string { return deepseekRegex }

func (f findDeepseek) Find(s string, match func(a, b int)) {
	for i := 0; i < len(s); {
		if j := f.next(s, i); j > i {
			match(i, j)
			i = j
			continue
		}
		_, w := f.scan.Class(s, i)
		i += w
	}
}

// next gives the end of the match that begins at byte i of s, or i.
func (f findDeepseek) next(s string, i int) int {
	const letters = Letter | Mark
	bits, w := f.scan.Class(s, i)
	if bits&letters != 0 {
		return f.scan.Run(s, i+w, letters)
	}
	sign, _ := f.signs.at(s, i)
	if sign && w == 1 { // one of ASCII's, and ASCII letters
		j := i + 1
		for j < len(s) && (s[j]|0x20 >= 'a' && s[j]|0x20 <= 'z') {
			j++
		}
		if j > i+1 {
			return j
		}
	}
	if !sign && s[i] != '\r' && s[i] != '\n' {
		if j := f.scan.Run(s, i+w, letters); j > i+w {
			return j
		}
	}
	j := i
	if s[i] == ' ' {
		j++
	}
	if end := f.signs.run(s, j); end > j {
		for end < len(s) && (s[end] == '\r' || s[end] == '\n') {
			end++
		}
		return end
	}
	if bits&Space != 0 {
		return f.scan.space(s, i, w)
	}
	return i
}
