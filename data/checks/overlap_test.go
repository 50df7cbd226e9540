package checks

import (
	"math"
	"testing"
)

// TestOverlaps compares with values worked out by hand.
func TestOverlaps(t *testing.T) {
	for _, x := range []struct {
		answer, want string
		f1, rouge    float64
	}{
		{"", "", 1, 0},
		{"", "Paris", 0, 0},
		{"The, a!", "an", 1, 0}, // nothing is left of either; ROUGE-L keeps the words
		{"Paris", "paris.", 1, 2. / 3},
		{"The cat sat.", "a cat  sat", 1, 4. / 7},
		{"It is the capital, Paris", "Paris", 2. * (1. / 4) / (5. / 4), 2. / 7},
		{"a a b b c", "b b b d", 4. / 7, 4. / 9},
		{"x y z w", "w z y x", 1, 2. / 8},
		{"police killed the gunman", "police kill the gunman", 2. / 3, 6. / 8}, // of Lin's paper
		{"the gunman kill police", "police kill the gunman", 1, 4. / 8},
		{"théa “the” end", "théa “ ” end", 1, 4. / 7},
		{"don't", "dont", 1, 0},
	} {
		if got := TokenF1(x.answer, x.want); math.Abs(got-x.f1) > 1e-15 {
			t.Errorf("token F1 of %q and %q is %v, want %v", x.answer, x.want, got, x.f1)
		}
		if got := RougeL(x.answer, x.want); math.Abs(got-x.rouge) > 1e-15 {
			t.Errorf("ROUGE-L of %q and %q is %v, want %v", x.answer, x.want, got, x.rouge)
		}
		if TokenF1(x.want, x.answer) != TokenF1(x.answer, x.want) || RougeL(x.want, x.answer) != RougeL(x.answer, x.want) {
			t.Errorf("%q and %q are not as alike as the other way round", x.answer, x.want)
		}
	}
}
