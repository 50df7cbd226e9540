package tokenizer

// PairToken is a token of two texts that are encoded as one sequence, such as a question and the passage to answer it
// from.
type PairToken struct {
	Token        // its range is one of its own text; a special token has the empty range at 0
	TypeID int32 // token_type_ids: which part of the sequence the token is in, by the post-processor
	Text   int   // 0 for the first text, 1 for the second, -1 for a special token
}

// pairPart is a part of the sequence that two texts make: a text, or special tokens.
type pairPart struct {
	text   int // 0, 1 or -1
	typeID int32
	ids    []int32
}

// EncodePair gives the tokens of two texts as one sequence. The post-processor says in which order they come, with
// which type ids and, with addSpecial, between which special tokens; without a post-processor that does, the second
// text follows the first and has the type id 1. It fails where the post-processor says nothing of pairs that can be
// followed.
func (t *Tokenizer) EncodePair(a, b string, addSpecial bool) ([]PairToken, error) {
	if t.pairError != nil {
		return nil, t.pairError
	}
	texts := [2][]Token{t.Append(nil, a, false), t.Append(nil, b, false)}
	var out []PairToken
	for _, part := range t.pair {
		switch {
		case part.text >= 0:
			for _, token := range texts[part.text] {
				out = append(out, PairToken{token, part.typeID, part.text})
			}
		case addSpecial:
			for _, id := range part.ids {
				out = append(out, PairToken{Token{ID: id}, part.typeID, -1})
			}
		}
	}
	return out, nil
}

// setPair notes what a post-processor makes of two texts. One that puts tokens around them can be followed only by
// itself: the Rust library, too, hands a second one what the first has made of the pair, which is no pair any more.
func (b *builder) setPair(parts []pairPart, err error) {
	if b.paired {
		parts, err = nil, mistake("tokenizer.json: post_processor: several processors put special tokens around a pair of "+
			"texts; expected one")
	}
	b.paired, b.t.pair, b.t.pairError = true, parts, err
}

// pairTemplate reads the pair template of TemplateProcessing.
func (b *builder) pairTemplate(c component) (parts []pairPart, err error) {
	if len(c.Pair) == 0 {
		return nil, mistake("tokenizer.json: TemplateProcessing has no pair template, so that two texts cannot be encoded " +
			"as one sequence; add one")
	}
	for _, part := range c.Pair {
		switch {
		case part.Sequence != nil && (part.Sequence.ID == "A" || part.Sequence.ID == "B"):
			parts = append(parts, pairPart{text: int(part.Sequence.ID[0] - 'A'), typeID: part.Sequence.TypeID})
		case part.Sequence != nil:
			return nil, mistake("tokenizer.json: the pair template of TemplateProcessing has the sequence %q, expected A or B",
				part.Sequence.ID)
		case part.SpecialToken != nil:
			ids, err := b.templateToken(c, part)
			if err != nil {
				return nil, err
			}
			parts = append(parts, pairPart{text: -1, typeID: part.SpecialToken.TypeID, ids: ids})
		default:
			return nil, mistake("tokenizer.json: the pair template of TemplateProcessing has a part that is neither a " +
				"Sequence nor a SpecialToken")
		}
	}
	return parts, nil
}
