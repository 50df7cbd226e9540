package main

import (
	"strings"
	"testing"

	"instruct/train/coach"
)

// TestKeptSystemIsAskedInRounds: a model that was tuned with a system prompt is corrected and measured with it, as eval
// and chat ask it.
func TestKeptSystemIsAskedInRounds(t *testing.T) {
	workdir(t)
	write(t, "model/instruct.json", `{"system": "Be brief."}`)
	write(t, "small.json", small)
	write(t, "s.yaml", `prompts: ["{{q}}"]`+"\ntests:\n  - vars: {q: b}\n    assert: [{type: not-equals, value: yes}]\n")
	o := call(t, "", "correct --model model --prompt a --good yes --bad no --out c.jsonl")
	has(t, o.err, `asked with the system prompt of the training: "Be brief."`)
	if c := corrections(t, "c.jsonl"); len(c[0].Prompt) != 2 || c[0].Prompt[0].Content != "Be brief." {
		t.Errorf("the correction is of %+v", c[0].Prompt)
	}
	ok(t, "", "correct --model model --prompt a --good yes --bad no --out plain.jsonl --system", "")
	if c := corrections(t, "plain.jsonl"); len(c[0].Prompt) != 1 {
		t.Errorf("without a system prompt the correction is of %+v", c[0].Prompt)
	}
	o = call(t, "", strings.Replace(smallRound, "round shop", "round shop --base model --suite s.yaml --yes", 1)+
		" --max_worse 100%")
	has(t, o.err, `suites are asked with the system prompt of the training: "Be brief."`)
	asked := decode[coach.Answers](t, read(t, "shop/rounds/001/answers.json")).Suites[0].Tests[0].Prompt
	if len(asked) != 2 || asked[0].Role != "system" || asked[0].Content != "Be brief." {
		t.Errorf("the suite asked %+v", asked)
	}
	has(t, read(t, "shop/rounds/001/instruct.json"), "Be brief.")
}
