package main

import "testing"

// TestVerify makes a run again, and once more after a row of its data was changed.
func TestVerify(t *testing.T) {
	workdir(t)
	write(t, "r.jsonl", rows(6))
	ok(t, "", "train --model_name_or_path model --dataset r.jsonl --output_dir out --max_steps 4 --save_steps 2 "+
		"--save_total_limit 9 --quiet")
	has(t, ok(t, "", "verify out"), "data files       as recorded", "weights          as recorded",
		"out holds: steps 1 to 4 of 4 have the bits of the record")
	has(t, ok(t, "", "verify out --steps 2 --json"), `"holds": true`, `"steps_compared": 2`,
		`"name": "tensors of checkpoint-2"`)
	has(t, ok(t, "", "verify out --from 2 --quiet"), "out holds: steps 3 to 4 of 4")
	write(t, "r.jsonl", rows(5)+`{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}`+"\n")
	o := call(t, "", "verify out --quiet")
	if o.code != exitFailed {
		t.Errorf("exit %d, want 1", o.code)
	}
	has(t, o.out, "data files       DIFFERS: ", "out DOES NOT HOLD")
	has(t, o.err, "instruct: out differs from its record")
	mistaken(t, call(t, "", "verify"), "verify takes the folder of one run")
	mistaken(t, call(t, "", "verify model/.."), "name the folder of a run")
}
