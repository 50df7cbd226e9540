package data

import (
	"slices"
	"strings"
	"unicode"

	"instruct/tokenizer/chat"
)

// specials are the texts of the special tokens that begin and end a row, which data may bring along and which tokenizer
// and template add: each is to be there once.
type specials struct {
	bos      string   // "" where the tokenizer does not add it
	stops    []string // what ends a text or an answer
	any      []string // all of them
	turnEnds func() bool
}

// specials finds them.
func (e *Encoder) specials() *specials {
	s := &specials{}
	add := func(list *[]string, text string) {
		if text != "" && !slices.Contains(*list, text) {
			*list = append(*list, text)
		}
	}
	if bos, ok := e.Tokenizer.BOS(); ok {
		if ids := e.Tokenizer.Encode("", true); len(ids) > 0 && ids[0] == bos {
			s.bos = e.Tokenizer.BOSText()
		}
	}
	add(&s.stops, e.Tokenizer.EOSText())
	for _, id := range e.Stop {
		add(&s.stops, e.Tokenizer.TokenText(id))
	}
	add(&s.any, e.Tokenizer.BOSText())
	for _, stop := range s.stops {
		add(&s.any, stop)
	}
	known := false
	ends := false
	s.turnEnds = func() bool { // it renders, and few rows ask
		if !known {
			_, ends = e.Template.EndOfTurn()
			known = true
		}
		return ends
	}
	return s
}

// once takes away the beginning of a plain text that the tokenizer adds itself, and what stands behind the token that
// ends it: white space, and the same token again. It says whether the text ends itself.
func (s *specials) once(text string) (out string, ended bool) {
	out = text
	for s.bos != "" {
		rest, ok := strings.CutPrefix(strings.TrimLeftFunc(out, unicode.IsSpace), s.bos)
		if !ok {
			break
		}
		out = rest
	}
	body, stop := s.cutStop(out)
	if stop == "" {
		return out, false
	}
	for {
		shorter, ok := strings.CutSuffix(strings.TrimRightFunc(body, unicode.IsSpace), stop)
		if !ok {
			return body + stop, true
		}
		body = shorter
	}
}

// cutStop cuts the token that ends a text, and the white space behind it; stop is "" where none does.
func (s *specials) cutStop(text string) (body, stop string) {
	trimmed := strings.TrimRightFunc(text, unicode.IsSpace)
	for _, stop := range s.stops {
		if body, ok := strings.CutSuffix(trimmed, stop); ok && strings.TrimSpace(body) != "" {
			return body, stop
		}
	}
	return text, ""
}

// answersOnce takes the tokens that end an answer from the ends of answers, where the template writes its own.
func (s *specials) answersOnce(messages []chat.Message) []chat.Message {
	out := messages
	for i, m := range messages {
		if m.Role != "assistant" {
			continue
		}
		for body, stop := s.cutStop(m.Content); stop != "" && s.turnEnds(); body, stop = s.cutStop(m.Content) {
			m.Content = body
		}
		if m.Content != messages[i].Content {
			if &out[0] == &messages[0] {
				out = slices.Clone(messages)
			}
			out[i] = m
		}
	}
	return out
}

// inside says that a message holds the text of one of the tokens: it will be read as the token.
func (s *specials) inside(messages []chat.Message) bool {
	for _, m := range messages {
		for _, text := range s.any {
			if strings.Contains(m.Content, text) {
				return true
			}
		}
	}
	return false
}

// doubled says that a token which begins or ends a row stands twice in one place.
func (e *Encoder) doubled(ids []int32) bool {
	bos, hasBOS := e.Tokenizer.BOS()
	eos, hasEOS := e.Tokenizer.EOS()
	for i := 1; i < len(ids); i++ {
		if id := ids[i]; id == ids[i-1] && (hasBOS && id == bos || hasEOS && id == eos || slices.Contains(e.Stop, id)) {
			return true
		}
	}
	return false
}
