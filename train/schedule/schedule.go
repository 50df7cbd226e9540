// Package schedule gives the learning rate of each step. Names, options and values are those of transformers
// (src/transformers/optimization.py, get_*_schedule*), so its recipes run as they are.
package schedule

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"instruct/model/kernel/exact"
)

// Schedule is the learning rate over the steps of a run: it rises from 0 during the warm-up, so that the first step of
// a warm-up has rate 0, then follows the curve of its kind.
type Schedule struct {
	curve         func(*Schedule, int) float64
	peak          float64
	warmup, total int // steps
	options       map[string]float64
}

// kind is a curve after the warm-up.
type kind struct {
	name    string
	options map[string]float64 // those that it takes, with the values they have where they are not given
	check   func(peak float64, given map[string]float64) string
	curve   func(s *Schedule, step int) float64 // the share of the peak rate in a step, from 0, after the warm-up
}

var kinds = []kind{
	{name: "constant", curve: constant},
	{name: "constant_with_warmup", curve: constant},
	{name: "linear", curve: func(s *Schedule, step int) float64 { return 1 - s.progress(step) }},
	{name: "cosine", options: map[string]float64{"num_cycles": 0.5}, curve: cosine},
	{name: "cosine_with_restarts", options: map[string]float64{"num_cycles": 1}, curve: restarts},
	{name: "cosine_with_min_lr", options: map[string]float64{"num_cycles": 0.5, "min_lr": 0, "min_lr_rate": 0},
		check: oneFloor, curve: cosine},
	{name: "polynomial", options: map[string]float64{"lr_end": 1e-7, "power": 1}, check: endsBelow, curve: polynomial},
	{name: "inverse_sqrt", options: map[string]float64{"timescale": 0}, curve: inverseSqrt},
	{name: "warmup_stable_decay", options: map[string]float64{"num_decay_steps": 0, "min_lr_ratio": 0, "num_cycles": 0.5},
		curve: stableDecay},
}

// Kinds are the names of the schedules.
func Kinds() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// New is the schedule of a run of total steps, warmup of which raise the rate to peak. The options are numbers as text,
// by the names of transformers' lr_scheduler_kwargs.
func New(name string, peak float64, warmup, total int, options map[string]string) (Schedule, error) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return Schedule{}, fmt.Errorf("lr_scheduler_type is %q; known: %s", name, strings.Join(Kinds(), ", "))
	}
	k := kinds[i]
	given := map[string]float64{}
	for _, option := range slices.Sorted(maps.Keys(options)) {
		if _, ok := k.options[option]; !ok {
			return Schedule{}, fmt.Errorf("lr_scheduler_kwargs has %q; %s takes %s", option, name, k.takes())
		}
		x, err := strconv.ParseFloat(options[option], 64)
		if err != nil || x < 0 || math.IsInf(x, 0) || math.IsNaN(x) {
			return Schedule{}, fmt.Errorf("lr_scheduler_kwargs: %s is %q; expected a number that is not negative",
				option, options[option])
		}
		given[option] = x
	}
	if k.check != nil {
		if wrong := k.check(peak, given); wrong != "" {
			return Schedule{}, fmt.Errorf("lr_scheduler_kwargs: %s", wrong)
		}
	}
	s := Schedule{k.curve, peak, warmup, total, maps.Clone(k.options)}
	maps.Copy(s.options, given)
	return s, nil
}

func (k kind) takes() string {
	if len(k.options) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(k.options)), ", ")
}

// Rate is the learning rate of a step, from 1.
func (s *Schedule) Rate(step int) float64 {
	done := step - 1
	if done < s.warmup {
		return s.peak * float64(done) / float64(max(1, s.warmup))
	}
	if s.peak == 0 {
		return 0
	}
	return s.peak * s.curve(s, done)
}

// progress is the share of the steps after the warm-up that were made.
func (s *Schedule) progress(step int) float64 {
	return min(1, float64(step-s.warmup)/float64(max(1, s.total-s.warmup)))
}

func constant(*Schedule, int) float64 { return 1 }

// wave falls from 1 to 0 in the first half of a cycle, and rises again in the second.
func wave(cycles float64) float64 { return 0.5 * (1 + exact.Cos(2*math.Pi*cycles)) }

// above is a factor of 0 to 1 as one of floor to 1.
func above(floor, factor float64) float64 {
	if floor == 0 {
		return factor
	}
	return float64(factor*(1-floor)) + floor
}

func cosine(s *Schedule, step int) float64 {
	floor := s.options["min_lr_rate"]
	if lowest := s.options["min_lr"]; lowest > 0 {
		floor = lowest / s.peak
	}
	return above(floor, wave(s.options["num_cycles"]*s.progress(step)))
}

func restarts(s *Schedule, step int) float64 {
	progress := s.progress(step)
	if progress >= 1 {
		return 0
	}
	return wave(math.Mod(s.options["num_cycles"]*progress, 1) / 2)
}

func polynomial(s *Schedule, step int) float64 {
	left, power := 1-s.progress(step), s.options["power"]
	switch {
	case power == 1 || left == 0 || left == 1:
	default:
		left = exact.Pow(left, power)
	}
	return above(s.options["lr_end"]/s.peak, left)
}

func inverseSqrt(s *Schedule, step int) float64 {
	scale := s.options["timescale"]
	switch {
	case scale > 0:
	case s.warmup > 0:
		scale = float64(s.warmup)
	default:
		scale = 10_000
	}
	return 1 / math.Sqrt((float64(step-s.warmup)+scale)/scale)
}

// stableDecay keeps the peak and falls along a cosine in the last num_decay_steps; where they are not given, in a tenth
// of the steps.
func stableDecay(s *Schedule, step int) float64 {
	decay := int(s.options["num_decay_steps"])
	if decay == 0 {
		decay = max(1, s.total/10)
	}
	begin := max(s.warmup, s.total-decay)
	if step < begin {
		return 1
	}
	progress := min(1, float64(step-begin)/float64(max(1, s.total-begin)))
	return above(s.options["min_lr_ratio"], wave(s.options["num_cycles"]*progress))
}

func oneFloor(peak float64, given map[string]float64) string {
	_, rate := given["min_lr"]
	_, share := given["min_lr_rate"]
	switch {
	case rate == share:
		return "cosine_with_min_lr takes one of min_lr (a rate) and min_lr_rate (a share of learning_rate)"
	case rate && given["min_lr"] > peak, share && given["min_lr_rate"] > 1:
		return "the least rate is above learning_rate"
	}
	return ""
}

func endsBelow(peak float64, given map[string]float64) string {
	end, ok := given["lr_end"]
	if !ok {
		end = 1e-7
	}
	if peak > 0 && end >= peak {
		return fmt.Sprintf("lr_end is %g; it must be below learning_rate", end)
	}
	return ""
}
