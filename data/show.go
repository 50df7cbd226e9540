package data

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"instruct/tokenizer"
)

// The colours of Show, and the brackets that stand for them.
const (
	ansiTrained = "\x1b[1;32m"
	ansiSpecial = "\x1b[4m"
	ansiReset   = "\x1b[0m"
	openTrained = "⟦"
	endTrained  = "⟧"
)

// Show prints a row with its trained tokens in green and special tokens underlined, or with the trained ones in
// brackets where there is no colour. Control characters of the data are shown as pictures, so that they cannot steer
// the terminal.
func (e *Encoder) Show(w io.Writer, row Row, colour bool) error {
	var x encoding
	example, _, err := e.encodeRow(&row, &x)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s: %d tokens, %d trained\n", example.Source, len(example.IDs), example.Trained())
	end := endTrained
	if colour {
		end = ansiReset
	}
	style := ""
	for i, text := range x.pieces(e.Tokenizer, len(example.IDs)) {
		if text == "" {
			continue
		}
		next := ""
		switch {
		case example.Mask[i] && colour:
			next = ansiTrained
		case example.Mask[i]:
			next = openTrained
		}
		if colour && e.Tokenizer.IsSpecial(example.IDs[i]) {
			next += ansiSpecial
		}
		if next != style {
			if style != "" {
				out.WriteString(end)
			}
			out.WriteString(next)
			style = next
		}
		out.WriteString(Visible(text))
	}
	if style != "" {
		out.WriteString(end)
	}
	out.WriteByte('\n')
	if err := out.Flush(); err != nil {
		return fmt.Errorf("data: show: %w", err)
	}
	return nil
}

// pieces are the parts of the text that the first n tokens stand for, which together are the text. A character of
// several tokens stands at its last one; a token that is not of the text, such as an eos_token behind it, has its name.
func (x *encoding) pieces(t *tokenizer.Tokenizer, n int) []string {
	out := make([]string, n)
	whole := utf8.ValidString(x.text)
	from := 0 // what is shown ends here
	for i, token := range x.tokens[:n] {
		switch {
		case token.Start == token.End && t.IsSpecial(token.ID):
			out[i] = t.TokenText(token.ID)
		case token.End > from:
			part := x.text[from:token.End]
			if utf8.ValidString(part) || !whole || i == n-1 {
				out[i] = part
				from = token.End
			}
		}
	}
	return out
}

// Visible shows control characters as pictures, line ends and tabs excepted, so that text of others cannot steer a
// terminal.
func Visible(text string) string {
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
