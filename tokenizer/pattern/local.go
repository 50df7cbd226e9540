package pattern

import "slices"

// localParts are alternatives of splitting patterns whose matches have no space after visible ASCII and depend on
// nothing before them, and on nothing after a space that follows visible ASCII.
func localParts() []string {
	return []string{
		`(?i:'s|'t|'re|'ve|'m|'ll|'d)`, `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll`, `'d`,
		`'(?i:[sdmt]|ll|ve|re)`, `'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])`,
		`[^\r\n\p{L}\p{N}]?+\p{L}+`, `[^\r\n\p{L}\p{N}]?+\p{L}++`, `[^\r\n\p{L}\p{N}]?\p{L}+`,
		`[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+`,
		`[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+`, `[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_` + "`" + `{|}~][A-Za-z]+`,
		leadRegex + upperRegex + `*` + lowerRegex + `+`, leadRegex + upperRegex + `+` + lowerRegex + `*`,
		leadRegex + upperRegex + `*` + lowerRegex + `+` + foldRegex + `?`,
		leadRegex + upperRegex + `+` + lowerRegex + `*` + foldRegex + `?`,
		`\p{N}`, `\p{N}{1}`, `\p{N}{1,3}`, `\p{N}{1,3}+`, `\p{N}+`, ` ?\p{N}+`, `[\p{N}]`,
		` ?[^\s\p{L}\p{N}]+`, ` ?[^\s\p{L}\p{N}]+[\r\n]*`, ` ?[^\s\p{L}\p{N}]+[\r\n/]*`, ` ?[^\s\p{L}\p{N}]++[\r\n]*`,
		` ?[^\s\p{L}\p{N}]++[\r\n]*+`, ` ?[^\s\p{L}\p{N}\r\n]+`, ` ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*`, ` ?[\p{P}\p{S}]+[\r\n]*`,
		`[^\s\p{L}\p{N}]+`,
		`\s*[\r\n]+`, `\s*[\r\n]`, `\s+(?!\S)`, `\s++$`, `\s+$`, `[\r\n]`, `\s?\p{P}+`, `[0-9][0-9][0-9]`,
		`[一-龥ࠀ-一가-퟿]+`, `[一-龥぀-ゟ゠-ヿ]+`, `[\p{Han}]+`,
	}
}

// Local says whether a splitting pattern has only local parts, and whether it always divides what it splits before a
// space that follows visible ASCII, or at least before one that follows an ASCII letter.
func Local(src string) (ok, divides, letters bool) {
	local := localParts()
	for _, part := range alternativesOf(src) {
		switch part {
		case `\s+`, `\s`: // whatever else, a match begins with the space
			divides = true
		case ` ?\p{L}+`, `\s?\p{L}+`, `[\p{L}]+`,
			` ?[^(\s|[.,!?…。，、।۔،])]+`, ` ?[^(\s|.,!?…。，、।۔،)]+`: // a match ends with the letter
			letters = true
		default:
			if !slices.Contains(local, part) {
				return false, false, false
			}
		}
	}
	return true, divides, letters
}

// alternativesOf cuts a regular expression at each | that is in no group and no class.
func alternativesOf(src string) (parts []string) {
	depth, class, start := 0, 0, 0
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case c == '\\':
			i++
		case c == '[':
			class++
		case c == ']' && class > 0:
			class--
		case class > 0:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			parts, start = append(parts, src[start:i]), i+1
		}
	}
	return append(parts, src[start:])
}
