package checks

import (
	"errors"
	"math"
	"strings"
	"unicode"
)

// maxFlowDepth is how deep values may be nested.
const maxFlowDepth = 100

var errFlow = errors.New("no flow mapping of YAML")

// readFlow reads one flow mapping of YAML 1.2, by the rules of the reader that promptfoo uses, js-yaml: entries without
// a value have null, keys are text. Of tags it knows ! and !!str.
func readFlow(text string) (map[string]any, error) {
	f := &flow{src: []rune(text), anchors: map[string]anchored{}}
	v, ok, err := f.node()
	if err != nil {
		return nil, err
	}
	f.skip()
	object, isMapping := v.(map[string]any)
	if !ok || !isMapping || f.pos < len(f.src) {
		return nil, errFlow
	}
	return object, nil
}

// flow is a place in a text.
type flow struct {
	src     []rune
	pos     int
	depth   int
	anchors map[string]anchored
	values  int // how many there are, those behind aliases included
}

// anchored is a value with a name, and how many values it holds.
type anchored struct {
	value  any
	values int
}

// maxFlowValues bounds what aliases of aliases can grow to.
const maxFlowValues = 100_000

// at is the character n behind the place, 0 behind the end.
func (f *flow) at(n int) rune {
	if f.pos+n < 0 || f.pos+n >= len(f.src) {
		return 0
	}
	return f.src[f.pos+n]
}

func isBreak(r rune) bool     { return r == '\n' || r == '\r' }
func isBlank(r rune) bool     { return r == ' ' || r == '\t' }
func isIndicator(r rune) bool { return r == ',' || r == '[' || r == ']' || r == '{' || r == '}' }

// endsWord says whether a character, or the end, parts an indicator from what follows.
func endsWord(r rune) bool { return r == 0 || isBlank(r) || isBreak(r) }

// lineStart says whether a line begins here.
func (f *flow) lineStart() bool { return f.pos == 0 || isBreak(f.at(-1)) }

// separator says whether the end of a YAML document stands here.
func (f *flow) separator() bool {
	c := f.at(0)
	return f.lineStart() && (c == '-' || c == '.') && f.at(1) == c && f.at(2) == c && endsWord(f.at(3))
}

// skip goes over white space and comments. It says whether a line ended.
func (f *flow) skip() (newLine bool) {
	for f.pos < len(f.src) {
		c := f.at(0)
		switch {
		case isBlank(c) || isBreak(c):
			newLine = newLine || isBreak(c)
			f.pos++
		case c == '#' && (f.pos == 0 || endsWord(f.at(-1))):
			for f.pos < len(f.src) && !isBreak(f.at(0)) {
				f.pos++
			}
		default:
			return newLine
		}
	}
	return newLine
}

// node reads a value. It says whether there is one.
func (f *flow) node() (v any, ok bool, err error) {
	before := f.values
	f.values++
	f.depth++
	defer func() { f.depth-- }()
	if f.depth > maxFlowDepth || f.values > maxFlowValues {
		return nil, false, errFlow
	}
	if f.separator() {
		return nil, false, nil
	}
	props, err := f.properties()
	if err != nil {
		return nil, false, err
	}
	v, ok, err = f.content(props.text)
	if props.anchor != "" && err == nil {
		f.anchors[props.anchor] = anchored{v, f.values - before}
	}
	return v, ok || props != properties{}, err
}

// properties are what stands before a value: its anchor, and whether it is tagged as text.
type properties struct {
	anchor string
	text   bool
}

func (f *flow) properties() (p properties, err error) {
	tagged := false
	for {
		c := f.at(0)
		if c != '&' && c != '!' {
			if c == '*' && (tagged || p.anchor != "") {
				return p, errFlow
			}
			return p, nil
		}
		name := f.name()
		switch {
		case c == '&' && p.anchor == "" && name != "":
			p.anchor = name
		case c == '!' && !tagged && (name == "" || name == "!str"):
			tagged, p.text = true, true
		default:
			return p, errFlow
		}
		f.skip()
	}
}

// name reads the name behind &, * or !.
func (f *flow) name() string {
	f.pos++
	start := f.pos
	for f.pos < len(f.src) && !endsWord(f.at(0)) && !isIndicator(f.at(0)) {
		f.pos++
	}
	return string(f.src[start:f.pos])
}

