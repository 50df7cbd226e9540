package tokenizer

import (
	"os"

	sugar "github.com/sugarme/tokenizer"
	sugarnorm "github.com/sugarme/tokenizer/normalizer"
)

// Sugarme gives a tokenizer of github.com/sugarme/tokenizer that does this tokenizer's work, for code written for that
// package. The whole of it lies behind the PreTokenizer, which attaches finished tokens; register no added tokens with
// the result, since its own search for them is not exact. For bulk work use [Tokenizer.Append], which is much faster.
func (t *Tokenizer) Sugarme() *sugar.Tokenizer {
	s := sugar.NewTokenizer(SugarmeAdapter{t})
	s.WithPreTokenizer(SugarmeAdapter{t})
	s.WithPostProcessor(SugarmeAdapter{t})
	s.WithDecoder(SugarmeAdapter{t})
	return s
}

// SugarmeAdapter implements the interfaces Model, PreTokenizer, PostProcessor and Decoder of
// github.com/sugarme/tokenizer.
type SugarmeAdapter struct{ t *Tokenizer }

var (
	_ sugar.Model         = SugarmeAdapter{}
	_ sugar.PreTokenizer  = SugarmeAdapter{}
	_ sugar.PostProcessor = SugarmeAdapter{}
	_ sugar.Decoder       = SugarmeAdapter{}
)

// PreTokenize attaches to every part of the text that has no tokens yet all of its tokens.
func (a SugarmeAdapter) PreTokenize(text *sugar.PreTokenizedString) (*sugar.PreTokenizedString, error) {
	return text.Split(func(_ int, part *sugarnorm.NormalizedString) []sugar.SplitIdx {
		tokens := a.tokens(part.GetNormalized())
		if len(tokens) == 0 {
			return nil
		}
		return []sugar.SplitIdx{{Normalized: part, Tokens: tokens}}
	}), nil
}

// AddedTokens gives the number of special tokens that Process puts around a text or into a pair.
func (a SugarmeAdapter) AddedTokens(isPair bool) int {
	if !isPair {
		return len(a.t.before) + len(a.t.after)
	}
	n := 0
	for _, part := range a.t.pair {
		n += len(part.ids)
	}
	return n
}

// Process puts the special tokens around a text, or makes one sequence of a pair as [Tokenizer.EncodePair] does. Where
// that would fail the pair is only joined, since there is no error to give.
func (a SugarmeAdapter) Process(encoding, pair *sugar.Encoding, addSpecial bool) *sugar.Encoding {
	if pair == nil && !addSpecial || pair != nil && a.t.pairError != nil {
		return sugar.DefaultProcess(encoding, pair, addSpecial)
	}
	out := sugar.DefaultEncoding()
	if pair != nil {
		out.SequenceRanges = make(map[int]sugar.Range)
		for _, part := range a.t.pair {
			switch {
			case part.text >= 0:
				from := len(out.Ids)
				appendEncoding(out, []*sugar.Encoding{encoding, pair}[part.text])
				for i := from; i < len(out.Ids); i++ {
					out.TypeIds[i] = int(part.typeID)
				}
				if from < len(out.Ids) { // that package has no empty ranges
					out.SequenceRanges[part.text] = sugar.NewRange(from, len(out.Ids))
				}
			case addSpecial:
				a.special(out, part.ids, part.typeID, 0)
			}
		}
		return out
	}
	end := 0
	if n := len(encoding.Offsets); n > 0 {
		end = encoding.Offsets[n-1][1]
	}
	a.special(out, a.t.before, 0, 0)
	appendEncoding(out, encoding)
	a.special(out, a.t.after, 0, end)
	return out
}

// special appends special tokens, which stand at a place of the text.
func (a SugarmeAdapter) special(to *sugar.Encoding, ids []int32, typeID int32, at int) {
	for _, id := range ids {
		to.Ids = append(to.Ids, int(id))
		to.TypeIds = append(to.TypeIds, int(typeID))
		to.Tokens = append(to.Tokens, a.t.TokenText(id))
		to.Offsets = append(to.Offsets, []int{at, at})
		to.SpecialTokenMask = append(to.SpecialTokenMask, 1)
		to.AttentionMask = append(to.AttentionMask, 1)
		to.Words = append(to.Words, -1)
	}
}

// appendEncoding appends the tokens of a text.
func appendEncoding(to, from *sugar.Encoding) {
	to.Ids = append(to.Ids, from.Ids...)
	to.TypeIds = append(to.TypeIds, from.TypeIds...)
	to.Tokens = append(to.Tokens, from.Tokens...)
	to.Offsets = append(to.Offsets, from.Offsets...)
	to.SpecialTokenMask = append(to.SpecialTokenMask, from.SpecialTokenMask...)
	to.AttentionMask = append(to.AttentionMask, from.AttentionMask...)
	to.Words = append(to.Words, from.Words...)
}

// Tokenize gives the tokens of a text that was not split.
func (a SugarmeAdapter) Tokenize(text string) ([]sugar.Token, error) { return a.tokens(text), nil }

func (a SugarmeAdapter) tokens(text string) []sugar.Token {
	tokens := a.t.Append(nil, text, false)
	out := make([]sugar.Token, len(tokens))
	for i, t := range tokens {
		out[i] = sugar.NewToken(int(t.ID), a.t.TokenText(t.ID), []int{t.Start, t.End})
	}
	return out
}

// TokenToId gives the id of a token.
func (a SugarmeAdapter) TokenToId(token string) (id int, ok bool) {
	n, ok := a.t.ID(token)
	return int(n), ok
}

// IdToToken gives the text of a token.
func (a SugarmeAdapter) IdToToken(id int) (token string, ok bool) {
	if id < 0 || id >= a.t.VocabSize() {
		return "", false
	}
	token = a.t.TokenText(int32(id))
	return token, token != ""
}

// GetVocab gives all tokens and their ids.
func (a SugarmeAdapter) GetVocab() map[string]int {
	vocab := make(map[string]int, len(a.t.vocab))
	for token, id := range a.t.vocab {
		vocab[token] = int(id)
	}
	return vocab
}

// GetVocabSize gives the number of ids.
func (a SugarmeAdapter) GetVocabSize() int { return a.t.VocabSize() }

// Save writes the tokenizer into the folder path; a prefix for file names is not used.
func (a SugarmeAdapter) Save(path string, _ ...string) error {
	return a.t.Save(path, func(path string, data []byte) error { return os.WriteFile(path, data, 0o644) })
}

// Decode gives the text of tokens.
func (a SugarmeAdapter) Decode(tokens []string) string {
	s := a.t.NewStream(false)
	for _, token := range tokens {
		s.step(0, token)
	}
	s.flush()
	return string(s.out)
}

// DecodeChain gives the text of tokens in one part.
func (a SugarmeAdapter) DecodeChain(tokens []string) []string {
	return []string{a.Decode(tokens)}
}
