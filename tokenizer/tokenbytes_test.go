package tokenizer

import "testing"

// TestTokenBytes: the bytes of tokens, put together behind a beginning, are what decoding makes of them.
func TestTokenBytes(t *testing.T) {
	tok := Bytes("<|end|>")
	for _, text := range []string{"plain", "é ü 日本", "\x00\n\"\\"} {
		var got []byte
		for _, id := range tok.Encode(text, false) {
			got = append(got, tok.TokenBytes(id)...)
		}
		if string(got) != text {
			t.Errorf("%q: %q", text, got)
		}
	}
	end, _ := tok.ID("<|end|>")
	if tok.TokenBytes(end) != nil || tok.TokenBytes(-1) != nil || tok.TokenBytes(1<<20) != nil {
		t.Error("a special token, or one that is not there, has bytes")
	}
	if string(tok.MarkBytes(end)) != "<|end|>" || tok.MarkBytes(-1) != nil {
		t.Errorf("the mark is %q", tok.MarkBytes(end))
	}
}
