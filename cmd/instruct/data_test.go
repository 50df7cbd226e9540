package main

import (
	"os"
	"strings"
	"testing"
)

// inspect is the command that most of these tests run.
const inspect = "data inspect --model model --dataset rows.jsonl "

// The audit's hash is that of the run that trains on the rows.
func TestAuditHashIsThatOfTheRun(t *testing.T) {
	workdir(t)
	ok(t, "", tune+"--dataset rows.jsonl --max_steps 1 --max_length 128 --eval_fraction 0")
	audit := decode[struct{ Hash string }](t, ok(t, "", inspect+"--max_length 128 --json"))
	if m := runJSON(t, "out"); m.Data != audit.Hash || len(audit.Hash) != 64 {
		t.Errorf("run.json has %s, the audit %s", m.Data, audit.Hash)
	}
	// Another mask is another hash, of the same ids.
	all := decode[struct{ Hash string }](t, ok(t, "", inspect+"--max_length 128 --json --train_on_inputs"))
	if all.Hash == audit.Hash {
		t.Error("the hash does not see the mask")
	}
}

func TestInspectPage(t *testing.T) {
	workdir(t)
	out := ok(t, "", inspect+"--html page.html --show 0")
	page := read(t, "page.html")
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		fields := strings.Fields(line)
		has(t, page, fields[len(fields)-1]) // the figures of the table
	}
	has(t, page, "<!DOCTYPE html>", `class="t on special"`, "rows.jsonl:1")
	// The page of rows of which none can be trained is written before the error.
	write(t, "long.jsonl", `{"instruction":"`+strings.Repeat("x", 200)+`","output":"b"}`+"\n")
	mistaken(t, call(t, "", "data inspect --model model --dataset long.jsonl --html long.html"), "long.jsonl:1")
	has(t, read(t, "long.html"), "longer than max_length")
	mistaken(t, call(t, "", inspect+"--html no/such/folder/page.html"), "no/such/folder")
}

// Inspecting reads no weights, and takes a template of the model by its name.
func TestInspectNeedsNoWeights(t *testing.T) {
	workdir(t)
	if err := os.Remove("model/model.safetensors"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("model/additional_chat_templates", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "model/additional_chat_templates/loud.jinja",
		"{% for m in messages %}{{ m.content | upper }}{{ eos_token }}{% endfor %}")
	has(t, ok(t, "", inspect+"--show 1 --chat_template loud"), "SAY 0<|end|>⟦IT IS 0<|end|>⟧")
	mistaken(t, call(t, "", inspect+"--chat_template quiet"),
		"quiet", "chatml, llama3, zephyr, mistral, gemma, alpaca, phi3, lessons")
}

// A model that is trained with a built-in template is saved with it and stops with its end of turn.
func TestBuiltinTemplateIsSaved(t *testing.T) {
	workdir(t)
	for _, name := range []string{"zephyr", "mistral"} {
		ok(t, "", tune+"--dataset rows.jsonl --max_steps 1 --chat_template "+name+" --overwrite_output_dir")
		got := ok(t, "", "data inspect --dataset rows.jsonl --show 20 --model out")
		if want := ok(t, "", inspect+"--show 20 --chat_template "+name); got != want {
			t.Errorf("%s: the saved folder shows\n%s\nwant\n%s", name, got, want)
		}
		has(t, read(t, "out/chat_template.jinja"), "{%- generation -%}")
	}
}
