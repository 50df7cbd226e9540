package ifeval

import (
	"strings"

	"instruct/data/checks"
)

// A line begins with one asterisk or with a dash; blank lines before it belong to the match.
func numberOfBullets(s *settings) check {
	expected := s.number("num_bullets")
	asterisks := mustCompile(`^\s*\*[^\*].*$`, dialectRe, flags{multiline: true})
	dashes := mustCompile(`^\s*-.*$`, dialectRe, flags{multiline: true})
	return func(answer string) checks.Verdict {
		count := len(asterisks.findAll(answer)) + len(dashes.findAll(answer))
		return verdict(count == expected, "%d bullet points, expected %d", count, expected)
	}
}

func constrainedResponse(*settings) check {
	return func(answer string) checks.Verdict {
		for _, option := range []string{"My answer is yes.", "My answer is no.", "My answer is maybe."} {
			if strings.Contains(answer, option) {
				return verdict(true, "")
			}
		}
		return verdict(false, `none of "My answer is yes.", "My answer is no." and "My answer is maybe." occurs`)
	}
}

// Text in *one* or **two** asterisks; what stands in two counts twice if two more asterisks meet.
func numberOfHighlights(s *settings) check {
	least := s.number("num_highlights")
	single := mustCompile(`\*[^\n\*]*\*`, dialectRe, flags{})
	double := mustCompile(`\*\*[^\n\*]*\*\*`, dialectRe, flags{})
	return func(answer string) checks.Verdict {
		count := 0
		for _, found := range append(single.findAll(answer), double.findAll(answer)...) {
			if !blank(strings.Trim(found, "*")) {
				count++
			}
		}
		return limit{atLeast, least}.judge(count, "highlighted sections")
	}
}

func numberOfSections(s *settings) check {
	marker := strip(s.text("section_spliter"))
	least := s.number("num_sections")
	p := s.pattern("section_spliter", `\s?`+marker+`\s?\d+\s?`, flags{})
	return func(answer string) checks.Verdict {
		return limit{atLeast, least}.judge(len(p.split(answer))-1, "sections that begin with "+marker)
	}
}

// The text may stand between the ticks of markdown.
func jsonFormat(*settings) check {
	return func(answer string) checks.Verdict {
		text := strip(answer)
		for _, opening := range []string{"```json", "```Json", "```JSON", "```"} {
			text = strings.TrimPrefix(text, opening)
		}
		text = strip(strings.TrimSuffix(text, "```"))
		return verdict(jsonText(text), "the answer is not JSON")
	}
}

func title(*settings) check {
	titles := mustCompile(`<<[^\n]+>>`, dialectRe, flags{})
	return func(answer string) checks.Verdict {
		for _, t := range titles.findAll(answer) {
			if !blank(strings.TrimRight(strings.TrimLeft(t, "<"), ">")) {
				return verdict(true, "")
			}
		}
		return verdict(false, "no title in << and >>")
	}
}

func numberOfPlaceholders(s *settings) check {
	least := s.number("num_placeholders")
	p := mustCompile(`\[.*?\]`, dialectRe, flags{})
	return func(answer string) checks.Verdict {
		return limit{atLeast, least}.judge(len(p.findAll(answer)), "placeholders in square brackets")
	}
}

// The marker may stand anywhere. It is a regular expression, except for the two that the data set has.
func postscript(s *settings) check {
	marker := strip(s.text("postscript_marker"))
	source := lower(marker)
	switch marker {
	case "P.P.S":
		source = `p\.\s?p\.\s?s`
	case "P.S.":
		source = `p\.\s?s\.`
	}
	p := s.pattern("postscript_marker", `\s*`+source+`.*$`, flags{multiline: true})
	return func(answer string) checks.Verdict {
		return verdict(p.search(lower(answer)), "no postscript that begins with %s", marker)
	}
}
