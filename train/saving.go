package train

import (
	"fmt"
	"path/filepath"

	"instruct/checkpoints"
	"instruct/model/pretrained"
)

// saving is a checkpoint on its way to the disk. It is written beside the forward and backward pass of the next step,
// which only read the weights; the update of that step waits for it. So it needs no copy of anything, and the time of
// the disk is hidden. A nil saving is none.
type saving struct {
	step int
	done chan error // given one value
}

// saveCheckpoint begins to write checkpoint-N: a whole Hugging Face folder with optimizer.safetensors,
// trainer_state.json, state.json and the sums of all of them. It appears whole or not at all. What goes wrong is said
// by [run.settle], before anything that it reads is changed.
func (u *run) saveCheckpoint() error {
	if err := u.settle(); err != nil {
		return err
	}
	if u.metrics != nil { // rows of steps before a checkpoint are as safe as the checkpoint
		_ = u.metrics.file.Sync()
	}
	r, step, best := u.Recipe, u.trainer.Done.Step, u.best.Step
	write := u.checkpoint()
	s := &saving{step: step, done: make(chan error, 1)}
	u.saving = s
	go func() {
		if err := checkpoints.SaveDir(checkpointDir(r, step), write); err != nil {
			s.done <- fmt.Errorf("train: save checkpoint of step %d: %w", step, err)
			return
		}
		s.done <- checkpoints.Rotate(r.OutputDir, r.SaveLimit, best) // there is no checkpoint of step 0
	}()
	if u.trainer.ema != nil { // the average takes the place of the weights while it is written
		return u.settle()
	}
	return nil
}

// checkpoint gives what writes the state of the run, as it is now, into a folder. Weights and moments are those of the
// time when it is called.
func (u *run) checkpoint() (write func(dir string) error) {
	files := []struct {
		name  string
		value any
	}{
		{trainerFile, u.trainerState()},
		{checkpoints.StateFile, state{u.trainer.Done, u.Cursor.Place, u.best, u.origin, u.rows.beginning, *u.Recipe,
			u.rows.audit().Hash, u.referenceHash(), u.due}},
	}
	return func(dir string) error {
		if err := u.trainer.ema.during(func() error { return u.Model.Save(dir) }); err != nil {
			return err
		}
		if err := pretrained.WriteTensors(filepath.Join(dir, optimizerFile), u.trainer.tensors()); err != nil {
			return err
		}
		if err := u.reference.write(dir); err != nil {
			return err
		}
		for _, f := range files {
			if err := writeJSON(filepath.Join(dir, f.name), f.value); err != nil {
				return err
			}
		}
		return checkpoints.WriteSums(dir)
	}
}

// settle waits for the checkpoint that is being written, if there is one.
func (u *run) settle() error {
	s := u.saving
	if s == nil {
		return nil
	}
	u.saving = nil
	err := <-s.done
	if err == nil {
		u.saved = s.step
	}
	return err
}
