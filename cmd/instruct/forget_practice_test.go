package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"instruct/data"
	"instruct/train/coach"
)

// sameRounds holds the weights of all rounds of two behaviours against each other.
func sameRounds(t *testing.T, got, want string, rounds int) {
	t.Helper()
	for n := 1; n <= rounds; n++ {
		if a, b := roundWeights(t, got, n), roundWeights(t, want, n); a != b {
			t.Errorf("round %d of %s has the weights %s, and of %s %s", n, got, a, want, b)
		}
	}
}

// idOf is the id of the correction that a round was taught for a prompt.
func idOf(t *testing.T, behaviour, round, prompt string) string {
	t.Helper()
	all, err := data.ReadCorrections(behaviour + "/rounds/" + round + "/corrections.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Prompt[len(c.Prompt)-1].Content == prompt {
			return c.ID
		}
	}
	t.Fatalf("round %s of %s was not taught %q", round, behaviour, prompt)
	return ""
}

// TestForgetPractice: a round of practice behind what is forgotten practises anew, on the model that never had it, and
// is the round of a behaviour that never had it; what was sampled before is gone.
func TestForgetPractice(t *testing.T) {
	workdir(t)
	undecided(t)
	write(t, "small.json", `{"learning_rate": 0.01, "steps": 20, "tries": 2, "frozen": 0, "kept_rows": 0}`)
	var suite strings.Builder // that what is taught fails, and a sample now and then passes
	for _, q := range "abcdef" {
		fmt.Fprintf(&suite, "  - vars: {q: q%c}\n    assert: [{type: not-contains, value: so}]\n", q)
	}
	write(t, "w.yaml", "prompts: [\"{{q}}\"]\ntests:\n"+suite.String())
	for file, prompt := range map[string]string{"one": "qm", "two": "who is it", "three": "qn"} {
		ok(t, "", "correct --model undecided --bad - --good", "no so", "--out", file+".jsonl", "--prompt", prompt)
	}
	write(t, "both.jsonl", read(t, "one.jsonl")+read(t, "two.jsonl"))
	teach := func(b, corrections, more string) {
		t.Helper()
		ok(t, "", "round "+b+" --corrections "+corrections+".jsonl --recipe small.json --max_new_tokens 8 "+
			"--max_worse 100% --yes"+more)
	}
	practises := func(b string) {
		t.Helper()
		ok(t, "", "round "+b+" --self 12 --suite w.yaml --unseen g.yaml --temperature 2 --max_new_tokens 8 --recipe r.json "+
			"--max_worse 100% --yes")
	}
	for b, first := range map[string]string{"own": "both", "fresh": "one"} {
		teach(b, first, " --base undecided")
		practises(b)
		teach(b, "three", "")
	}
	before := read(t, "own/rounds/002/practised.jsonl")
	write(t, "id.txt", idOf(t, "own", "001", "who is it"))
	o := call(t, "", "forget own --rows id.txt --yes")
	if o.code != exitDone {
		t.Fatal(o.err)
	}
	has(t, o.err, "round 1 with 1 of its 2 corrections", "round 2, which practises anew", "round 3 with 1 of its 1")
	sameRounds(t, "own", "fresh", 3)
	got, want := read(t, "own/rounds/002/practised.jsonl"), read(t, "fresh/rounds/002/practised.jsonl")
	if got != want || got == before {
		t.Errorf("practised is\n%s", got)
	}
	has(t, ok(t, "", "audit verify own"), "own is as recorded")

	// A round that taught and practised keeps its practice, and one that has nothing to practise then is left out.
	const mixed = "round mixed --corrections two.jsonl --self 6 --suite s.yaml --max_new_tokens 8 --recipe r.json " +
		"--max_worse 100% --yes"
	ok(t, "", mixed+" --base undecided")
	ok(t, "", strings.NewReplacer("mixed", "alone", "--corrections two.jsonl ", "").Replace(mixed)+" --base undecided")
	write(t, "id.txt", idOf(t, "mixed", "001", "who is it"))
	has(t, ok(t, "", "forget mixed --rows id.txt --yes"), "round 1          made again")
	sameRounds(t, "mixed", "alone", 1)
}

