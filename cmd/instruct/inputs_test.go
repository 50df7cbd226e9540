package main

import (
	"os"
	"strings"
	"testing"
)

// A business's table is trained and asked with its system prompt, unless that is switched off.
func TestTableOfABusiness(t *testing.T) {
	workdir(t)
	write(t, "say, all.csv", "sep=;\nCustomer;Agent;Policy;;\nWhere is it?;On its way.;No refunds.;;\n"+
		"Is it blue?;It is.;No refunds.;;\nIs it;;No refunds.;;\n")
	const columns = " --columns prompt=Customer,completion=Agent,system=Policy"
	converted := ok(t, "", "data convert --to messages --skip_bad_rows"+columns, "say, all.csv")
	has(t, converted, `{"role":"system","content":"No refunds."}`, `{"role":"assistant","content":"It is."}`)
	mistaken(t, call(t, "", "data convert --to messages"+columns, "say, all.csv"), "say, all.csv:5: the response is empty")
	mistaken(t, call(t, "", "data convert --to messages --columns promt=Customer", "say, all.csv"), `"promt"`)

	ok(t, "", tune+"--max_steps 1 --eval_fraction 0 --skip_bad_rows"+columns, "--dataset", "say, all.csv")
	has(t, read(t, "out/recipe.yaml"), "columns:\n    completion: Agent\n    prompt: Customer\n    system: Policy\n",
		"dataset:\n    - ../say, all.csv\n")
	has(t, read(t, "out/run.json"), `"say, all.csv"`)
	const ask = "generate --json --max_new_tokens 1 --prompt Hi --model "
	kept := call(t, "", ask+"out")
	has(t, kept.err, `note: asked with the system prompt of the training: "No refunds."`)
	if got, want := kept.out, ok(t, "", ask+"out --system", "No refunds."); got != want {
		t.Errorf("asked with %s, want %s", got, want)
	}
	off := call(t, "", ask+"out --system", "")
	if off.err != "" || off.out == kept.out {
		t.Errorf("--system \"\" gives %s%s", off.out, off.err)
	}
	has(t, call(t, "/quit\n", "chat --model out").err, `"No refunds."`)
	write(t, "suite.jsonl", `{"prompt":"Is it blue?","completion":"It is."}`)
	has(t, call(t, "", "eval --max_new_tokens 1 --kept none --suite suite.jsonl --model out").err, `"No refunds."`)
	if o := call(t, "", ask+"model"); o.err != "" {
		t.Errorf("a model without one: %s", o.err)
	}
}

// Names of files: where one stands for several, they are read, hashed and trained.
func TestNamesOfFiles(t *testing.T) {
	workdir(t)
	if err := os.Mkdir("d", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "d/b.jsonl", rows(2))
	write(t, "d/a.jsonl", rows(1))
	ok(t, "", tune+"--max_steps 1 --eval_fraction 0 --dataset d")
	has(t, read(t, "out/run.json"), `"d/a.jsonl"`, `"d/b.jsonl"`, `"rows": 3`)
	has(t, ok(t, rows(2), "data inspect --model model --show 0 --dataset -"), "rows            2")
	for _, name := range []string{"d/*.jsonl", "d/b.jsonl,d/a.jsonl"} {
		has(t, ok(t, "", "data inspect --model model --show 0 --dataset "+name), "rows            3")
	}
	o := call(t, rows(1)+strings.Repeat("null\n", 12), "data inspect --model model --show 0 --dataset -")
	if o.code != exitMistake || o.out != "" {
		t.Errorf("exit %d, %s", o.code, o.out)
	}
	has(t, o.err, "12 rows cannot be read", "-:11: expected an object", "and 2 more")
}
