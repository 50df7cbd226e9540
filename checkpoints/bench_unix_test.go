//go:build unix

package checkpoints

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// BenchmarkSave saves what a checkpoint of SmolLM2-135M holds, 1.6 GB, in the folder of temporary files, and removes
// the one before. Its own figures are seconds of processor time of this process, and of the kernel on its behalf.
func BenchmarkSave(b *testing.B) {
	values := make([]float32, 404_000_000)
	for i := range values {
		values[i] = float32(i)
	}
	third := len(values) / 3
	run := b.TempDir()
	used := func() (user, system float64) {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano()).Seconds(), time.Duration(u.Stime.Nano()).Seconds()
	}
	b.SetBytes(4 * int64(len(values)))
	user, system := used()
	for b.Loop() {
		err := SaveDir(filepath.Join(run, "checkpoint-1"), func(tmp string) error {
			sums := Sums{}
			for name, v := range map[string][]float32{weightsFile: values[:third], "optimizer.safetensors": values[third:]} {
				tensors := []Tensor{{"x", []int{len(v)}, v}}
				if err := sums.WriteSafetensors(filepath.Join(tmp, name), tensors, nil, F32); err != nil {
					return err
				}
			}
			return sums.Write(tmp)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	u, s := used()
	b.ReportMetric((u-user)/float64(b.N), "user-s/op")
	b.ReportMetric((s-system)/float64(b.N), "system-s/op")
}
