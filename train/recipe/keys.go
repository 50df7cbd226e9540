package recipe

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"instruct/data"
)

// aliases maps names that other tools use to ours.
var aliases = map[string]string{
	"base_model":          "model_name_or_path",
	"batch_size":          "per_device_train_batch_size",
	"cutoff_len":          "max_length",
	"dataset_name":        "dataset",
	"datasets":            "dataset",
	"epochs":              "num_train_epochs",
	"evaluation_strategy": "eval_strategy",
	"gradient_clipping":   "max_grad_norm",
	"lr":                  "learning_rate",
	"lr_scheduler":        "lr_scheduler_type",
	"max_seq_length":      "max_length",
	"micro_batch_size":    "per_device_train_batch_size",
	"model":               "model_name_or_path",
	"model_max_length":    "max_length",
	"num_epochs":          "num_train_epochs",
	"optimizer":           "optim",
	"output":              "output_dir",
	"resume":              "resume_from_checkpoint",
	"sample_packing":      "packing",
	"sequence_len":        "max_length",
	"val_set_size":        "eval_fraction",
}

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
	reflect.Map:     {"map", "KEY=COLUMN, and a comma between them"},
}

func text(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Slice:
		return strings.Join(v.Interface().([]string), ",")
	case reflect.Map:
		var pairs []string
		for key, column := range v.Interface().(columns) {
			pairs = append(pairs, key+"="+column)
		}
		slices.Sort(pairs)
		return strings.Join(pairs, ",")
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(v.Interface())
}

// field finds a key's field; the name may be an alias and may have - for _.
func (r *Recipe) field(name string) (reflect.Value, string, bool) {
	name = strings.ReplaceAll(name, "-", "_")
	if a, ok := aliases[name]; ok {
		name = a
	}
	for f, v := range reflect.ValueOf(r).Elem().Fields() {
		if f.Tag.Get("key") == name {
			return v, name, true
		}
	}
	return reflect.Value{}, name, false
}

// Set sets one key from text; lists are separated by commas.
func (r *Recipe) Set(name, value string) error {
	f, name, ok := r.field(name)
	if !ok {
		return mistake("unknown recipe key %q; did you mean %q?", name, NearestKey(name))
	}
	return setField(f, name, []string{value})
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
		*to, err = strconv.Atoi(strings.ReplaceAll(s, "_", ""))
	case *float64:
		*to, err = strconv.ParseFloat(s, 64)
	case *columns:
		*to, err = parseColumns(s)
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
		f.SetString(s)
	}
	if err != nil {
		return mistake("%s is %q; expected %s", name, s, kinds[f.Kind()].expected)
	}
	return nil
}

// parseColumns reads KEY=COLUMN pairs with commas between them.
func parseColumns(text string) (columns, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	all := columns{}
	for pair := range strings.SplitSeq(text, ",") {
		key, column, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, strconv.ErrSyntax
		}
		all[strings.TrimSpace(key)] = strings.TrimSpace(column)
	}
	return all, nil
}

// NearestKey returns the key that other tools call name, or else the known key of least edit distance.
func NearestKey(name string) string {
	name = strings.ReplaceAll(name, "-", "_")
	if a, ok := aliases[name]; ok {
		return a
	}
	var known []string
	for _, k := range Keys() {
		known = append(known, k.Name)
	}
	return Nearest(name, known, math.MaxInt)
}

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
	for f, v := range reflect.ValueOf(*old).Fields() {
		key, before = f.Tag.Get("key"), text(v)
		now = text(reflect.ValueOf(*r).FieldByIndex(f.Index))
		if before != now && !slices.Contains(mayChange, key) {
			return key, now, before
		}
	}
	return "", "", ""
}
