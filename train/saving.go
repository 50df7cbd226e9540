package train

import (
	"fmt"
	"path/filepath"
	"sync"

	"instruct/checkpoints"
	"instruct/model/pretrained"
)

// saving is a checkpoint on its way to the disk. Its weights and moments are read beside the forward and backward pass
// of the next step, which only read them too; the update of that step waits for that. What is left of syncing takes its
// time beside the steps after it. So it needs no copy of anything, and the time of the disk is hidden. A nil saving is
// none.
type saving struct {
	step   int
	read   chan struct{} // closed when nothing of the run is read any more
	failed bool          // what was read could not be written; known when read is closed
	done   chan error    // given one value
}

// saveCheckpoint begins to write checkpoint-N: a whole Hugging Face folder with optimizer.safetensors,
// trainer_state.json, state.json and the sums of all of them. It appears whole or not at all. What goes wrong is said
// by [run.settle].
func (u *run) saveCheckpoint() error {
	if err := u.settle(); err != nil {
		return err
	}
	if u.metrics != nil { // rows of steps before a checkpoint are as safe as the checkpoint
		_ = u.metrics.file.Sync()
	}
	r, step, best := u.Recipe, u.trainer.Done.Step, u.best.Step
	write := u.checkpoint()
	passed := u.passed
	u.passed = nil
	s := &saving{step: step, read: make(chan struct{}), done: make(chan error, 1)}
	u.saving = s
	go func() {
		read := sync.OnceFunc(func() { close(s.read) })
		err := removePassed(passed, r.SaveLimit)
		if err == nil {
			err = checkpoints.SaveDir(checkpointDir(r, step), func(tmp string) error {
				sums, err := write(tmp)
				s.failed = err != nil
				read()
				if err == nil {
					err = sums.Write(tmp)
				}
				return err
			})
		}
		read() // where the folder could not be made
		if err != nil {
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

// checkpoint gives what writes the state of the run, as it is now, into a folder, but for the sums, of which it gives
// those of the large files. Weights and moments are those of the time when it is called.
func (u *run) checkpoint() (write func(dir string) (checkpoints.Sums, error)) {
	files := []struct {
		name  string
		value any
	}{
		{trainerFile, u.trainerState()},
		{checkpoints.StateFile, state{u.trainer.Done, u.Cursor.Place, u.best, u.origin, u.rows.beginning, *u.Recipe,
			u.rows.audit().Hash, u.referenceHash(), u.due}},
	}
	reference := u.reference
	return func(dir string) (checkpoints.Sums, error) {
		sums := checkpoints.Sums{}
		if err := u.trainer.ema.during(func() error { return u.Model.SaveSummed(dir, sums) }); err != nil {
			return nil, err
		}
		if err := pretrained.WriteTensors(filepath.Join(dir, optimizerFile), u.trainer.tensors(), sums); err != nil {
			return nil, err
		}
		if err := reference.write(dir); err != nil {
			return nil, err
		}
		for _, f := range files {
			if err := writeJSON(filepath.Join(dir, f.name), f.value); err != nil {
				return nil, err
			}
		}
		return sums, nil
	}
}

// removePassed deletes damaged checkpoints that the run passed over when it went on from an older one, where the recipe
// limits how many there are: they would take the places of whole ones.
func removePassed(passed []checkpoints.Checkpoint, limit int) error {
	if limit <= 0 {
		return nil
	}
	for _, c := range passed {
		if err := c.Remove(); err != nil {
			return err
		}
	}
	return nil
}

// tidy deletes the checkpoints that a run killed in the middle of its rotation left, and notes those that it passed
// over to go on from here: all that are newer are damaged, see checkNewest.
func (u *run) tidy() error {
	r := u.Recipe
	list, err := checkpoints.List(r.OutputDir)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.Step > u.trainer.Done.Step {
			u.passed = append(u.passed, c)
		}
	}
	if len(u.passed) > 0 {
		return nil
	}
	return checkpoints.Rotate(r.OutputDir, r.SaveLimit, u.best.Step)
}

// beforeUpdate waits until the checkpoint that is being written has read the weights, which are about to change, and
// says what went wrong with one that has ended.
func (u *run) beforeUpdate() error {
	if u.saving == nil {
		return nil
	}
	<-u.saving.read
	if !u.saving.failed && len(u.saving.done) == 0 {
		return nil
	}
	return u.settle()
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
