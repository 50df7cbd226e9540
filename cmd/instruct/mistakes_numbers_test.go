package main

import "testing"

// mistakesWithNumbers are numbers that are none or too large, and what has one place and is given two.
func mistakesWithNumbers() []mistakeCase {
	c := func(name, args string, want ...string) mistakeCase {
		return mistakeCase{name: name, args: args, want: want}
	}
	cases := []mistakeCase{
		c("steps", tuneRows+" --max_steps 9223372036854775807", "max_steps is 9223372036854775807", "at most 1e+09"),
		c("batch", tuneRows+" --per_device_train_batch_size 1000000000000", "at most 1e+06"),
		c("rows of a step", tuneRows+" --per_device_train_batch_size 100000 --gradient_accumulation_steps 100000",
			"a step has"),
		c("threads", tuneRows+" --threads 100000", "threads is 100000", "at most 1024"),
		c("epochs", tuneRows+" --num_train_epochs 1e300", "num_train_epochs is 1e+300", "at most 100000"),
		c("no number", tuneRows+" --weight_decay nan", "weight_decay is NaN", "finite"),
		c("infinite", tuneRows+" --max_grad_norm inf", "max_grad_norm is +Inf"),
		c("temperature", "generate --model model --prompt x --temperature nan", "temperature is NaN"),
		c("rows", "generate --model model --rows 999999999", "rows is 999999999", "at most 4096"),
		c("bench", "bench --steps 99999999999999", "steps is 99999999999999"),
		c("page over data", "data inspect --model model --dataset rows.jsonl --html rows.jsonl",
			"--html rows.jsonl is one of"),
		c("page over a pattern", "data inspect --model model --dataset *.jsonl --html rows.jsonl",
			"--html rows.jsonl is one of"),
		c("convert over data", "data convert rows.jsonl --to messages --out rows.jsonl", "--out rows.jsonl is one of"),
	}
	for _, x := range []struct{ name, text, want string }{
		{"two documents", "model_name_or_path: model\ndataset: rows.jsonl\n---\nlearning_rate: 1\n", ":4: a second document"},
		{"a list of one", "model_name_or_path: model\ndataset: rows.jsonl\nlearning_rate: [1]\n",
			":3: learning_rate takes one"},
	} {
		cases = append(cases, mistakeCase{name: x.name, file: "r.yaml", text: x.text, args: "train r.yaml",
			want: []string{"recipe r.yaml" + x.want}})
	}
	return append(cases, mistakeCase{name: "a key twice", file: "d.jsonl",
		text: `{"instruction":"a","output":"b", "instruction":"c"}`, args: "data inspect --model model --dataset d.jsonl",
		want: []string{`d.jsonl:1:34: key "instruction" is given twice`}})
}

// TestWeightsOfAnotherRun: weights that are no numbers are refused by name, those of another run are noted.
func TestWeightsOfAnotherRun(t *testing.T) {
	workdir(t)
	const ask = "generate --model model --prompt hi --max_new_tokens 1"
	if o := call(t, "", ask); o.code != exitDone || o.err != "" {
		t.Fatalf("exit %d\n%s", o.code, o.err)
	}
	flipByte(t, "model/model.safetensors")
	o := call(t, "", ask)
	if o.code != exitDone {
		t.Errorf("exit %d", o.code)
	}
	has(t, o.err, "note: the weights in model are not those that its run recorded")
	spoil(t, "model", "z")
	for _, command := range []string{ask, "score --model model --dataset rows.jsonl"} {
		mistaken(t, call(t, "", command), "tensor model.embed_tokens.weight has the value NaN at ")
	}
}
