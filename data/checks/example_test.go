package checks_test

import (
	"encoding/json"
	"fmt"

	"instruct/data/checks"
)

func ExampleNewSet() {
	set, err := checks.NewSet([]checks.Spec{
		{Type: "icontains", Value: json.RawMessage(`"paris"`)},
		{Type: "word-count", Value: json.RawMessage(`{"max": 5}`)},
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"It is Paris.", "The capital of France is Paris."} {
		r := set.Judge(checks.Answer{Text: text})
		fmt.Printf("%v %g %q\n", r.Pass, r.Score, r.Reason)
	}
	// Output:
	// true 1 ""
	// false 0.5 "expected the answer to have at most 5 words, found 6"
}

func ExampleEquals() {
	check := checks.Equals("Paris")
	fmt.Println(check("Paris\n").Pass)
	fmt.Println(check("London").Reason)
	// Output:
	// true
	// expected "Paris", got "London"
}
