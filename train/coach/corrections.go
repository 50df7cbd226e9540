package coach

import (
	"os"
	"reflect"
	"strings"
	"time"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/tokenizer/chat"
	"instruct/train/record"
)

// Corrections is a file of corrections of one model's answers, which grows.
type Corrections struct {
	Path   string
	Author string
	Model  string // sha256 of its weights in float32
	Now    func() time.Time
}

// Author is who wants it so: the login name where none was given.
func Author(given string) string { return record.Author(given) }

// Check reads the file, where there is one, before any work is lost.
func (c *Corrections) Check() error {
	_, err := c.All()
	return err
}

// All are the corrections of the file; there are none where there is no file.
func (c *Corrections) All() ([]data.Correction, error) {
	if _, err := os.Stat(c.Path); os.IsNotExist(err) {
		return nil, nil
	}
	return data.ReadCorrections(c.Path)
}

// New makes a correction of the model's answer.
func (c *Corrections) New(prompt []chat.Message, chosen, rejected string) data.Correction {
	made := data.NewCorrection(prompt, strings.TrimSpace(chosen), rejected, c.Now())
	made.Author, made.Model = c.Author, c.Model
	return made
}

// Add writes a correction behind the others.
func (c *Corrections) Add(made data.Correction) error {
	return data.AppendCorrections(c.Path, []data.Correction{made}, checkpoints.WriteFile)
}

// Before gives the correction of the file that says the same, whenever it was said, or nil.
func (c *Corrections) Before(made *data.Correction) (*data.Correction, error) {
	all, err := c.All()
	if err != nil {
		return nil, err
	}
	for i := range all {
		same := *made
		same.ID, same.Time = all[i].ID, all[i].Time
		if reflect.DeepEqual(all[i], same) {
			return &all[i], nil
		}
	}
	return nil, nil
}

// DropLast takes the last correction out of the file, which must have the given id.
func (c *Corrections) DropLast(id string) error {
	before, err := c.beforeLast(id)
	if err != nil {
		return err
	}
	if len(before) == 0 {
		return os.Remove(c.Path)
	}
	return c.write(before)
}

// ReplaceLast writes a correction in the place of the last one, which must have the given id and gives it its own.
func (c *Corrections) ReplaceLast(id string, made *data.Correction) error {
	if err := made.Validate(); err != nil {
		return err
	}
	before, err := c.beforeLast(id)
	if err != nil {
		return err
	}
	made.ID = id
	return c.write(append(before, *made))
}

// beforeLast are all corrections of the file but the last one, which must have the given id.
func (c *Corrections) beforeLast(id string) ([]data.Correction, error) {
	all, err := data.ReadCorrections(c.Path)
	if err != nil {
		return nil, err
	}
	n := len(all) - 1
	if all[n].ID != id {
		return nil, mistake("corrections: %s was changed by another program; the last one is %s, not %s", c.Path, all[n].ID,
			id)
	}
	return all[:n], nil
}

// write writes the file anew, whole or not at all.
func (c *Corrections) write(all []data.Correction) error {
	text, err := data.CorrectionLines(all)
	if err != nil {
		return err
	}
	return checkpoints.WriteFile(c.Path, text)
}
