package tokenizer

import (
	"encoding/json"
	"slices"
	"unicode"
	"unicode/utf8"
)

// namedID is a token as ["text", id].
type namedID struct {
	text string
	id   int32
}

// UnmarshalJSON reads ["text", id].
func (n *namedID) UnmarshalJSON(src []byte) error {
	return json.Unmarshal(src, &[]any{&n.text, &n.id})
}

// trimmer takes white space off the ends of the ranges of tokens, as ByteLevel's and Roberta's trim_offsets ask for.
type trimmer struct {
	on          bool
	keepFirst   bool    // a single space at the start of the text stays, since add_prefix_space may have put it there
	lead, trail []uint8 // by id: the runes of white space at the ends of the token's text
}

func (b *builder) trimOffsets(c component) {
	if isSet(c.TrimOffsets, true) {
		b.t.trim.on, b.t.trim.keepFirst = true, isSet(c.AddPrefixSpace, true)
	}
}

// prepare counts the white space of all tokens.
func (t *trimmer) prepare(tokens []string) {
	if !t.on {
		return
	}
	t.lead, t.trail = make([]uint8, len(tokens)), make([]uint8, len(tokens))
	for id, text := range tokens {
		t.lead[id], t.trail[id] = spacesAround(text)
	}
}

// spacesAround counts the runes of white space, and marks for spaces of the byte alphabet, at the ends of s.
func spacesAround(s string) (lead, trail uint8) {
	isSpace := func(r rune) bool { return r == 'Ġ' || unicode.IsSpace(r) }
	for _, r := range s {
		if !isSpace(r) || lead == 255 {
			break
		}
		lead++
	}
	for s != "" && trail < 255 {
		r, w := utf8.DecodeLastRuneInString(s)
		if !isSpace(r) {
			break
		}
		trail++
		s = s[:len(s)-w]
	}
	return lead, trail
}

// trim shortens the range of a token of text that has lead and trail runes of white space at its ends.
func (t *trimmer) trim(text string, token *Token, first bool, lead, trail uint8) {
	if t.keepFirst && lead == 1 && (first || token.Start == 0) {
		lead = 0
	}
	for ; lead > 0 && token.Start < token.End; lead-- {
		_, w := utf8.DecodeRuneInString(text[token.Start:])
		token.Start = min(token.Start+w, token.End)
	}
	if n := int(trail); n > 0 && token.End < n*utf8.UTFMax && utf8.RuneCountInString(text[:token.End]) < n {
		return
	}
	for ; trail > 0 && token.Start < token.End; trail-- {
		_, w := utf8.DecodeLastRuneInString(text[:token.End])
		token.End = max(token.End-w, token.Start)
	}
}

// postProcessor finds the special tokens to put around a text and how ranges are trimmed.
func (b *builder) postProcessor(c component) {
	switch c.Type {
	case "ByteLevel":
		b.trimOffsets(c)
	case "BertProcessing", "RobertaProcessing":
		if c.Type == "RobertaProcessing" {
			b.trimOffsets(c)
		}
		var before, after []int32
		for _, part := range []struct {
			key   string
			token *namedID
			to    *[]int32
		}{{"cls", c.CLS, &before}, {"sep", c.SEP, &after}} {
			if part.token == nil {
				b.fail("tokenizer.json: %s has no %s", c.Type, part.key)
				return
			}
			if part.token.id < 0 || int(part.token.id) >= len(b.t.tokens) {
				b.fail("tokenizer.json: %s: %q has the id %d, outside the vocabulary of %d",
					c.Type, part.token.text, part.token.id, len(b.t.tokens))
			}
			*part.to = append(*part.to, part.token.id)
		}
		b.t.before = append(before, b.t.before...)
		b.t.after = append(b.t.after, after...)
		second, between := int32(1), after
		if c.Type == "RobertaProcessing" { // one type of token, and both texts end with a separator before the next begins
			second, between = 0, append(slices.Clone(after), after...)
		}
		b.setPair([]pairPart{
			{text: -1, ids: before}, {text: 0}, {text: -1, ids: between},
			{text: 1, typeID: second}, {text: -1, typeID: second, ids: after},
		}, nil)
	case "TemplateProcessing":
		var before, after []int32
		seen := false
		for _, part := range c.Single {
			switch {
			case part.Sequence != nil && (part.Sequence.ID != "A" || seen):
				b.fail("tokenizer.json: the single template of TemplateProcessing must have the sequence A once, not %q",
					part.Sequence.ID)
			case part.Sequence != nil:
				seen = true
			case part.SpecialToken != nil:
				ids, err := b.templateToken(c, part)
				b.check(err)
				if seen {
					after = append(after, ids...)
				} else {
					before = append(before, ids...)
				}
			default:
				b.fail("tokenizer.json: TemplateProcessing has a part that is neither a Sequence nor a SpecialToken")
			}
		}
		if !seen {
			b.fail("tokenizer.json: the single template of TemplateProcessing does not have the sequence A")
		}
		b.t.before = append(before, b.t.before...)
		b.t.after = append(b.t.after, after...)
		b.setPair(b.pairTemplate(c))
	default:
		b.unknown("post_processor", c.Type, "Sequence, ByteLevel, TemplateProcessing, BertProcessing, RobertaProcessing")
	}
}

// templateToken gives the ids of a special token of a template.
func (b *builder) templateToken(c component, part templatePart) ([]int32, error) {
	name := part.SpecialToken.ID
	token, ok := c.SpecialTokens[name]
	if !ok {
		return nil, mistake("tokenizer.json: TemplateProcessing uses %q, which its special_tokens do not list", name)
	}
	for _, id := range token.IDs {
		if id < 0 || int(id) >= len(b.t.tokens) {
			return nil, mistake("tokenizer.json: TemplateProcessing: %q has the id %d, outside the vocabulary of %d",
				name, id, len(b.t.tokens))
		}
	}
	return token.IDs, nil
}
