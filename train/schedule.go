package train

import (
	"math"

	"instruct/model/kernel/exact"
	"instruct/train/recipe"
)

// schedule gives the learning rate of each step, as transformers' get_*_schedule_with_warmup do: during warm-up the
// rate rises from 0, so the first step of a warm-up has rate 0.
type schedule struct {
	kind          string
	peak          float64
	warmup, total int
}

func newSchedule(r *recipe.Recipe, total int) schedule {
	warmup := r.WarmupSteps
	if warmup == 0 {
		warmup = int(math.Ceil(r.WarmupRatio * float64(total)))
	}
	return schedule{r.Scheduler, r.LearningRate, warmup, total}
}

// rate returns the learning rate of step (from 1).
func (s schedule) rate(step int) float64 {
	done := step - 1
	if done < s.warmup {
		return s.peak * float64(done) / float64(max(1, s.warmup))
	}
	progress := min(1, float64(done-s.warmup)/float64(max(1, s.total-s.warmup)))
	switch s.kind {
	case "linear":
		return s.peak * (1 - progress)
	case "cosine":
		return s.peak * 0.5 * (1 + exact.Cos(math.Pi*progress))
	}
	return s.peak
}
