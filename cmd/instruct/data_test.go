package main

import (
	"os"
	"strings"
	"testing"
)

// The audit's hash is that of the run that trains on the rows.
func TestAuditHashIsThatOfTheRun(t *testing.T) {
	workdir(t)
	ok(t, "", "train", "--model_name_or_path", "model", "--dataset", "rows.jsonl", "--output_dir", "out", "--max_steps", "1", "--max_length", "128", "--eval_fraction", "0")
	audit := decode[struct{ Hash string }](t, ok(t, "", "data", "inspect", "--model", "model", "--dataset", "rows.jsonl", "--max_length", "128", "--json"))
	if m := runJSON(t, "out"); m.Data != audit.Hash || len(audit.Hash) != 64 {
		t.Errorf("run.json has %s, the audit %s", m.Data, audit.Hash)
	}
	// Another mask is another hash, of the same ids.
	all := decode[struct{ Hash string }](t, ok(t, "", "data", "inspect", "--model", "model", "--dataset", "rows.jsonl", "--max_length", "128", "--json", "--train_on_inputs"))
	if all.Hash == audit.Hash {
		t.Error("the hash does not see the mask")
	}
}

func TestInspectPage(t *testing.T) {
	workdir(t)
	out := ok(t, "", "data", "inspect", "--model", "model", "--dataset", "rows.jsonl", "--html", "page.html", "--show", "0")
	page := read(t, "page.html")
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		fields := strings.Fields(line)
		has(t, page, fields[len(fields)-1]) // the figures of the table
	}
	has(t, page, "<!DOCTYPE html>", `class="t on special"`, "rows.jsonl:1")
	// The page of rows of which none can be trained is written before the error.
	write(t, "long.jsonl", `{"instruction":"`+strings.Repeat("x", 200)+`","output":"b"}`+"\n")
	mistaken(t, call(t, "", "data", "inspect", "--model", "model", "--dataset", "long.jsonl", "--html", "long.html"), "long.jsonl:1")
	has(t, read(t, "long.html"), "longer than max_length")
	mistaken(t, call(t, "", "data", "inspect", "--model", "model", "--dataset", "rows.jsonl", "--html", "no/such/folder/page.html"), "no/such/folder")
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
	write(t, "model/additional_chat_templates/loud.jinja", "{% for m in messages %}{{ m.content | upper }}{{ eos_token }}{% endfor %}")
	has(t, ok(t, "", "data", "inspect", "--model", "model", "--dataset", "rows.jsonl", "--show", "1", "--chat_template", "loud"), "SAY 0<|end|>⟦IT IS 0<|end|>⟧")
	mistaken(t, call(t, "", "data", "inspect", "--model", "model", "--dataset", "rows.jsonl", "--chat_template", "quiet"), "quiet", "chatml, llama3, zephyr, mistral, gemma, alpaca, phi3, lessons")
}

// A model that is trained with a built-in template is saved with it and stops with its end of turn.
func TestBuiltinTemplateIsSaved(t *testing.T) {
	workdir(t)
	for _, name := range []string{"zephyr", "mistral"} {
		dir := "out-" + name
		ok(t, "", "train", "--model_name_or_path", "model", "--dataset", "rows.jsonl", "--output_dir", dir, "--max_steps", "1", "--chat_template", name)
		shown := func(args ...string) string {
			return ok(t, "", append([]string{"data", "inspect", "--dataset", "rows.jsonl", "--show", "20"}, args...)...)
		}
		if got, want := shown("--model", dir), shown("--model", "model", "--chat_template", name); got != want {
			t.Errorf("%s: the saved folder shows\n%s\nwant\n%s", name, got, want)
		}
		has(t, read(t, dir+"/chat_template.jinja"), "{%- generation -%}")
	}
}
