package data

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"instruct/tokenizer"
)

// The colours of Show, and the brackets that stand for them.
const (
	ansiTrained = "\x1b[1;32m"
	ansiReset   = "\x1b[0m"
	openTrained = "⟦"
	endTrained  = "⟧"
)

// Show prints an example with its trained tokens in green, or in brackets without colour. Control characters of the
// data are shown as pictures, so that they cannot steer the terminal.
func Show(w io.Writer, example Example, t *tokenizer.Tokenizer, colour bool) error {
	begin, end := openTrained, endTrained
	if colour {
		begin, end = ansiTrained, ansiReset
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s: %d tokens, %d trained\n", example.Source, len(example.IDs), example.Trained())
	stream := t.NewStream(false)
	inside := false
	write := func(text string, trained bool) {
		if text == "" {
			return
		}
		if trained != inside {
			if inside = trained; inside {
				out.WriteString(begin)
			} else {
				out.WriteString(end)
			}
		}
		out.WriteString(visible(text))
	}
	for i, id := range example.IDs {
		write(stream.Push(id), example.Mask[i])
	}
	write(stream.Flush(), inside)
	if inside {
		out.WriteString(end)
	}
	out.WriteByte('\n')
	if err := out.Flush(); err != nil {
		return fmt.Errorf("data: show: %w", err)
	}
	return nil
}

// visible replaces control characters, line ends and tabs excepted.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ':
			return '\u2400' + r // the control pictures: ␀, ␁ ...
		case r == 0x7f:
			return '␡'
		case r > 0x7f && r < 0xa0:
			return '\ufffd'
		}
		return r
	}, text)
}
