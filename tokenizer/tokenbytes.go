package tokenizer

import "strings"

// TokenBytes gives the bytes that a token adds to a text that has begun: for what must know them before a token is
// chosen. It is nil for an id without a token, and for one that decoding can skip. The texts of decoders that look at
// the tokens around are near: WordPiece's may have one space less before punctuation.
func (t *Tokenizer) TokenBytes(id int32) []byte {
	if id < 0 || int(id) >= len(t.tokens) || t.tokens[id] == "" || t.skipped[id] {
		return nil
	}
	return t.ownBytes(id)
}

// MarkBytes is [Tokenizer.TokenBytes] for a token that decoding can skip too: its text stands for itself.
func (t *Tokenizer) MarkBytes(id int32) []byte {
	if id < 0 || int(id) >= len(t.tokens) || t.tokens[id] == "" {
		return nil
	}
	return t.ownBytes(id)
}

func (t *Tokenizer) ownBytes(id int32) []byte {
	text := t.decoded[id]
	if len(t.decoders) == 0 {
		return []byte(" " + text)
	}
	for i := range t.decoders {
		d := &t.decoders[i]
		switch d.kind {
		case decodeBytes:
			text = string(d.bytes(nil, text))
		case decodeFallback:
			if b, ok := byteToken(text); ok {
				return []byte{b}
			}
		case decodeStrip:
			if !d.joined {
				text = d.strip(text)
			}
		case decodeReplace:
			text = d.replace(text)
		case decodeMeta, decodeSuffix:
			text = strings.ReplaceAll(text, d.old, " ")
		case decodeWordPiece:
			text = d.wordPiece(text, false)
		}
	}
	return []byte(text)
}
