package recipe

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/recipes.md anew")

// TestDocs wants docs/recipes.md to be what the tables say; -update writes it.
func TestDocs(t *testing.T) {
	const path = "../../docs/recipes.md"
	head, err := os.ReadFile("testdata/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	want := string(head) + keysTable()
	for _, p := range programs {
		want += "\n## Keys of " + p.title + "\n\n| key | here |\n|---|---|\n"
		keys := theirs(t, p.file)
		slices.SortFunc(keys, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
		for _, key := range keys {
			want += fmt.Sprintf("| `%s` | %s |\n", key[0], here(key[0], key[1]))
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s is old (%v): go test ./train/recipe -run Docs -update", path, err)
	}
}

func keysTable() string {
	text := "\n## Keys\n\n| key | default | what it is |\n|---|---|---|\n"
	for _, k := range Keys() {
		text += fmt.Sprintf("| `%s` | %s | %s |\n", k.Name, code(k.Default), strings.ReplaceAll(k.Help, "|", `\|`))
	}
	return text
}

// here says what becomes of a key of another program, whose default there is theirs.
func here(name, theirs string) string {
	rule, _ := ruleFor(name)
	var text string
	switch {
	case rule.to == name:
		text = "the same"
		for _, k := range Keys() {
			if word, ok := rule.word(theirs); ok {
				theirs = word
			}
			if k.Name == name && theirs != "" && theirs != "None" && !sameValue(theirs, k.Default) {
				text += fmt.Sprintf("; the default there is %s, here %s", code(theirs), code(k.Default))
			}
		}
	case rule.to != "":
		text = "read as " + code(rule.to)
	case rule.refused:
		text = "refused: " + rule.say
	default:
		text = "not used: " + rule.say
	}
	var words []string
	for word, means := range rule.words {
		switch {
		case word == "*" && means == "":
			words = append(words, "any other: nothing")
		case word == "*":
			words = append(words, "any other: "+code(means))
		case means == "" && rule.to == "":
			words = append(words, code(word)+" is taken")
		case means == "":
			words = append(words, code(word)+": nothing")
		case word != means:
			words = append(words, code(word)+" is "+code(means))
		}
	}
	slices.Sort(words)
	if len(words) > 0 {
		text += " (" + strings.Join(words, ", ") + ")"
	}
	return strings.ReplaceAll(text, "|", `\|`)
}

// sameValue compares defaults, whatever the way numbers and truth values are written.
func sameValue(a, b string) bool {
	var x, y float64
	_, errX := fmt.Sscan(a, &x)
	_, errY := fmt.Sscan(b, &y)
	return strings.EqualFold(a, b) || errX == nil && errY == nil && x == y
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}
