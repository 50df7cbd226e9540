package tokenizer

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"instruct/tokenizer/jinja"
)

// blockOwners gives the generation blocks of each message. Where every assistant turn has one block they belong
// together in order; else a block belongs to the message whose content stands in it, and to -1 when there is none.
func (tp *Template) blockOwners(msgs []Message, r *jinja.Result) map[int][]Span {
	if len(r.Generation) == 0 {
		return nil
	}
	var assistants []int
	for i := range msgs {
		if msgs[i].Role == "assistant" {
			assistants = append(assistants, i)
		}
	}
	owners := map[int][]Span{}
	for k, block := range r.Generation {
		owner := -1
		if len(assistants) == len(r.Generation) {
			owner = assistants[k]
		} else if i := slices.IndexFunc(r.Marks, func(m jinja.Span) bool {
			return m.Start < block.End && block.Start < m.End
		}); i >= 0 {
			owner = r.Marks[i].ID
		}
		owners[owner] = append(owners[owner], Span{block.Start, block.End})
	}
	return owners
}

// inferSpan finds what the model says in turn i of a text whose template has no generation block.
//
// It begins where the conversation before it, rendered with the generation prompt, ends: that is what the model is
// given when it answers. So what the template puts between the prompt and the content (a space, an empty thought) is
// trained too. Where that text is no prefix of the whole (some templates treat the last turns differently), the last
// occurrence of the generation prompt before the content counts, or the content alone.
//
// It ends with the first token after the content that ends a turn.
func (tp *Template) inferSpan(msgs []Message, i int, r *jinja.Result, withPrompt bool) (Span, bool) {
	first, last := -1, -1         // the content
	after, next := 0, len(r.Text) // where the content before it ends, and the one after it begins
	for _, m := range r.Marks {
		switch {
		case m.ID == i:
			if first < 0 || m.Start < first {
				first = m.Start
			}
			last = max(last, m.End)
		case last >= 0 && m.Start >= last:
			next = min(next, m.Start)
		}
	}
	for _, m := range r.Marks {
		if m.ID != i && first >= 0 && m.End <= first {
			after = max(after, m.End)
		}
	}
	start := first
	if msgs[i].Role == "assistant" {
		start = tp.turnStart(msgs[:i], r.Text, after, first)
	}
	if start < 0 {
		return Span{}, false
	}
	from := max(start, last)
	limit, whole := next, false
	if i == len(msgs)-1 && !withPrompt {
		limit, whole = len(r.Text), true
	} else if until, err := tp.render(msgs[:i+1], false); err == nil {
		if n := commonPrefix(until.Text, r.Text); n >= from {
			limit, whole = min(limit, n), true
		}
	}
	if first < 0 && !whole {
		return Span{}, false
	}
	limit = max(limit, from)
	return Span{start, from + tp.turnEnd(r.Text[from:limit], whole)}, true
}

// turnStart is where the answer to the messages begins in a text whose answer's content begins at first (-1: it has
// none) and whose other contents end at after; it is first itself when nothing better is known.
func (tp *Template) turnStart(before []Message, text string, after, first int) int {
	prompt, err := tp.render(before, true)
	if err != nil {
		return first
	}
	n := len(prompt.Text)
	isPrefix := strings.HasPrefix(text, prompt.Text)
	if isPrefix && n == first {
		return n
	}
	ended, err := tp.render(before, false)
	if err != nil {
		return first
	}
	if isPrefix && (first < 0 || n < first) {
		// Without a generation prompt only white space is the model's to say: more would be the header of its turn.
		if prompt.Text != ended.Text || first < 0 && len(before) > 0 || first >= 0 && strings.TrimSpace(text[n:first]) == "" {
			return n
		}
	}
	header, ok := strings.CutPrefix(prompt.Text, ended.Text)
	if first < 0 || !ok || header == "" {
		return first
	}
	// The header must stand between the contents, and no turn may end between it and the content.
	if at := strings.LastIndex(text[after:first], header); at >= 0 {
		if begin := after + at + len(header); tp.firstSpecial(text[begin:first]) < 0 {
			return begin
		}
	}
	return first
}

// reControl is what an end-of-turn token looks like: <|im_end|>, </s>, <end_of_turn>, [/INST].
var reControl = regexp.MustCompile(`<\|[^\s<>|]{1,40}\|>|</?[A-Za-z_][^\s<>]{0,40}>|\[/?[A-Z_]{2,40}\]`)

// turnEnd is the length of the part of a tail that ends the turn: up to and with the first special token of the
// tokenizer, or what looks like one, or, when the whole tail belongs to the turn, all but white space.
func (tp *Template) turnEnd(tail string, whole bool) int {
	n := tp.firstSpecial(tail)
	if n < 0 || tp.tok == nil {
		if m := reControl.FindStringIndex(tail); m != nil && (n < 0 || m[1] < n) {
			n = m[1]
		}
	}
	if n >= 0 {
		return n
	}
	if whole {
		return len(strings.TrimRightFunc(tail, unicode.IsSpace))
	}
	return 0
}

// firstSpecial is where the first special token of a text ends, or -1.
func (tp *Template) firstSpecial(s string) int {
	end := -1
	if tp.eos != "" {
		if i := strings.Index(s, tp.eos); i >= 0 {
			end = i + len(tp.eos)
		}
	}
	if tp.tok != nil && strings.TrimFunc(s, unicode.IsSpace) != "" {
		for _, token := range tp.tok.Append(nil, s, false) {
			if tp.tok.IsSpecial(token.ID) {
				if end < 0 || token.End < end {
					end = token.End
				}
				break
			}
		}
	}
	return end
}

// commonPrefix is the number of bytes that two strings share at their beginning.
func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// ordered sorts spans and joins those that touch or overlap.
func ordered(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return a.Start - b.Start })
	out := spans[:0]
	for _, s := range spans {
		if s.End <= s.Start {
			continue
		}
		if n := len(out); n > 0 && s.Start <= out[n-1].End {
			out[n-1].End = max(out[n-1].End, s.End)
			continue
		}
		out = append(out, s)
	}
	return out
}
