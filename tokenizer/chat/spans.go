package chat

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"instruct/tokenizer/jinja"
)

// blockOwners gives the generation blocks of each message. Where every assistant turn has one block they belong
// together in order; else a block belongs to the message whose content stands in it, and to -1 when there is none.
func (run *run) blockOwners(r *jinja.Result) map[int][]Span {
	if len(r.Generation) == 0 {
		return nil
	}
	msgs := run.c.Messages
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
			return m.Start < block.End && block.Start < m.End && m.ID < partsOfMessage*len(msgs)
		}); i >= 0 {
			owner = r.Marks[i].ID / partsOfMessage
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
// It ends with the first token after the content that ends a turn; after a tool call, whose own end may be such a
// token, with the eos_token where there is one.
func (run *run) inferSpan(i int, r *jinja.Result, withPrompt bool) (Span, bool) {
	first, last := -1, -1         // what the message holds
	after, next := 0, len(r.Text) // where the content before it ends, and the one after it begins
	for _, m := range r.Marks {
		switch {
		case m.ID/partsOfMessage == i:
			if first < 0 || m.Start < first {
				first = m.Start
			}
			last = max(last, m.End)
		case last >= 0 && m.Start >= last:
			next = min(next, m.Start)
		}
	}
	for _, m := range r.Marks {
		if m.ID/partsOfMessage != i && first >= 0 && m.End <= first {
			after = max(after, m.End)
		}
	}
	message := &run.c.Messages[i]
	start := first
	if message.Role == "assistant" {
		start = run.turnStart(i, r.Text, after, first)
	}
	if start < 0 {
		return Span{}, false
	}
	from := max(start, last)
	limit, whole := next, false
	if i == len(run.c.Messages)-1 && !withPrompt {
		limit, whole = len(r.Text), true
	} else if until := run.endedAt(i + 1); until != nil {
		if n := commonPrefix(until.Text, r.Text); n >= from {
			limit, whole = min(limit, n), true
		}
	}
	if first < 0 && !whole {
		return Span{}, false
	}
	limit = max(limit, from)
	tail := r.Text[from:limit]
	if eos := run.tp.eos; eos != "" && given(message.ToolCalls) {
		if at := strings.Index(tail, eos); at >= 0 {
			return Span{start, from + at + len(eos)}, true
		}
	}
	return Span{start, from + run.tp.turnEnd(tail, whole)}, true
}

// turnStart is where message i begins in a text whose content of it begins at first (-1: it has none) and whose other
// contents end at after; it is first itself when nothing better is known.
func (run *run) turnStart(i int, text string, after, first int) int {
	prompt, err := run.render(i, true)
	if err != nil {
		return first
	}
	n := len(prompt.Text)
	isPrefix := strings.HasPrefix(text, prompt.Text)
	if isPrefix && n == first {
		return n
	}
	ended := run.endedAt(i)
	if ended == nil {
		return first
	}
	if isPrefix && (first < 0 || n < first) {
		// Without a generation prompt only white space is the model's to say: more would be the header of its turn.
		if prompt.Text != ended.Text || first < 0 && i > 0 || first >= 0 && strings.TrimSpace(text[n:first]) == "" {
			return n
		}
	}
	header, ok := strings.CutPrefix(prompt.Text, ended.Text)
	if first < 0 || !ok || header == "" {
		return first
	}
	// The header must stand between the contents, and no turn may end between it and the content.
	if at := strings.LastIndex(text[after:first], header); at >= 0 {
		if begin := after + at + len(header); run.tp.firstSpecial(text[begin:first]) < 0 {
			return begin
		}
	}
	return first
}

// unused names the parts of the conversation that left no trace in the text, and the trained messages of which none
// did.
func (run *run) unused(r *jinja.Result) (names []string, empty []int) {
	parts := partsOfMessage * len(run.c.Messages)
	shown := make([]int, parts+1) // bytes
	for _, m := range r.Marks {
		shown[m.ID] += m.End - m.Start
	}
	for i := range run.c.Messages {
		m := &run.c.Messages[i]
		has := [partsOfMessage]bool{
			strings.TrimSpace(m.Content) != "", strings.TrimSpace(m.Reasoning) != "", given(m.ToolCalls),
		}
		says, shows := false, false
		for part, name := range partNames {
			n := shown[partsOfMessage*i+part]
			if says = says || has[part]; n > 0 {
				shows = true
			} else if has[part] {
				names = append(names, name)
			}
		}
		if shown[partsOfMessage*i] > 0 && strings.Contains(m.Content, endOfThought) && run.cutsThought(r, i) {
			names = append(names, "thoughts")
		}
		if says && !shows && m.trained() && m.Role == "assistant" {
			empty = append(empty, i)
		}
	}
	if l, ok := run.tools.(*jinja.List); ok && len(l.Items) > 0 && shown[parts] == 0 {
		names = append(names, "tools")
	}
	return names, empty
}

// endOfThought ends what a model thinks where that stands inside its answer: templates cut it out of earlier turns.
const endOfThought = "</think>"

// cutsThought says that less is shown of the content of message i than it has.
func (run *run) cutsThought(r *jinja.Result, i int) bool {
	n := 0
	for _, m := range r.Marks {
		if m.ID == partsOfMessage*i {
			n += letters(r.Text[m.Start:m.End])
		}
	}
	return n < letters(run.c.Messages[i].Content)
}

// letters counts the bytes of a text that are no white space, without the tags of a thought.
func letters(text string) (n int) {
	for _, field := range strings.Fields(strings.NewReplacer("<think>", " ", endOfThought, " ").Replace(text)) {
		n += len(field)
	}
	return n
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
