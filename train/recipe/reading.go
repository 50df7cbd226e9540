package recipe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// reading is a recipe on its way from text: every key is tried, and all that is wrong is said at once.
type reading struct {
	recipe   *Recipe
	path     string            // of the recipe
	seen     map[string]string // where a key was given; nil: the last one counts, as of flags
	notes    []string
	unused   []unused
	mistakes []error
	listed   listed
	weak     []weak
	given    []string // keys here that were set
}

// weak sets a key unless another key does.
type weak struct {
	key string
	set func() error
}

// unused is keys that mean nothing here for one reason.
type unused struct {
	where, say string
	keys       []string
}

// take takes the value of a key, a list where there is more than one. split: the values of a list are separated by
// commas.
func (g *reading) take(where, given string, values []string, split bool) {
	if err := g.try(where, given, values, split); err != nil {
		g.mistakes = append(g.mistakes, err)
	}
}

func (g *reading) try(where, given string, values []string, split bool) error {
	name := plain(given)
	rule, ok := ruleFor(name)
	if !ok {
		return mistake("%s%s", where, unknown(given))
	}
	value := strings.Join(values, ",")
	if name == "finetuning_type" && value == "freeze" {
		rule = foreign{to: "unfreeze_layers", words: map[string]string{value: "2"}, weak: true,
			say: "the default of freeze_trainable_layers"}
	}
	if slices.Contains(listedKeys, name) && g.listed.where == "" {
		g.listed = listed{where: where, dir: "data"}
	}
	if name == "dataset_dir" {
		g.listed.dir = value
		return nil
	}
	if value == "None" || split && value == "null" {
		return nil // nothing is said
	}
	word, translated := rule.word(value)
	if translated && word == "" || rule.to == "" && asksNothing(value) {
		if rule.to != "" && rule.say != "" && !asksNothing(value) {
			g.note(where, "%s: %s asks for nothing; %s", given, value, rule.say)
		}
		return nil
	}
	if rule.to == "" {
		return g.without(where, given, value, rule)
	}
	to := rule.to
	if translated {
		values = []string{word}
	}
	if ratio, is := warmupShare(to, value); is {
		to, translated, rule.say = "warmup_ratio", true, "a share of the steps"
		values = []string{ratio}
	}
	word = strings.Join(values, ",")
	set := func() error {
		different := translated && (to != rule.to || !strings.EqualFold(value, word))
		g.renamed(where, given, value, to, word, different, rule.say)
		return g.set(where, to, values, split)
	}
	if rule.weak {
		g.weak = append(g.weak, weak{to, set})
		return nil
	}
	g.given = append(g.given, to)
	return set()
}

// without is a key without one here.
func (g *reading) without(where, given, value string, rule foreign) error {
	if rule.refused {
		return mistake("%s%s is %q, which is not there: %s", where, given, short(value), rule.say)
	}
	at := slices.IndexFunc(g.unused, func(u unused) bool { return u.say == rule.say })
	if at < 0 {
		at = len(g.unused)
		g.unused = append(g.unused, unused{where: where, say: rule.say})
	}
	if keys := &g.unused[at].keys; !slices.Contains(*keys, given) {
		*keys = append(*keys, given)
	}
	return nil
}

// renamed notes that a key, or a value where it is another one, is read as one of ours.
func (g *reading) renamed(where, given, value, to, word string, translated bool, say string) {
	switch {
	case translated && say != "":
		g.note(where, "%s: %s is read as %s: %s; %s", given, value, to, word, say)
	case translated:
		g.note(where, "%s: %s is read as %s: %s", given, value, to, word)
	case plain(given) != to && g.seen != nil: // as a flag another name is no news
		g.note(where, "%s is read as %s", given, to)
	}
}

// set sets a key, once.
func (g *reading) set(where, name string, values []string, split bool) error {
	if first, twice := g.seen[name]; twice {
		return mistake("%s%s was already given in %s", where, name, first)
	}
	if g.seen != nil {
		g.seen[name] = "line " + where[strings.LastIndex(strings.TrimSuffix(where, ": "), ":")+1:len(where)-2]
	}
	f, name, ok := g.recipe.field(name)
	if !ok {
		return fmt.Errorf("recipe: the rule of %s leads to no key", name)
	}
	if err := setField(f, name, values); err != nil {
		return mistake("%s%w", where, err)
	}
	return nil
}

func (g *reading) note(where, format string, args ...any) {
	g.notes = append(g.notes, where+fmt.Sprintf(format, args...))
}

// done gives the notes, and all mistakes as one.
func (g *reading) done(path string) ([]string, error) {
	for _, w := range g.weak {
		if slices.Contains(g.given, w.key) {
			continue
		}
		if err := w.set(); err != nil {
			g.mistakes = append(g.mistakes, err)
		}
	}
	for _, u := range g.unused {
		verb := "are"
		if len(u.keys) == 1 {
			verb = "is"
		}
		g.note(u.where, "%s %s not used: %s", strings.Join(u.keys, ", "), verb, u.say)
	}
	return g.notes, together(path, g.mistakes)
}

// together makes one mistake of several.
func together(title string, all []error) error {
	if len(all) < 2 {
		return first(all)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d mistakes", title, len(all))
	for _, err := range all {
		fmt.Fprintf(&b, "\n  %v", err)
	}
	return mistake("%s", b.String())
}

func first(all []error) error {
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// unknown says that there is no such key, and which one is near.
func unknown(given string) string {
	if near := NearestKey(given); near != "" {
		return fmt.Sprintf("unknown key %q; did you mean %q?", given, near)
	}
	return fmt.Sprintf("unknown key %q; `instruct train --help` lists the keys", given)
}

// warmupShare is a number of warm-up steps below 1, which transformers reads as a share of the steps.
func warmupShare(key, value string) (string, bool) {
	x, err := strconv.ParseFloat(value, 64)
	return value, key == "warmup_steps" && err == nil && x > 0 && x < 1
}

// short is a value for a message.
func short(value string) string {
	if r := []rune(value); len(r) > 40 {
		return string(r[:40]) + "..."
	}
	return value
}
