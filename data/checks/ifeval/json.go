package ifeval

import "strings"

// What json.loads of Python accepts: JSON, and NaN and the infinities too.
const (
	// maxDepth is about where the reference runs out of its stack.
	maxDepth = 990
	// maxDigits is the longest whole number that Python reads.
	maxDigits = 4300
)

// jsonText reports that json.loads reads the text, around which no white space may stand.
func jsonText(s string) bool {
	end, ok := jsonValue(s, 0)
	return ok && end == len(s)
}

// jsonValue moves from the beginning of s over one value.
func jsonValue(s string, depth int) (end int, ok bool) {
	if s == "" || depth > maxDepth {
		return 0, false
	}
	switch s[0] {
	case '{':
		return jsonItems(s, '}', depth)
	case '[':
		return jsonItems(s, ']', depth)
	case '"':
		return jsonString(s)
	}
	for _, word := range []string{"null", "true", "false", "NaN", "Infinity", "-Infinity"} {
		if strings.HasPrefix(s, word) {
			return len(word), true
		}
	}
	return jsonNumber(s)
}

// jsonItems moves over an array, or over an object, whose items have names.
func jsonItems(s string, closing byte, depth int) (end int, ok bool) {
	at := 1
	space := func() { at += len(s[at:]) - len(strings.TrimLeft(s[at:], " \t\n\r")) }
	for first := true; ; first = false {
		space()
		if first && at < len(s) && s[at] == closing {
			return at + 1, true
		}
		if closing == '}' {
			n, ok := jsonString(s[at:])
			if !ok {
				return 0, false
			}
			at += n
			space()
			if !strings.HasPrefix(s[at:], ":") {
				return 0, false
			}
			at++
			space()
		}
		n, ok := jsonValue(s[at:], depth+1)
		if !ok {
			return 0, false
		}
		at += n
		space()
		switch {
		case at == len(s):
			return 0, false
		case s[at] == closing:
			return at + 1, true
		case s[at] != ',':
			return 0, false
		}
		at++
	}
}

func jsonString(s string) (end int, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return 0, false
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1, true
		case c < ' ':
			return 0, false
		case c != '\\':
			continue
		}
		i++
		if i == len(s) || strings.IndexByte(`"\/bfnrtu`, s[i]) < 0 {
			return 0, false
		}
		if s[i] == 'u' {
			if i+4 >= len(s) || strings.Trim(s[i+1:i+5], "0123456789abcdefABCDEF") != "" {
				return 0, false
			}
			i += 4
		}
	}
	return 0, false
}

func jsonNumber(s string) (end int, ok bool) {
	digits := func(from int) int {
		for from < len(s) && s[from] >= '0' && s[from] <= '9' {
			from++
		}
		return from
	}
	start := 0
	if s[0] == '-' {
		start = 1
	}
	end = digits(start)
	if end == start {
		return 0, false
	}
	if s[start] == '0' {
		end = start + 1
	}
	whole := end - start
	isFloat := false
	if end < len(s) && s[end] == '.' {
		if after := digits(end + 1); after > end+1 {
			end = after
			isFloat = true
		}
	}
	if end < len(s) && (s[end] == 'e' || s[end] == 'E') {
		from := end + 1
		if from < len(s) && (s[from] == '+' || s[from] == '-') {
			from++
		}
		if after := digits(from); after > from {
			end = after
			isFloat = true
		}
	}
	return end, isFloat || whole <= maxDigits
}
