package main

import (
	"io"

	"instruct/data"
)

// shown is where text of a model or of its files is written to: on a terminal control characters are shown as pictures,
// elsewhere every byte stays as it is.
func shown(w io.Writer) io.Writer {
	if terminal(w) {
		return visibleWriter{w}
	}
	return w
}

// visibleWriter writes text with its control characters made visible; each write is of whole characters.
type visibleWriter struct{ w io.Writer }

func (v visibleWriter) Write(text []byte) (int, error) {
	if _, err := io.WriteString(v.w, data.Visible(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}
