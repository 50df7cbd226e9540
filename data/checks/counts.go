package checks

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// wordCount makes word-count, whose value is a number or a mapping of min and max.
func wordCount(a *assertion, spec Spec) error {
	v, err := spec.value()
	if err != nil {
		return err
	}
	var least, most float64
	if bounds, ok := v.(map[string]any); ok {
		if least, most, err = wordBounds(bounds); err != nil {
			return err
		}
	} else {
		if least, err = wholeNumber(v); err != nil {
			return err
		}
		most = least
	}
	a.simple(boundsText(least, most), func(answer string) bool {
		n := float64(len(strings.FieldsFunc(answer, isSpace)))
		return n >= least && n <= most
	})
	reasoned := a.judge
	a.judge = func(answer Answer) (bool, float64, string) {
		pass, score, reason := reasoned(answer)
		n := len(strings.FieldsFunc(answer.Text, isSpace))
		return pass, score, fmt.Sprintf("%s, found %d", reason, n)
	}
	return nil
}

func boundsText(least, most float64) string {
	switch {
	case least == most:
		return fmt.Sprintf("have %g words", least)
	case math.IsInf(most, 1):
		return fmt.Sprintf("have at least %g words", least)
	case least == 0:
		return fmt.Sprintf("have at most %g words", most)
	}
	return fmt.Sprintf("have %g to %g words", least, most)
}

// wordBounds reads min and max, one of which may be missing.
func wordBounds(bounds map[string]any) (least, most float64, err error) {
	most = math.Inf(1)
	for key, v := range bounds {
		to := &least
		switch key {
		case "min":
		case "max":
			to = &most
		default:
			return 0, 0, fmt.Errorf("unknown key %q; known: min, max", key)
		}
		if *to, err = wholeNumber(v); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", key, err)
		}
	}
	if len(bounds) == 0 {
		return 0, 0, errors.New("the value needs min or max")
	}
	if least > most {
		return 0, 0, fmt.Errorf("min %g is more than max %g", least, most)
	}
	return least, most, nil
}

// wholeNumber reads a count, which may be written as text.
func wholeNumber(v any) (float64, error) {
	if s, ok := v.(string); ok {
		if n, err := decode([]byte(trim(s))); err == nil {
			v = n
		}
	}
	x, ok := v.(float64)
	if !ok || x < 0 || x != math.Trunc(x) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("the value must be a whole number or a mapping with min and max")
	}
	return x, nil
}

// levenshtein makes levenshtein, which counts UTF-16 code units.
func levenshtein(a *assertion, spec Spec) error {
	want, err := spec.text(true)
	if err != nil {
		return err
	}
	limit := 5.0
	if spec.Threshold != nil {
		limit = *spec.Threshold
	}
	wanted, inverse := units(want), a.inverse
	a.judge = func(answer Answer) (bool, float64, string) {
		n := distance(units(answer.Text), wanted)
		if (float64(n) <= limit) != inverse {
			return true, 1, ""
		}
		if inverse {
			return false, 0, fmt.Sprintf("the distance from %q is %d, not above %g", want, n, limit)
		}
		return false, 0, fmt.Sprintf("the distance from %q is %d, above %g", want, n, limit)
	}
	return nil
}

// perplexity makes perplexity, which bounds e to the mean negative log-probability of the answer's tokens from above.
// promptfoo passes everything where there is no threshold; here it must be given.
func perplexity(a *assertion, spec Spec) error {
	if spec.Value != nil {
		return errTake
	}
	if spec.Threshold == nil {
		return errors.New("a threshold is missing")
	}
	limit, inverse := *spec.Threshold, a.inverse
	a.numbers = true
	a.judge = func(answer Answer) (bool, float64, string) {
		if len(answer.Logprobs) == 0 {
			return false, 0, "the answer has no log-probabilities"
		}
		x := math.Exp(-mean(answer.Logprobs))
		if (x <= limit) != inverse {
			return true, 1, ""
		}
		if inverse {
			return false, 0, fmt.Sprintf("the perplexity is %.4g, not above %g", x, limit)
		}
		return false, 0, fmt.Sprintf("the perplexity is %.4g, above %g", x, limit)
	}
	return nil
}

func mean(xs []float64) float64 {
	var sum float64
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}
