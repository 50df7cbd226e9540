package preference_test

import (
	"fmt"

	"instruct/train/preference"
)

// The loss of a pair, and what the log-probabilities of its answers are to do about it: the better one's to rise.
func ExampleKind_Pair() {
	k, _ := preference.Find("sigmoid")
	s := preference.Settings{Beta: 0.1}
	loss, better, worse := k.Pair(&s, preference.Answer{LogP: -10, Reference: -12, Tokens: 4},
		preference.Answer{LogP: -9, Reference: -8, Tokens: 3})
	fmt.Printf("%s: loss %.4f, derivatives %.4f and %.4f\n", k.Title, loss, better, worse)
	// Output: DPO: loss 0.5544, derivatives -0.0426 and 0.0426
}
