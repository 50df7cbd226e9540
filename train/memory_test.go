package train

import (
	"runtime"
	"testing"
)

// TestMemoryIsFlat makes 2,000 steps and compares the live heap early and late: a step keeps nothing but its row of
// metrics.
func TestMemoryIsFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("2,000 steps take some seconds; longer under the race detector")
	}
	var early, late uint64
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	r := set(t, small(t), "max_steps", "2000", "lesson_rows", "160", "save_steps", "500", "eval_steps", "250")
	_, err := Run(t.Context(), r, silent(func(m Metric) {
		switch m.Step {
		case 100:
			early = live()
		case 2000:
			late = live()
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("live heap after 100 steps %d bytes, after 2000 steps %d", early, late)
	if late > early+2<<20 {
		t.Errorf("the live heap grew from %d to %d bytes", early, late)
	}
}
