package data

import "iter"

// pieces gives what a row is trained as: the example, or of a plain text that is longer than limit tokens pieces of so
// many. Each begins with the last token of the one before it, so every token of the text but the very first is trained
// once. limit 0: the example is whole.
func (e *Example) pieces(limit int) iter.Seq[*Example] {
	return func(yield func(*Example) bool) {
		if limit == 0 {
			yield(e)
			return
		}
		for at := 0; at < len(e.IDs)-1; at += limit - 1 {
			end := min(at+limit, len(e.IDs))
			piece := *e
			piece.IDs, piece.Mask = e.IDs[at:end:end], append([]bool(nil), e.Mask[at:end]...)
			piece.Mask[0] = false
			if !yield(&piece) {
				return
			}
		}
	}
}
