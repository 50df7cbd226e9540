package ifeval_test

import (
	"fmt"
	"strings"

	"instruct/data/checks/ifeval"
)

func ExampleRead() {
	tests, err := ifeval.Read("tea.jsonl", strings.NewReader(`{"key": 1, "prompt": "Describe tea without commas in at`+
		` least 6 words.", "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],`+
		` "kwargs": [{}, {"relation": "at least", "num_words": 6}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	verdict := tests[0].Judge("Sure, here it is:\nTea is warm and good.")
	fmt.Println("strict", verdict.Strict, "loose", verdict.Loose)
	for _, o := range verdict.Instructions {
		fmt.Println(strings.TrimSpace(fmt.Sprintln(o.ID, o.Strict, o.Loose, o.Reason)))
	}
	// Output:
	// strict false loose true
	// punctuation:no_comma false true 1 commas, expected none
	// length_constraints:number_words true true
}
