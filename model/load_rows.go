package model

import "instruct/model/kernel"

// RowSource is a Source that can also give rows of a tensor, from row on of its first axis, as many as dst holds.
type RowSource interface {
	ReadRows(name string, row int, dst []float32) error
}

// stripSize is how many values of a tensor are at hand at a time on their way to fewer bits: 4 MB of float32.
const stripSize = 1 << 20

// inStrips reports whether a tensor may be read some rows at a time: it is kept in fewer bits, row by row, and nothing
// that is done to it looks at more than one row.
func (t *Tensor) inStrips(gguf bool, merge *Merge) bool {
	w := t.param.Reduced
	if w == nil || merge.changes(t) || w.DType.InBlocks() && w.Form != kernel.NT {
		return false
	}
	return !gguf || t.part.heads == 0 && t.part.byHead == 0 && !t.part.turned && !t.part.plusOne
}

// fillRows is [Tensor.fill] in strips.
func (t *Tensor) fillRows(pool *kernel.Pool, src RowSource, name string, scratch *[]float32) error {
	rows, width := t.Shape[0], t.param.Size()/t.param.Shape[0]
	step := min(rows, max(1, stripSize/width))
	room := roomFor(scratch, step*width)
	for row := 0; row < rows; row += step {
		values := room[:min(step, rows-row)*width]
		if err := src.ReadRows(name, row, values); err != nil {
			return err
		}
		if err := t.param.Reduced.Set(pool, t.row+row, values); err != nil {
			return mistake("tensor %s: %v", name, err)
		}
	}
	return nil
}

// roomFor gives the first n values of scratch, which is made anew where it is too small. (slices.Grow takes twice the
// memory for a moment where the compiler does not see through it, as under the race detector.)
func roomFor(scratch *[]float32, n int) []float32 {
	if cap(*scratch) < n {
		*scratch = make([]float32, n)
	}
	return (*scratch)[:n]
}
