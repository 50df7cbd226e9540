package ifeval

import "github.com/dlclark/regexp2"

// search is re.search.
func (p *pattern) search(s string) bool {
	// The one error of the library is a time limit, and none is set.
	found, _ := p.MatchString(s)
	return found
}

// matches finds all matches. After one of no length Python looks for a longer one at the same place, where .NET goes on
// to the next character.
func (p *pattern) matches(runes []rune) []*regexp2.Match {
	var all []*regexp2.Match
	next := p.Regexp
	for at := 0; at <= len(runes); {
		m, _ := next.FindRunesMatchStartingAt(runes, at)
		if m == nil {
			break
		}
		all = append(all, m)
		at = m.Index + m.Length
		next = p.Regexp
		if m.Length == 0 {
			next = p.onward
		}
	}
	return all
}

// findAll is re.findall with the whole matches.
func (p *pattern) findAll(s string) []string {
	var all []string
	for _, m := range p.matches([]rune(s)) {
		all = append(all, m.String())
	}
	return all
}

// split is re.split; groups of the pattern stand between the parts.
func (p *pattern) split(s string) []string {
	runes := []rune(s)
	var parts []string
	start := 0
	for _, m := range p.matches(runes) {
		parts = append(parts, string(runes[start:m.Index]))
		for _, g := range m.Groups()[1:] {
			parts = append(parts, g.String())
		}
		start = m.Index + m.Length
	}
	return append(parts, string(runes[start:]))
}
