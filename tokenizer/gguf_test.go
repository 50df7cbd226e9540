package tokenizer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/tokenizer/file"
	"instruct/tokenizer/internal/fixture"
)

// ggufMeta reads the metadata of a GGUF file: just enough for these tests.
func ggufMeta(t *testing.T, path string) map[string]any {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	u := func(n int) uint64 {
		var b [8]byte
		if _, err := io.ReadFull(r, b[:n]); err != nil {
			t.Fatal(err)
		}
		return binary.LittleEndian.Uint64(b[:])
	}
	text := func() string {
		b := make([]byte, u(8))
		if _, err := io.ReadFull(r, b); err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var value func(kind uint64) any
	value = func(kind uint64) any {
		switch kind {
		case 0, 1, 7:
			return u(1)
		case 2, 3:
			return u(2)
		case 4, 5:
			return u(4)
		case 6:
			return math.Float32frombits(uint32(u(4)))
		case 8:
			return text()
		case 9:
			kind, n := u(4), u(8)
			list := make([]any, n)
			for i := range list {
				list[i] = value(kind)
			}
			return list
		}
		return u(8)
	}
	u(4)
	u(4)
	u(8)
	meta := map[string]any{}
	for range u(8) {
		key := text()
		meta[key] = value(u(4))
	}
	return meta
}

// smolLM2 reads the vocabulary of the GGUF fixture.
func smolLM2(t *testing.T, dir string) file.GGUF {
	t.Helper()
	meta := ggufMeta(t, filepath.Join(dir, "SmolLM2-135M-Instruct.Q4_1.gguf"))
	get := func(key string) any { return meta["tokenizer.ggml."+key] }
	v := file.GGUF{
		Model: get("model").(string), Pre: get("pre").(string), BOS: int(get("bos_token_id").(uint64)),
		EOS: int(get("eos_token_id").(uint64)),
		UNK: int(get("unknown_token_id").(uint64)), PAD: int(get("padding_token_id").(uint64)),
		AddBOS:       get("add_bos_token").(uint64) != 0,
		ChatTemplate: meta["tokenizer.chat_template"].(string),
	}
	for _, s := range get("tokens").([]any) {
		v.Tokens = append(v.Tokens, s.(string))
	}
	for _, s := range get("token_type").([]any) {
		v.Types = append(v.Types, int32(s.(uint64)))
	}
	for _, s := range get("merges").([]any) {
		v.Merges = append(v.Merges, s.(string))
	}
	return v
}

func TestFromGGUFSmolLM2(t *testing.T) {
	dir := fixture.Path(t, "models", "smollm2-135m-instruct-gguf")
	tok, err := FromGGUF(smolLM2(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Prompts []struct {
			Text       string  `json:"text"`
			IDs        []int32 `json:"ids"`
			GreedyIDs  []int32 `json:"greedy_ids"`
			GreedyText string  `json:"greedy_text"`
		} `json:"prompts"`
	}
	fixture.ReadJSON(t, filepath.Join(dir, "expected.json"), &want)
	for _, p := range want.Prompts {
		if got := tok.Encode(p.Text, true); !equal(got, p.IDs) {
			t.Errorf("%q: %v, want %v", p.Text, got, p.IDs)
		}
		if got, err := tok.Decode(p.GreedyIDs, true); err != nil || got != p.GreedyText {
			t.Errorf("decode %q, %v, want %q", got, err, p.GreedyText)
		}
	}
	if len(want.Prompts) == 0 {
		t.Error("no prompts")
	}
	// It is the tokenizer of the model's own folder.
	hf := load(t, fixture.Path(t, "tokenizers", "smollm2"))
	if tok.VocabSize() != hf.VocabSize() {
		t.Errorf("%d tokens, want %d", tok.VocabSize(), hf.VocabSize())
	}
	var cases []expectation
	fixture.ReadJSON(t, fixture.Path(t, "tokenizers", "smollm2", "expected.json"), &cases)
	for _, c := range cases {
		checkExpectation(t, tok, c)
	}
	if tok.EOSText() != "<|im_end|>" || tok.ChatTemplate() == "" {
		t.Errorf("EOS %q, chat template %q", tok.EOSText(), tok.ChatTemplate())
	}
}

// spmVocab is a small SentencePiece vocabulary with byte tokens.
func spmVocab() file.GGUF {
	v := file.GGUF{Model: "llama", BOS: 1, EOS: 2, UNK: 0, PAD: -1, AddBOS: true, AddSpacePrefix: true}
	add := func(s string, score float32, kind int32) {
		v.Tokens, v.Scores, v.Types = append(v.Tokens, s), append(v.Scores, score), append(v.Types, kind)
	}
	add("<unk>", 0, 2)
	add("<s>", 0, 3)
	add("</s>", 0, 3)
	for b := range 256 {
		add("<0x"+string("0123456789ABCDEF"[b>>4])+string("0123456789ABCDEF"[b&15])+">", 0, 6)
	}
	for i, s := range []string{"he", "ll", "▁he", "hell", "▁hell", "▁hello", "▁", "h", "e", "l", "o"} {
		add(s, -float32(i), 1)
	}
	add("<tool>", 0, 4)
	return v
}

func TestFromGGUFSentencePiece(t *testing.T) {
	tok, err := FromGGUF(spmVocab())
	if err != nil {
		t.Fatal(err)
	}
	names := func(ids []int32) string {
		var s []string
		for _, id := range ids {
			s = append(s, tok.TokenText(id))
		}
		return strings.Join(s, " ")
	}
	for _, c := range []struct{ name, text, want, decoded string }{
		{"merged by score", "hello", "<s> ▁hello", "hello"},
		{"space", "he hello", "<s> ▁he ▁hello", "he hello"},
		{"bytes", "é!", "<s> ▁ <0xC3> <0xA9> <0x21>", "é!"},
		{"user-defined", "he<tool>he", "<s> ▁he <tool> ▁he", "he<tool> he"},
		{"control", "he</s>", "<s> ▁he </s>", "he"},
		{"empty", "", "<s>", ""},
	} {
		ids := tok.Encode(c.text, true)
		if got := names(ids); got != c.want {
			t.Errorf("%s: %q gives %s, want %s", c.name, c.text, got, c.want)
		}
		if got, err := tok.Decode(ids, true); err != nil || got != c.decoded {
			t.Errorf("%s: decodes to %q, %v, want %q", c.name, got, err, c.decoded)
		}
	}
}

func TestFromGGUFErrors(t *testing.T) {
	gpt2 := file.GGUF{Model: "gpt2", Pre: "gpt-2", Tokens: []string{"a", "b", "ab"}, Merges: []string{"a b"}, BOS: -1,
		EOS: -1, UNK: -1, PAD: -1}
	for _, c := range []struct {
		name string
		edit func(*file.GGUF)
		want string
	}{
		{"no tokens", func(v *file.GGUF) { v.Tokens = nil }, "no tokenizer.ggml.tokens"},
		{"model", func(v *file.GGUF) { v.Model = "bert" }, `"bert" is not supported`},
		{"pre", func(v *file.GGUF) { v.Pre = "poro-chat" }, `"poro-chat" is not supported`},
		{"types", func(v *file.GGUF) { v.Types = []int32{1} }, "3 tokens but 1 token types"},
		{"scores", func(v *file.GGUF) { v.Model = "llama" }, "3 tokens but 0 scores"},
		{"merge", func(v *file.GGUF) { v.Merges = []string{"ab"} }, `merge 0 is "ab"`},
		{"merge of nothing", func(v *file.GGUF) { v.Merges = []string{"a c"} }, `needs the token "c"`},
		{"eos", func(v *file.GGUF) { v.EOS = 7 }, "eos_token_id is 7"},
	} {
		v := gpt2
		c.edit(&v)
		_, err := FromGGUF(v)
		var user interface{ UserError() bool }
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &user) {
			t.Errorf("%s: %v, want a user error with %q", c.name, err, c.want)
		}
	}
}

func TestFromGGUFTemplates(t *testing.T) {
	v := spmVocab()
	v.NamedTemplates = map[string]string{"default": "D", "tool_use": "T", "rag": "R"}
	tok, err := FromGGUF(v)
	if err != nil {
		t.Fatal(err)
	}
	if tok.ChatTemplate() != "D" || tok.NamedTemplate("tool_use") != "T" ||
		strings.Join(tok.TemplateNames(), ", ") != "rag, tool_use" {
		t.Errorf("default %q, others %q", tok.ChatTemplate(), tok.TemplateNames())
	}
	v.ChatTemplate = "C"
	if tok, err = FromGGUF(v); err != nil || tok.ChatTemplate() != "C" ||
		strings.Join(tok.TemplateNames(), ", ") != "rag, tool_use" {
		t.Errorf("default %q, others %q, %v", tok.ChatTemplate(), tok.TemplateNames(), err)
	}
}
