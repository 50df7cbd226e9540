package recipe

import (
	"math"
	"reflect"
)

// most is the largest value of numbers: more is a slip of the keyboard, would take longer than anybody lives, or has no
// room in memory. Whole numbers that are not here may be up to 1e9, but for seeds.
var most = map[string]float64{
	"threads": 1024, "num_train_epochs": 1e5, "gradient_accumulation_steps": 1e6, "per_device_train_batch_size": 1e6,
	"max_length": 1e8, "lora_r": 1e6, "save_total_limit": 1e6, "seed": math.MaxInt64, "data_seed": math.MaxInt64,
}

const mostWhole = 1e9

// bounds refuses numbers that are none, and those that are too large.
func (r *Recipe) bounds() (wrong []error) {
	for f, v := range reflect.ValueOf(r).Elem().Fields() {
		key := f.Tag.Get("key")
		limit, ok := most[key]
		var x float64
		switch v.Kind() {
		case reflect.Int:
			x = float64(v.Int())
			if !ok {
				limit, ok = mostWhole, true
			}
		case reflect.Float64:
			x = v.Float()
		}
		switch {
		case math.IsNaN(x) || math.IsInf(x, 0):
			wrong = append(wrong, mistake("%s is %v; expected a number that is finite", key, x))
		case ok && x > limit:
			wrong = append(wrong, mistake("%s is %s; it must be at most %g", key, text(v), limit))
		}
	}
	if rows := r.BatchSize * r.Accumulation; wrong == nil && rows > mostWhole {
		wrong = append(wrong, mistake("per_device_train_batch_size * gradient_accumulation_steps is %d; a step has at most "+
			"%g rows", rows, mostWhole))
	}
	return wrong
}