// content reads a value behind its properties.
func (f *flow) content(asText bool) (v any, ok bool, err error) {
	switch f.at(0) {
	case '{', '[':
		if asText {
			return nil, false, errFlow
		}
		v, err = f.collection()
		return v, true, err
	case '\'', '"':
		v, err = f.quoted()
		return v, true, err
	case '*':
		a, known := f.anchors[f.name()]
		if !known {
			return nil, false, errFlow
		}
		f.values += a.values
		return a.value, true, nil
	}
	text, ok := f.plain()
	switch {
	case strings.ContainsFunc(text, notPrintable):
		return nil, false, errFlow
	case asText:
		return text, ok, nil
	case !ok:
		return nil, false, nil
	}
	return plainValue(text), true, nil
}

// notPrintable says whether a character cannot stand in YAML but in quotes.
func notPrintable(r rune) bool {
	switch r {
	case '\t', '\n', '\r', 0x85:
		return false
	case 0xfffe, 0xffff:
		return true
	}
	return unicode.IsControl(r)
}

// collection reads a mapping or a sequence.
func (f *flow) collection() (any, error) {
	mapping := f.at(0) == '{'
	end := ']'
	if mapping {
		end = '}'
	}
	f.pos++
	object, list := map[string]any{}, []any{}
	for comma := true; f.pos < len(f.src); {
		f.skip()
		if f.at(0) == end {
			f.pos++
			if mapping {
				return object, nil
			}
			return list, nil
		}
		if !comma || f.at(0) == ',' {
			return nil, errFlow
		}
		key, value, pair, err := f.entry(mapping)
		switch {
		case err != nil:
			return nil, err
		case mapping:
			err = addKey(object, key, value)
		case pair:
			single := map[string]any{}
			err = addKey(single, key, value)
			list = append(list, single)
		default:
			list = append(list, unmerged(key))
		}
		if err != nil {
			return nil, err
		}
		comma = f.at(0) == ','
		if comma {
			f.pos++
		}
	}
	return nil, errFlow
}

// entry reads a key with its value, or an item of a sequence as key.
func (f *flow) entry(mapping bool) (key, value any, pair bool, err error) {
	explicit := f.at(0) == '?' && endsWord(f.at(1)) && f.at(1) != 0
	if explicit {
		f.pos++
		f.skip()
	}
	key, ok, err := f.node()
	if err != nil {
		return nil, nil, false, err
	}
	start := f.pos
	f.skip()
	sameLine := !strings.ContainsFunc(string(f.src[start:f.pos]), isBreak)
	if f.at(0) != ':' || !mapping && !explicit && !sameLine {
		if !ok && !mapping && !explicit {
			return nil, nil, false, errFlow
		}
		return key, nil, explicit, nil
	}
	f.pos++
	f.skip()
	value, _, err = f.node()
	f.skip()
	return key, unmerged(value), true, err
}

// mergeKey is the key << without quotes.
type mergeKey struct{}

// unmerged is a value that is no key.
func unmerged(v any) any {
	if _, ok := v.(mergeKey); ok {
		return "<<"
	}
	return v
}

// addKey adds an entry; a later one of the same key replaces it.
func addKey(object map[string]any, key, value any) error {
	switch key := key.(type) {
	case mergeKey:
		more, ok := value.(map[string]any)
		if !ok {
			return errFlow
		}
		for k, v := range more {
			if _, has := object[k]; !has {
				object[k] = v
			}
		}
	case nil:
		object["null"] = value
	case float64:
		object[floatName(key)] = value
	case []any, map[string]any:
		return errFlow
	default:
		name, _ := scalar(key)
		object[name] = value
	}
	return nil
}

// floatName is a number as a key.
func floatName(x float64) string {
	switch {
	case math.IsInf(x, 1):
		return "Infinity"
	case math.IsInf(x, -1):
		return "-Infinity"
	}
	return numberText(x)
}

// plain reads text without quotes, its lines folded.
func (f *flow) plain() (text string, ok bool) {
	c, next := f.at(0), f.at(1)
	if endsWord(c) || isIndicator(c) || strings.ContainsRune("#&*!|>'\"%@`", c) {
		return "", false
	}
	if (c == '?' || c == '-') && (endsWord(next) || isIndicator(next)) {
		return "", false
	}
	start, end := f.pos, f.pos
	for f.pos < len(f.src) && !f.separator() {
		c, next := f.at(0), f.at(1)
		if c == ':' && (endsWord(next) || isIndicator(next)) || isIndicator(c) || c == '#' && endsWord(f.at(-1)) {
			break
		}
		f.pos++
		if !isBlank(c) && !isBreak(c) {
			end = f.pos
		}
	}
	return fold(string(f.src[start:end])), end > start
}
