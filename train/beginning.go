package train

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model/pretrained"
	"instruct/train/recipe"
)

// beginning is what a run reads of a large data set of which its steps need but a part of an epoch: that part. The
// order of the epoch is then drawn over all rows of the files, and those that give nothing to train on, or are held
// out, are passed over; of a data set that is read as a whole it is drawn over those that are left.
type beginning struct {
	Rows  int   `json:"rows_of_files,omitempty"` // 0: the data set is read as a whole
	order []int // of the rows to train on
}

// largeData is the size in bytes from which on a part is read: to read what is smaller takes less than half a minute.
const largeData = 256 << 20

// readBeginning reads from a checkpoint what its run read.
func readBeginning(checkpoint string) (b beginning, err error) {
	path := filepath.Join(checkpoint, checkpoints.StateFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return b, mistake("resume: %s: %s", path, checkpoints.Reason(err))
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return b, mistake("resume: %s: %v", path, err)
	}
	return b, nil
}

// wantsBeginning tells whether a run should read a part of its data; a run that goes on does as it did before.
func (d *dataset) wantsBeginning(r *recipe.Recipe, from loadOptions) (bool, error) {
	if from.resumed != "" {
		b, err := readBeginning(from.resumed)
		return b.Rows > 0, err
	}
	return d.rows == nil && len(r.DatasetWeights) == 0 && r.MaxSteps > 0 && !r.Packing &&
		r.Sampling != data.GroupByLength && sizeOf(d.files) >= cmp.Or(from.large, largeData), nil
}

// encodeBeginning encodes the rows that the steps need, where that is wanted and they are a part of an epoch. It tells
// whether it did.
func (d *dataset) encodeBeginning(ctx context.Context, r *recipe.Recipe, m *pretrained.Model, from loadOptions,
	o data.SetOptions) (done bool, err error) {
	wanted, err := d.wantsBeginning(r, from)
	if !wanted || err != nil {
		return false, err
	}
	reading := from.reading(sizeOf(d.files), bytesText)
	options := d.options(r)
	options.Seen = reading.seen
	x, err := data.NewIndex(ctx, r.Dataset, options)
	reading.finish()
	if err != nil {
		return false, err
	}
	var train, heldOut *data.Set
	need := max(r.MaxSteps, from.steps) * r.Accumulation * r.BatchSize
	if x != nil && r.MaxSteps > 0 {
		reading = from.reading(int64(need), func(n int64) string { return count(int(n)) + " rows" })
		check := o.Check
		o.Check = func(e *data.Example) error {
			reading.done.Add(1)
			return check(e)
		}
		train, heldOut, d.beginning.order, err = encoder(m, r).Beginning(ctx, x, planOptions(r, m), need, o)
		reading.finish()
	}
	switch {
	case err != nil:
		return false, err
	case train == nil && from.resumed != "":
		return false, mistake("resume: the run of %s read only the rows that its steps needed, in an order of its own; "+
			"it can go on within the first epoch of the same files: set max_steps below that", from.resumed)
	case train == nil:
		return false, nil
	}
	d.train, d.heldOut, d.beginning.Rows, d.hashes = train, heldOut, x.Rows, x.Hashes
	d.notes = append(d.notes, fmt.Sprintf("the files have %d rows; the %d that %d steps need were read, "+
		"and what is said here is of them", x.Rows, train.Audit.Rows+heldOut.Audit.Rows, r.MaxSteps))
	return true, nil
}
