package train

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"instruct/checkpoints"
	"instruct/data"
)

// referenceFile holds the log-probabilities of the reference model, in the folder of a run and in its checkpoints.
const referenceFile = "reference.json"

// reference is the log-probability of each answer under the model that a run began with, in nats: those of the examples
// to train on, and of the held-out ones. They are computed once, before the first step, so no second model is held.
type reference struct {
	Train   []float64 `json:"train"`
	HeldOut []float64 `json:"held_out"`
}

// hash is the sha256 of the numbers' bits.
func (f *reference) hash() string {
	h := sha256.New()
	var buf []byte
	for _, list := range [][]float64{f.Train, f.HeldOut} {
		buf = binary.LittleEndian.AppendUint64(buf[:0], uint64(len(list)))
		for _, x := range list {
			buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(x))
		}
		h.Write(buf)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// referenceHash is the hash of the run's reference, "" where it has none.
func (u *run) referenceHash() string {
	if u.reference == nil {
		return ""
	}
	return u.reference.hash()
}

// write writes the file into a folder; nothing where there is no reference.
func (f *reference) write(dir string) error {
	if f == nil {
		return nil
	}
	text, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("train: reference: %w", err)
	}
	return checkpoints.WriteFile(filepath.Join(dir, referenceFile), append(text, '\n'))
}

// readReference reads the file of a checkpoint, whose hash its state has.
func readReference(dir, hash string) (*reference, error) {
	path := filepath.Join(dir, referenceFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, mistake("resume: %s: %s; the log-probabilities of the reference model were in it: go on from another "+
			"checkpoint", path, checkpoints.Reason(err))
	}
	var f reference
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, mistake("resume: %s: %v", path, err)
	}
	if f.hash() != hash {
		return nil, mistake("resume: %s is not what the run wrote; go on from another checkpoint", path)
	}
	return &f, nil
}

// use gives the objectives their reference.
func (u *run) use(f *reference) {
	u.reference = f
	u.rows.answers.reference = f.Train
	if u.rows.heldOutAnswers != nil {
		u.rows.heldOutAnswers.reference = f.HeldOut
	}
}

// findReference asks the model as it is at the beginning for the log-probabilities of all answers, where the loss needs
// them. A resumed run has them from its checkpoint.
func (u *run) findReference(ctx context.Context) error {
	if u.preferences == nil || !u.preferences.kind.Reference || u.reference != nil {
		return nil
	}
	var f reference
	var err error
	if f.Train, err = u.logprobs(ctx, &u.rows.train.Store, "reference"); err == nil && u.heldOut != nil {
		f.HeldOut, err = u.logprobs(ctx, &u.rows.heldOut.Store, "held-out reference")
	}
	if errors.Is(err, context.Canceled) {
		return u.interrupt()
	}
	if err != nil {
		return fmt.Errorf("the model before training: %w", err)
	}
	u.use(&f)
	if err := f.write(u.Recipe.OutputDir); err != nil {
		return err
	}
	return u.writeManifest(nil)
}

// saidEvery is the time between two lines of progress.
const saidEvery = 10 * time.Second

// logprobs gives the log-probability of each example's answer.
func (u *run) logprobs(ctx context.Context, examples *data.Store, what string) ([]float64, error) {
	p := &preferences{kind: u.preferences.kind, answers: &answers{}}
	h, err := newHeldOut(u.Pool, u.Model.Model, heldOutOptions{examples: examples, rows: u.Recipe.BatchSize,
		share: u.Recipe.SharePrefix, beside: u.trainer.Graph, prefers: p})
	if err != nil {
		return nil, err
	}
	defer h.close()
	total := examples.Len() / data.AnswersTogether
	start := time.Now()
	last := start
	err = h.hear(ctx, func(units int) {
		if time.Since(last) > saidEvery {
			last = time.Now()
			left := time.Duration(float64(time.Since(start)) / float64(units) * float64(total-units)).Round(time.Second)
			fmt.Fprintf(u.o.Log, "%s: log-probabilities of %d of %d, %s left\n", what, units, total, left)
		}
	})
	if err != nil {
		return nil, err
	}
	out := make([]float64, 0, examples.Len())
	for _, a := range h.listener.heard.answers {
		out = append(out, a.LogP)
	}
	fmt.Fprintf(u.o.Log, "%s: log-probabilities of %d answers of the model before training, %s\n", what, len(out),
		time.Since(start).Round(100*time.Millisecond))
	return out, nil
}
