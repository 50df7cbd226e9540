// Package ifeval judges answers by the instructions of IFEval (Zhou et al., Instruction-Following Evaluation for
// Large Language Models, arXiv:2311.07911): kinds of instruction that a program can check, such as a number of words
// or a word that must not occur.
//
// The verdicts are those of lm-eval's task ifeval (version 4.0, as in lm_eval 0.4.13 with nltk 3.10.4), its habits
// included: keywords are regular expressions and match inside of words, a blank answer follows nothing. Two things
// differ: for a letter that is not one of a to z the reference takes another by chance, and here it is counted like
// any other; and the language of an answer, on which three kinds depend, is not always what langdetect 1.0.9 says,
// which on short texts is a matter of chance (docs/evaluation.md counts the differences).
package ifeval

import (
	"strings"

	"instruct/data/checks"
)

// Test is a prompt and what its answer has to follow.
type Test struct {
	Key          int
	Prompt       string
	Instructions []Instruction
}

// Instruction is one thing to follow.
type Instruction struct {
	ID    string // such as "length_constraints:number_words"
	check check
}

// check judges an answer that is not blank.
type check func(answer string) checks.Verdict

// Verdict says whether an answer follows all instructions of its test.
type Verdict struct {
	Strict, Loose bool
	Instructions  []Outcome // in the order of the test's
}

// Outcome is the verdict on one instruction.
type Outcome struct {
	ID     string
	Strict bool   // the answer follows it as it stands
	Loose  bool   // it does so without its first or last line, or without asterisks
	Reason string // why not, in words; empty if Strict
}

// Judge judges an answer. It may be called from several goroutines.
func (t *Test) Judge(answer string) Verdict {
	v := Verdict{Strict: true, Loose: true}
	variants := looseVariants(answer)
	for _, in := range t.Instructions {
		o := in.judge(answer, variants)
		v.Strict = v.Strict && o.Strict
		v.Loose = v.Loose && o.Loose
		v.Instructions = append(v.Instructions, o)
	}
	return v
}

func (in *Instruction) judge(answer string, variants []string) Outcome {
	o := Outcome{ID: in.ID}
	if blank(answer) {
		o.Reason = "the answer is blank"
	} else {
		strict := in.check(answer)
		if strict.Pass {
			o.Strict, o.Loose = true, true
			return o
		}
		o.Reason = strict.Reason
	}
	for _, variant := range variants {
		if !blank(variant) && in.check(variant).Pass {
			o.Loose = true
			return o
		}
	}
	return o
}

// looseVariants gives what else may follow an instruction when judged loosely: the answer without its first line, its
// last line, or both, for those are often "Sure, here is" and the like, and all four without the asterisks of markdown.
func looseVariants(answer string) []string {
	lines := strings.Split(answer, "\n")
	all := []string{
		strip(strings.Join(lines[1:], "\n")),
		strip(strings.Join(lines[:len(lines)-1], "\n")),
		"",
	}
	if len(lines) > 1 {
		all[2] = strip(strings.Join(lines[1:len(lines)-1], "\n"))
	}
	for _, text := range append([]string{answer}, all...) {
		plain := strings.ReplaceAll(text, "*", "")
		if plain != text {
			all = append(all, plain)
		}
	}
	return all
}

// Tally counts verdicts.
type Tally struct {
	Prompts, PromptsStrict, PromptsLoose                int
	Instructions, InstructionsStrict, InstructionsLoose int
}

// Add counts a verdict.
func (t *Tally) Add(v Verdict) {
	one := map[bool]int{true: 1}
	t.Prompts++
	t.PromptsStrict += one[v.Strict]
	t.PromptsLoose += one[v.Loose]
	for _, o := range v.Instructions {
		t.Instructions++
		t.InstructionsStrict += one[o.Strict]
		t.InstructionsLoose += one[o.Loose]
	}
}
