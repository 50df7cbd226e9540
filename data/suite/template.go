package suite

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"instruct/data/internal/strictyaml"
)

// Var is a variable of a test.
type Var struct{ Name, Value string }

// placeholder is a variable in a text.
var placeholder = regexp.MustCompile(`^\{\{[ \t\n]*([A-Za-z_$][A-Za-z0-9_$]*)[ \t\n]*\}\}`)

// reserved are the words that mean something else to Nunjucks.
func reserved() []string {
	return []string{"and", "else", "false", "if", "in", "is", "none", "not", "null", "or", "true"}
}

// render puts the values of variables where {{name}} stands. Everything else that Nunjucks would act on is an error.
func render(text string, vars []Var) (string, error) {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '{')
		for i >= 0 && (i+1 == len(text) || !strings.ContainsRune("{%#", rune(text[i+1]))) {
			next := strings.IndexByte(text[i+1:], '{')
			if next < 0 {
				i = -1
				break
			}
			i += 1 + next
		}
		if i < 0 {
			b.WriteString(text)
			return b.String(), nil
		}
		b.WriteString(text[:i])
		text = text[i:]
		m := placeholder.FindStringSubmatch(text)
		if m == nil || slices.Contains(reserved(), m[1]) {
			return "", fmt.Errorf("%q: only plain variables such as {{name}} may stand in braces",
				strictyaml.Shortened(text))
		}
		value, err := lookup(m[1], vars)
		if err != nil {
			return "", err
		}
		b.WriteString(value)
		text = text[len(m[0]):]
	}
}

func lookup(name string, vars []Var) (string, error) {
	names := make([]string, len(vars))
	for i, v := range vars {
		if v.Name == name {
			return v.Value, nil
		}
		names[i] = v.Name
	}
	if len(vars) == 0 {
		return "", fmt.Errorf("{{%s}} has no value: the test has no vars", name)
	}
	return "", fmt.Errorf("{{%s}} has no value; the test's vars: %s", name, strings.Join(names, ", "))
}

// varText is the text that a plain value has in a template, as JavaScript writes it.
func varText(n *strictyaml.Node) (string, bool) {
	switch n.Kind {
	case strictyaml.Text:
		return strings.TrimSuffix(n.Text, "\n"), true
	case strictyaml.Number:
		return numberText(n.Number), true
	case strictyaml.Truth:
		return strconv.FormatBool(n.Truth), true
	}
	return "", false
}

// numberText is a number as JavaScript writes it.
func numberText(x float64) string {
	out, err := json.Marshal(math.Abs(x)) // JSON's text is JavaScript's but for -0; all numbers of a suite are finite.
	if err != nil || x >= 0 {
		return string(out)
	}
	return "-" + string(out)
}
