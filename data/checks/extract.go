package checks

import "strings"

// maxObject is how far promptfoo looks for the end of an object, in characters.
const maxObject = 100_000

// jsonObjects are the objects in a text, as promptfoo finds them for contains-json: from each { to the } that balances
// it, braces in strings counted too, or to the end of the text, with the } that are missing. What stands there need
// not be JSON: a flow mapping of YAML does, of which JSON is a part, with // as a comment.
func jsonObjects(answer string) []any {
	text := []rune(answer)
	var found []any
	for i := 0; i < len(text); i++ {
		if text[i] != '{' {
			continue
		}
		end, missing := objectEnd(text, i)
		if end == i+1 {
			break // A brace that ends the text opens nothing.
		}
		source := string(text[i:end]) + strings.Repeat("}", missing)
		if v, err := readFlow(hashComments(source)); err == nil {
			found = append(found, v)
			i = end - 1
		}
	}
	return found
}

// objectEnd is where the braces that open at start are balanced, or where the search ends, with the number of those
// that are open there.
func objectEnd(text []rune, start int) (end, missing int) {
	last := min(start+maxObject, len(text))
	for end = start; end < last; {
		switch text[end] {
		case '{':
			missing++
		case '}':
			missing--
		}
		end++
		if missing == 0 {
			break
		}
	}
	return end, missing
}

// hashComments makes YAML's comments of those that begin with //. Strings in quotes stay, and addresses such as
// http://.
func hashComments(text string) string {
	if !strings.Contains(text, "//") {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.Contains(line, "//") {
			lines[i] = hashComment([]rune(line))
		}
	}
	return strings.Join(lines, "\n")
}

// hashComment does so in one line. Quotes end with their line; a single quote beside a letter is an apostrophe.
func hashComment(line []rune) string {
	at := func(i int) rune {
		if i < 0 || i >= len(line) {
			return 0
		}
		return line[i]
	}
	quote := rune(0)
	for i, c := range line {
		switch {
		case quote == 0 && (c == '"' || c == '\'' && !isLetter(at(i-1))):
			quote = c
		case quote == 0 && c == '/' && at(i+1) == '/' && !inAddress(line[:i+2]):
			slashes := 2
			for at(i+slashes) == '/' {
				slashes++
			}
			return string(line[:i]) + strings.Repeat("#", slashes/2) + string(line[i+slashes:])
		case quote != 0 && c == quote && !escaped(line[:i]) && (c == '"' || !isLetter(at(i+1))):
			quote = 0
		}
	}
	return string(line)
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// inAddress says whether the word that a line ends with holds ://.
func inAddress(line []rune) bool {
	text := string(line)
	return strings.Contains(text[strings.LastIndexFunc(text, isSpace)+1:], "://")
}

// escaped says whether an odd number of backslashes ends a text.
func escaped(text []rune) bool {
	n := 0
	for n < len(text) && text[len(text)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}
