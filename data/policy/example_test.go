package policy_test

import (
	"fmt"

	"instruct/data/policy"
)

func ExampleParse() {
	p, err := policy.Parse("policy.yaml", []byte(`
rules:
  - id: refund-days
    text: Say that a refund takes 14 days.
    severity: block
    when: {prompt: refund}
    assert: [{type: contains, value: 14 days}]
    good: [It takes 14 days.]
    bad: [Soon.]
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, j := range p.Judge(policy.Turn{Prompt: "Is my refund on its way?", Answer: "Yes."}) {
		fmt.Println(j.Rule, j.Pass, j.Reason)
	}
	// Output:
	// refund-days (block) false expected the answer to contain "14 days"
}