// TestForgetPracticeLeftOut: the model that never had the correction passes the suite, so that there was no practice.
func TestForgetPracticeLeftOut(t *testing.T) {
	workdir(t)
	undecided(t)
	for file, prompt := range map[string]string{"one": "qa", "three": "qn"} {
		ok(t, "", "correct --model undecided --bad - --good so --out "+file+".jsonl", "--prompt", prompt)
	}
	ok(t, "", practise+" --base undecided") // all tests pass from here on
	write(t, "small.json", `{"learning_rate": 0.003, "steps": 12, "tries": 1, "frozen": 0, "kept_rows": 0}`)
	const teach = "round own --recipe small.json --max_new_tokens 8 --max_worse 100% --yes --corrections "
	ok(t, "", teach+"one.jsonl")
	ok(t, "", practise+" --temperature 2 --max_worse 100%")
	ok(t, "", teach+"three.jsonl")
	write(t, "id.txt", idOf(t, "own", "002", "qa"))
	o := call(t, "", "forget own --rows id.txt --yes")
	has(t, o.out, "round 2          left out", "round 3          left out", "round 4          made again",
		"round 2 of own is the current one")
	ok(t, "", strings.Replace(practise, "own", "fresh", 1)+" --base undecided")
	ok(t, "", strings.Replace(teach, "own", "fresh", 1)+"three.jsonl")
	sameRounds(t, "own", "fresh", 2)
	has(t, ok(t, "", "audit verify own"), "own is as recorded")
}

// TestForgetPolicy: examples of a policy are forgotten by their ids, as if the policy did not have them; a policy's
// example takes the place of a person's word that is forgotten.
func TestForgetPolicy(t *testing.T) {
	workdir(t)
	write(t, "r.json", quickly)
	write(t, "p.yaml", shop)
	write(t, "fewer.yaml", strings.Replace(shop, `, {prompt: rb, answer: "14"}`, "", 1))
	ok(t, "", "correct --model model --prompt ra --good 7d --bad no --rule days --max_new_tokens 8 --out c.jsonl")
	ok(t, "", "correct --model model --prompt zz --good so --bad no --max_new_tokens 8 --out d.jsonl")
	run := func(b, policy, more string) {
		t.Helper()
		ok(t, "", "round "+b+" --recipe r.json --max_new_tokens 8 --max_worse 100% --yes"+policy+more)
	}
	for b, of := range map[string][2]string{
		"shop":   {" --policy p.yaml --policy_prompt", " --corrections c.jsonl"},
		"fresh":  {" --policy fewer.yaml --policy_prompt", " --corrections c.jsonl"},
		"fresh2": {" --policy fewer.yaml --policy_prompt", ""},
	} {
		run(b, of[0], of[1]+" --base model")
		run(b, "", " --corrections d.jsonl")
	}
	taught := func(b string) (all []string) {
		list, err := data.ReadCorrections(b + "/rounds/001/corrections.jsonl")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			all = append(all, c.Prompt[len(c.Prompt)-1].Content+" -> "+c.Chosen[0].Content)
		}
		return all
	}
	id := idOf(t, "shop", "001", "rb")
	write(t, "id.txt", id)
	has(t, ok(t, "", "forget shop --rows id.txt --yes"), "round 1          made again", "round 2          made again")
	sameRounds(t, "shop", "fresh", 2)
	for _, path := range filesOf(t, "shop") {
		if strings.Contains(read(t, path), id) {
			t.Errorf("%s has the id of what was forgotten", path)
		}
	}
	answers, _, err := coach.ReadRound("shop", 1)
	if err != nil || !slices.Equal(answers.Policies, []string{"p.yaml"}) || len(answers.Withheld) != 1 {
		t.Errorf("%+v, %v", answers, err)
	}
	if got := read(t, "shop/rounds/001/answers.json"); strings.Contains(got, `"rb"`) {
		t.Error("the prompt of the forgotten example is still asked")
	}
	write(t, "id.txt", idOf(t, "shop", "001", "ra"))
	ok(t, "", "forget shop --rows id.txt --yes")
	sameRounds(t, "shop", "fresh2", 2)
	if got := taught("shop"); !slices.Equal(got, []string{"ra -> 14 d"}) {
		t.Errorf("taught is %q", got)
	}
	has(t, ok(t, "", "audit verify shop"), "shop is as recorded")

	// Then the example itself: nothing of the round is left.
	write(t, "id.txt", idOf(t, "shop", "001", "ra"))
	write(t, "fewest.yaml", strings.Replace(read(t, "fewer.yaml"), `{prompt: ra, answer: " 14 d"}, `, "", 1))
	run("fresh3", " --policy fewest.yaml --policy_prompt", " --base model")
	run("fresh3", "", " --corrections d.jsonl")
	has(t, ok(t, "", "forget shop --rows id.txt --yes"), "round 1          made again")
	sameRounds(t, "shop", "fresh3", 2)
	write(t, "id.txt", idOf(t, "shop", "001", "ra"))
	run("last", "", " --corrections d.jsonl --base model")
	has(t, ok(t, "", "forget shop --rows id.txt --yes"), "round 1          left out")
	sameRounds(t, "shop", "last", 1)
}
