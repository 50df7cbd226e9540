package recipe

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"instruct/data"
)

// Key describes one key of a recipe.
type Key struct {
	Name, Help string
	Default    string // as text
	Kind       string // string, list, map, int, float, bool
}

// Keys lists every key, in the order of the struct.
func Keys() []Key {
	var keys []Key
	for f, v := range reflect.ValueOf(Default()).Fields() {
		keys = append(keys, Key{f.Tag.Get("key"), f.Tag.Get("help"), text(v), kinds[v.Kind()].name})
	}
	return keys
}

// kinds names the kinds of fields, and what a message expects of them.
var kinds = map[reflect.Kind]struct{ name, expected string }{
	reflect.String:  {"string", "text"},
	reflect.Slice:   {"list", "a list"},
	reflect.Int:     {"int", "a whole number"},
	reflect.Float64: {"float", "a number"},
	reflect.Bool:    {"bool", "true or false"},
	reflect.Map:     {"map", "NAME=VALUE, and a comma between them"},
}

func text(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Slice:
		return strings.Join(v.Interface().([]string), ",")
	case reflect.Map:
		var all []string
		for name, value := range v.Interface().(pairs) {
			all = append(all, name+"="+value)
		}
		slices.Sort(all)
		return strings.Join(all, ",")
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(v.Interface())
}

// field finds a key's field; the name may have - for _.
func (r *Recipe) field(name string) (reflect.Value, string, bool) {
	name = plain(name)
	for f, v := range reflect.ValueOf(r).Elem().Fields() {
		if f.Tag.Get("key") == name {
			return v, name, true
		}
	}
	return reflect.Value{}, name, false
}

// Setting is a key with its value as text, as a flag gives them; lists are separated by commas.
type Setting struct{ Key, Value string }

// Set sets one key from text; lists are separated by commas.
func (r *Recipe) Set(name, value string) error {
	if !Knows(name) {
		return mistake("%s", unknown(name))
	}
	_, err := r.SetAll([]Setting{{name, value}})
	return err
}

// SetAll sets keys in order, and tells all that is wrong at once. It returns notes on names and values of other
// programs.
func (r *Recipe) SetAll(settings []Setting) (notes []string, err error) {
	g := reading{recipe: r}
	for _, s := range settings {
		g.take("--", s.Key, []string{s.Value}, true)
	}
	return g.done("the flags have")
}

// setField sets a key from text; a list takes several.
func setField(f reflect.Value, name string, values []string) error {
	if f.Kind() == reflect.Slice {
		list := []string{}
		for _, v := range values {
			for _, name := range data.SplitNames(v) {
				if name = strings.TrimSpace(name); name != "" {
					list = append(list, name)
				}
			}
		}
		f.Set(reflect.ValueOf(list))
		return nil
	}
	if len(values) != 1 {
		return mistake("%s takes one value, not a list", name)
	}
	s := values[0]
	var err error
	switch to := f.Addr().Interface().(type) {
	case *int:
		*to, err = whole(strings.ReplaceAll(s, "_", ""))
	case *float64:
		*to, err = strconv.ParseFloat(s, 64)
	case *pairs:
		*to, err = parsePairs(s)
	case *bool:
		switch strings.ToLower(s) {
		case "true", "yes", "on", "1":
			*to = true
		case "false", "no", "off", "0":
			*to = false
		default:
			err = strconv.ErrSyntax
		}
	default:
		if slices.Contains(pathKeys, name) {
			s = fromHome(s)
		}
		f.SetString(s)
	}
	if err != nil {
		return mistake("%s is %q; expected %s", name, s, kinds[f.Kind()].expected)
	}
	return nil
}

// parsePairs reads NAME=VALUE pairs with commas between them, or a JSON object of plain values.
func parsePairs(text string) (pairs, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	all := pairs{}
	if text[0] == '{' {
		var object map[string]jsonPlain
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			return nil, err
		}
		for name, value := range object {
			all[name] = string(value)
		}
		return all, nil
	}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, strconv.ErrSyntax
		}
		all[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return all, nil
}

// jsonPlain is a JSON text, number or truth value as text.
type jsonPlain string

func (p *jsonPlain) UnmarshalJSON(b []byte) error {
	var s string
	switch {
	case b[0] == '{' || b[0] == '[':
		return strconv.ErrSyntax
	case b[0] != '"':
		s = string(b)
	default:
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	*p = jsonPlain(s)
	return nil
}

// whole reads a whole number, which may be written as 2.0 or 1e3.
func whole(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err == nil {
		return n, nil
	}
	x, wrong := strconv.ParseFloat(s, 64)
	if wrong != nil || x != math.Trunc(x) || math.Abs(x) > 1<<53 {
		return 0, err
	}
	return int(x), nil
}

// pathKeys are the keys whose text is a path; those of data sets are names of package data.
var pathKeys = []string{"model_name_or_path", "model_config", "tokenizer_name", "chat_template", "output_dir",
	"resume_from_checkpoint"}

// fromHome puts the user's home folder in place of a leading ~, as a shell does.
func fromHome(path string) string {
	home, err := os.UserHomeDir()
	if !strings.HasPrefix(path, "~/") || err != nil {
		return path
	}
	return filepath.Join(home, path[1:])
}

// NearestKey returns the key that was probably meant by a name, or "": what other programs call name, or a name that is
// near.
func NearestKey(name string) string {
	name = plain(name)
	if rule, ok := ruleFor(name); ok {
		return rule.to
	}
	var known []string
	for _, k := range Keys() {
		known = append(known, k.Name)
	}
	for _, rule := range taken {
		known = append(known, strings.Fields(rule.names)...)
	}
	near := Nearest(name, known, Reach(name))
	if rule, ok := ruleFor(near); ok {
		return rule.to
	}
	return ""
}

// Reach is the edit distance from which on a name is another one and not a slip: for [Nearest].
func Reach(name string) int { return max(len(name)/3+1, min(3, (len(name)+1)/2)) }

// Nearest returns the first of the known names whose edit distance from name is the least and below limit, or "".
func Nearest(name string, known []string, limit int) string {
	best := ""
	for _, k := range known {
		if d := editDistance(name, k); d < limit {
			best = k
			limit = d
		}
	}
	return best
}

// editDistance is Levenshtein's, in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Changed gives the first key, not among those that may change, whose value is not that of an older recipe, and both
// values as text; key is "" when there is none.
func (r *Recipe) Changed(old *Recipe, mayChange []string) (key, now, before string) {
	for _, d := range r.Differences(old) {
		if !slices.Contains(mayChange, d.Key) {
			return d.Key, d.Now, d.Before
		}
	}
	return "", "", ""
}

// Values are the values of all keys, as text.
func (r *Recipe) Values() map[string]string {
	all := map[string]string{}
	for f, v := range reflect.ValueOf(*r).Fields() {
		all[f.Tag.Get("key")] = text(v)
	}
	return all
}

// Difference is a key that two recipes have other values of, as text.
type Difference struct{ Key, Now, Before string }

// Differences are the keys whose values are not those of an older recipe, in the order of the keys.
func (r *Recipe) Differences(old *Recipe) (all []Difference) {
	for f, v := range reflect.ValueOf(*old).Fields() {
		now, before := text(reflect.ValueOf(*r).FieldByIndex(f.Index)), text(v)
		if before != now && !sameJSON(before, now) {
			all = append(all, Difference{f.Tag.Get("key"), now, before})
		}
	}
	return all
}

// sameJSON tells whether two texts are JSON of the same value, such as a model_config of a recipe file and of a flag.
func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
