package checkpoints_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"instruct/checkpoints"
)

// A checkpoint is saved whole, found again, and its weights are read.
func Example() {
	run, err := os.MkdirTemp("", "run")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(run)

	weights := []checkpoints.Tensor{{Name: "model.norm.weight", Shape: []int{3}, Data: []float32{0.5, 1, 1.5}}}
	err = checkpoints.SaveDir(filepath.Join(run, "checkpoint-20"), func(tmp string) error {
		err := checkpoints.WriteSafetensors(filepath.Join(tmp, "model.safetensors"), weights, nil, checkpoints.BF16)
		if err != nil {
			return err
		}
		return checkpoints.WriteFile(filepath.Join(tmp, checkpoints.StateFile), []byte(`{"step":20}`))
	})
	if err != nil {
		log.Fatal(err)
	}

	latest, _, err := checkpoints.Latest(run)
	if err != nil {
		log.Fatal(err)
	}
	source, err := checkpoints.OpenFolder(latest.Path)
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	for _, name := range source.Names() {
		shape, _ := source.Shape(name)
		values := make([]float32, shape[0])
		if err := source.Read(name, values); err != nil {
			log.Fatal(err)
		}
		fmt.Println(filepath.Base(latest.Path), name, shape, values)
	}
	// Output: checkpoint-20 model.norm.weight [3] [0.5 1 1.5]
}
