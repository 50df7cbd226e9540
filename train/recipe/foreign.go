package recipe

import (
	"slices"
	"strings"
	"sync"
)

// foreign says what becomes of keys of other programs: of transformers' TrainingArguments, TRL, axolotl, LLaMA-Factory
// and unsloth. Every rule is a line of [rules]; docs/recipes.md is made of them.
type foreign struct {
	names   string            // separated by spaces; one that ends in * stands for all that begin so
	to      string            // the key here that takes the value; "": there is none
	words   map[string]string // what values mean here, "": nothing; "*" stands for any other value
	weak    bool              // another key may say it otherwise
	refused bool              // without a key here: what is asked for is not there; else it means nothing here
	say     string            // why, and what to do
}

// index finds the rules of names.
type index struct {
	own   map[string]bool    // keys of a recipe
	whole map[string]foreign // by name
	stems []string           // of names that end in *, the longer ones first
	many  map[string]foreign // by stem
}

var indexed = sync.OnceValue(func() index {
	x := index{own: map[string]bool{}, whole: map[string]foreign{}, many: map[string]foreign{}}
	for _, k := range Keys() {
		x.own[k.Name] = true
		x.whole[k.Name] = foreign{to: k.Name}
	}
	for _, rule := range rules() {
		for _, n := range strings.Fields(rule.names) {
			if stem, many := strings.CutSuffix(n, "*"); many {
				x.stems = append(x.stems, stem)
				x.many[stem] = rule
			} else if !x.own[n] || rule.to == n {
				x.whole[n] = rule
			}
		}
	}
	slices.SortFunc(x.stems, func(a, b string) int { return len(b) - len(a) })
	return x
})

// ruleFor finds the rule of a name; a key of a recipe that has no rule takes its value as it is.
func ruleFor(name string) (foreign, bool) {
	x := indexed()
	if rule, ok := x.whole[name]; ok {
		return rule, true
	}
	for _, stem := range x.stems {
		if strings.HasPrefix(name, stem) {
			return x.many[stem], true
		}
	}
	return foreign{}, false
}

// Knows tells whether a name is a key of a recipe, or one of another program with a rule.
func Knows(name string) bool {
	_, ok := ruleFor(plain(name))
	return ok
}

// KindOf is the kind of a key's values, as of [Key.Kind], under any name; "": the key means nothing here.
func KindOf(name string) string {
	rule, _ := ruleFor(plain(name))
	if _, truth := rule.words["true"]; truth {
		return "bool"
	}
	for _, k := range Keys() {
		if k.Name == rule.to {
			return k.Kind
		}
	}
	return ""
}

// word is what a value means here, where the rule says so.
func (f foreign) word(value string) (word string, ok bool) {
	if word, ok = f.words[strings.ToLower(value)]; !ok {
		word, ok = f.words["*"]
	}
	return word, ok
}

// asksNothing tells whether a value switches off what another program's key stands for.
func asksNothing(value string) bool {
	return slices.Contains([]string{"", "false", "no", "none", "off", "0", "0.0", "null", "[]", "{}"},
		strings.ToLower(value))
}

// plain is a name with _ for -.
func plain(name string) string { return strings.ReplaceAll(name, "-", "_") }
