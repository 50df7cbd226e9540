package train

import (
	"math"
	"testing"

	"instruct/train/recipe"
)

// TestSchedule compares with transformers' get_linear_schedule_with_warmup, get_cosine_schedule_with_warmup and
// get_constant_schedule_with_warmup for 4 warm-up steps of 10 (values computed by hand from their formulas).
func TestSchedule(t *testing.T) {
	for kind, want := range map[string][]float64{
		"linear":   {0, .25, .5, .75, 1, 5. / 6, 4. / 6, 3. / 6, 2. / 6, 1. / 6},
		"cosine":   {0, .25, .5, .75, 1, .9330127, .75, .5, .25, .0669873},
		"constant": {0, .25, .5, .75, 1, 1, 1, 1, 1, 1},
	} {
		for _, warm := range []string{"warmup_steps: 4", "warmup_ratio: 0.4"} {
			r := recipe.Default()
			if _, err := r.ParseYAML("r", []byte("learning_rate: 1\nlr_scheduler_type: "+kind+"\n"+warm)); err != nil {
				t.Fatal(err)
			}
			s := newSchedule(&r, 10)
			for i, w := range want {
				if got := s.rate(i + 1); math.Abs(got-w) > 1e-7 {
					t.Errorf("%s, %s: step %d has rate %.7f, want %.7f", kind, warm, i+1, got, w)
				}
			}
		}
	}
}
