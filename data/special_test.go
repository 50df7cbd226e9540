package data

import (
	"testing"

	"instruct/tokenizer/chat"
)

// What a text brings along is not added a second time.
func TestPlainTextsEndOnce(t *testing.T) {
	tok := byteTokenizer(t) // ends with <|end|>, adds no beginning
	e := encoder(t, "lessons", tok)
	end, _ := tok.EOS()
	user, _ := tok.ID("<|user|>")
	e.Stop = []int32{end, user}
	want, _, err := e.Encode(Row{Text: "One day."})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"One day.<|end|>", "One day.<|end|>\n", "One day.<|end|> \r\n", "One day.<|end|><|end|>",
		"One day.<|end|>\n<|end|>\n"} {
		got, outcome, err := e.Encode(Row{Text: text})
		if err != nil || !equalIDs(got.IDs, want.IDs) || outcome.Doubled || outcome.Unended {
			t.Errorf("%q: got %v, %+v, %v, want %v", text, got.IDs, outcome, err, want.IDs)
		}
	}
	// Another token that ends an answer ends the text too; in the middle everything stays.
	got, _, _ := e.Encode(Row{Text: "One day.<|user|>\n"})
	if n := len(got.IDs); got.IDs[n-1] != user || n != len(want.IDs) {
		t.Errorf("got %v", got.IDs)
	}
	got, outcome, _ := e.Encode(Row{Text: "One<|end|><|end|> day."})
	if n := len(got.IDs); n != len(want.IDs)+2 || !outcome.Doubled {
		t.Errorf("got %v, %+v", got.IDs, outcome)
	}
	if got, _, _ = e.Encode(Row{Text: "<|end|>"}); len(got.IDs) != 1 {
		t.Errorf("got %v", got.IDs)
	}
}

// A real tokenizer that puts <s> before every text.
func TestPlainTextsBeginOnce(t *testing.T) {
	tok := fixtureTokenizer(t, "models/stories260K-hf")
	e := encoder(t, "alpaca", tok)
	want, _, err := e.Encode(Row{Text: "One day a cat sat on a mat."})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"<s>One day a cat sat on a mat.", "<s><s>One day a cat sat on a mat.", "\n<s>One day a cat sat on a mat.",
		"<s>One day a cat sat on a mat.</s>", "One day a cat sat on a mat.</s>\n",
	} {
		if got, outcome, err := e.Encode(Row{Text: text}); err != nil || !equalIDs(got.IDs, want.IDs) || outcome.Doubled {
			t.Errorf("%q: got %v, %v, want %v", text, got.IDs, err, want.IDs)
		}
	}
	// The end of an answer, which the template writes itself.
	once, _, _ := e.Encode(Row{Messages: talk("q", "a")})
	for _, answer := range []string{"a</s>", "a</s>\n", "a</s></s>"} {
		row := Row{Messages: talk("q", answer)}
		got, outcome, err := e.Encode(row)
		if err != nil || !equalIDs(got.IDs, once.IDs) || outcome.Special || row.Messages[1].Content != answer {
			t.Errorf("%q: got %v, %+v, %v, want %v", answer, got.IDs, outcome, err, once.IDs)
		}
	}
	for _, messages := range [][]chat.Message{talk("<s>[INST] q", "a"), talk("q", "<s>a"), talk("q</s>", "a")} {
		if _, outcome, err := e.Encode(Row{Messages: messages}); err != nil || !outcome.Special {
			t.Errorf("%v: %+v, %v", messages, outcome, err)
		}
	}
}

func TestChatMLTextEndsOnce(t *testing.T) {
	tok := fixtureTokenizer(t, "tokenizers/smollm2")
	e := encoder(t, "chatml", tok)
	end, _ := tok.ID("<|im_end|>")
	e.Stop = []int32{end}
	text := "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHo<|im_end|>"
	for _, more := range []string{"", "\n", "\n\n"} {
		got, outcome, err := e.Encode(Row{Text: text + more})
		if n := len(got.IDs); err != nil || got.IDs[n-1] != end || got.IDs[n-2] == end || outcome.Doubled || outcome.Unended {
			t.Errorf("%q: got %v, %+v, %v", more, got.IDs, outcome, err)
		}
	}
}

func equalIDs(a, b []int32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
