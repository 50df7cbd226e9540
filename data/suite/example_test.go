package suite_test

import (
	"fmt"

	"instruct/data/checks"
	"instruct/data/suite"
)

func ExampleParse() {
	s, err := suite.Parse("capitals.yaml", []byte(`
prompts: ["What is the capital of {{country}}?"]
tests:
  - vars: {country: France}
    assert: [{type: icontains, value: paris}, {type: word-count, value: {max: 9}}]
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range s.Cases {
		r := c.Checks.Judge(checks.Answer{Text: "It is Paris."})
		fmt.Println(c.Messages[0].Content, r.Pass, r.Score)
	}
	_, err = suite.Parse("capitals.yaml", []byte("prompts: [x]\ntests:\n  - assert: [{type: contians, value: x}]\n"))
	fmt.Println(err)
	// Output:
	// What is the capital of France? true 1
	// suite capitals.yaml:3: unknown type "contians"; did you mean "contains"?
}
