package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"instruct/train/recipe"
)

// typed puts what was typed into the form that the flags want: a truth value may follow its flag after a space
// (--packing true), and a list of train after several (--dataset a.jsonl b.jsonl). Train also takes the flags of other
// programs, which are made here, with add. Several unknown flags are one mistake.
type typed struct {
	cmd     *cobra.Command
	add     func(name string) *pflag.Flag // nil: the command knows its flags only
	out     []string
	unknown []string
}

// arrange gives the arguments that cobra reads.
func arrange(root *cobra.Command, args []string) ([]string, error) {
	cmd, _, err := root.Find(args)
	if err != nil || cmd == root || strings.HasPrefix(cmd.Name(), "__complete") {
		return args, nil
	}
	cmd.InitDefaultHelpFlag()
	t := typed{cmd: cmd}
	if cmd.CommandPath() == "instruct train" {
		t.add = func(name string) *pflag.Flag { return addForeign(cmd, name) }
	}
	for len(args) > 0 && args[0] != "--" {
		args = args[t.one(args):]
	}
	if len(t.unknown) > 1 {
		return nil, mistake("unknown flags %s; `%s --help` lists the flags", strings.Join(t.unknown, ", "),
			cmd.CommandPath())
	}
	return append(t.out, args...), nil
}

// one arranges the first argument with those that are its values, and tells how many they are.
func (t *typed) one(args []string) int {
	name, isFlag := strings.CutPrefix(args[0], "--")
	name, _, hasValue := strings.Cut(name, "=")
	if !isFlag {
		t.out = append(t.out, args[0])
		return 1
	}
	f := t.flag(name)
	if f == nil && t.add != nil && recipe.Knows(name) {
		f = t.add(name)
	}
	if f == nil {
		t.unknown = append(t.unknown, "--"+name+nearHint(t.cmd, name))
		t.out = append(t.out, args[0])
		return 1
	}
	values := 0
	if !hasValue {
		values = t.values(f, args[1:])
	}
	written := args[0]
	if plain := strings.ReplaceAll(name, "-", "_"); f.Name != plain {
		written = "--" + f.Name + strings.TrimPrefix(args[0], "--"+name)
	}
	if values == 0 {
		t.out = append(t.out, written)
	}
	for _, v := range args[1 : 1+values] {
		t.out = append(t.out, written+"="+v)
	}
	return 1 + values
}

// oneName has the names that one thing has in the commands: where a command has no flag of the first name, the second
// is meant.
var oneName = map[string]string{
	"model_name_or_path":          "model",
	"per_device_train_batch_size": "batch",
	"max_length":                  "seq",
	"new_tokens":                  "max_new_tokens",
	"max_tokens":                  "max_new_tokens",
	"system_prompt":               "system",
	"out":                         "output_dir",
	"output_dir":                  "out",
}

// flag is the command's flag of a name, or of another name for the same thing.
func (t *typed) flag(name string) *pflag.Flag {
	if f := t.cmd.Flags().Lookup(name); f != nil || t.add != nil {
		return f
	}
	name = strings.ReplaceAll(name, "-", "_")
	if recipe.Knows(name) {
		name = recipe.NearestKey(name)
	}
	if f := t.cmd.Flags().Lookup(name); f != nil || name == "" {
		return f
	}
	return t.cmd.Flags().Lookup(oneName[name])
}

// values is how many of the arguments after a flag are its values.
func (t *typed) values(f *pflag.Flag, rest []string) int {
	var kind string
	if r, ok := f.Value.(*recipeFlag); ok {
		kind = r.key.Kind
	}
	switch {
	case len(rest) == 0:
		return 0
	case f.Value.Type() == "bool" || kind == "bool":
		if slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "1", "0"}, strings.ToLower(rest[0])) {
			return 1
		}
		return 0
	case f.NoOptDefVal == "" && kind != "list":
		return 1
	case f.NoOptDefVal != "" && !bare(rest[0]):
		return 0
	}
	n := 1
	for n < len(rest) && (kind == "list" || kind == "") && t.add != nil && f.Hidden == (kind == "") && bare(rest[n]) {
		n++
	}
	return n
}

// recipeName matches what may be a recipe, and negative numbers, which look like flags.
var recipeName, negative = regexp.MustCompile(`\.ya?ml$`), regexp.MustCompile(`^-[0-9.]`)

// bare tells whether an argument may be one of several values: it is no flag and no recipe.
func bare(arg string) bool {
	return (!strings.HasPrefix(arg, "-") || negative.MatchString(arg)) && !recipeName.MatchString(arg)
}

// addForeign makes a flag of another program's key or of another name of a key.
func addForeign(cmd *cobra.Command, name string) *pflag.Flag {
	settings := cmd.Flags().Lookup("seed").Value.(*recipeFlag).settings
	key := recipe.Key{Name: name, Kind: recipe.KindOf(name)}
	f := cmd.Flags().VarPF(&recipeFlag{key: key, settings: settings}, name, "", "")
	f.Hidden = true
	if key.Kind == "bool" || key.Kind == "" {
		f.NoOptDefVal = "true"
	}
	return f
}

// nearHint is the flag that was probably meant, for a message.
func nearHint(cmd *cobra.Command, name string) string {
	near := nearestFlag(cmd, name)
	if near == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean --%s?)", near)
}
