package main

import (
	"strings"
	"testing"
)

// TestDataSplit divides files of both kinds, and refuses what cannot be divided.
func TestDataSplit(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "a.json", "[\n {\"n\": 1},\n {\"n\": 2}, {\"n\": 3},\n {\"n\": 4}]")
	has(t, ok(t, "", "data split a.json --train 2 --heldout 1 --out d"), "d/train.json  2 rows", "d/heldout.json  1 rows")
	got := read(t, "d/train.json") + read(t, "d/heldout.json")
	if got != "[\n{\"n\": 1},\n{\"n\": 2}\n]\n[\n{\"n\": 4}\n]\n" {
		t.Errorf("%q", got)
	}
	write(t, "b.jsonl", "{\"n\":1}\r\n\n{\"n\":2}\n{\"n\":3}")
	ok(t, "", "data split b.jsonl --heldout 1")
	if got := read(t, "train.jsonl") + read(t, "heldout.jsonl"); got != "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n" {
		t.Errorf("%q", got)
	}
	write(t, "c.csv", "a,b\n1,2\n")
	before := tree(t, ".")
	for args, want := range map[string]string{
		"b.jsonl":                        "b.jsonl has 3 rows; --train 0 and --heldout 0 do not fit",
		"b.jsonl --heldout 3":            "do not fit",
		"b.jsonl --train 3 --heldout 1":  "do not fit",
		"b.jsonl --train -1 --heldout 1": "do not fit",
		"c.csv --heldout 1":              "c.csv:1: expected a JSON object",
		"no.json --heldout 1":            "no.json: ",
		"train.jsonl --heldout 1":        "would be written over",
		"":                               "takes one file",
		"a.json b.jsonl --heldout 1":     "takes one file",
	} {
		mistaken(t, call(t, "", "data split "+args), want)
	}
	if after := tree(t, "."); after != before || !strings.Contains(before, "train.jsonl") {
		t.Errorf("the folder was\n%sand is\n%s", before, after)
	}
}
