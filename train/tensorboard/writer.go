package tensorboard

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"instruct/checkpoints"
)

// Writer appends events to a file.
type Writer struct{ file *os.File }

// Open opens the event file of a run. A run that goes on after a step keeps the events up to it and drops those of
// steps that it makes again, and what was cut short; with step below 0 the file begins anew.
func Open(path string, step int) (*Writer, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("tensorboard: %w", err)
	}
	first := Event{Time: now(), Version: version}
	kept := appendRecord(nil, first.encode())
	for i, e := range Decode(text) {
		switch {
		case i == 0 && e.Version != "":
			kept = appendRecord(nil, e.encode())
		case e.Version == "" && e.Step <= int64(step):
			kept = appendRecord(kept, e.encode())
		}
	}
	if err := checkpoints.WriteFile(path, kept); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("tensorboard: %w", err)
	}
	return &Writer{f}, nil
}

// Add appends what a step was, as of now.
func (w *Writer) Add(step int, scalars []Scalar) error {
	e := Event{Time: now(), Step: int64(step), Scalars: scalars}
	if _, err := w.file.Write(appendRecord(nil, e.encode())); err != nil {
		return fmt.Errorf("tensorboard: %w", err)
	}
	return nil
}

// Close closes the file.
func (w *Writer) Close() error { return w.file.Close() }

func now() float64 { return float64(time.Now().UnixNano()) / 1e9 }
