package data

import "io"

const textFile = ".txt"

// readTextFile gives a file of text as one row: its paragraphs and lines are no rows of their own.
func readTextFile(in *input, yield func(*record) error) error {
	text, err := io.ReadAll(in.text)
	if err != nil {
		return in.fail(err)
	}
	r := &record{source: sourceLine(in.path, 1), values: map[string]any{"text": string(text)}}
	r.err = checkUTF8(in.path, text, 1, 1)
	return yield(r)
}
