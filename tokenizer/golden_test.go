package tokenizer

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"instruct/tokenizer/file"
	"instruct/tokenizer/internal/fixture"
)

// golden is testdata/expected.json, made by testdata/make.py with the Rust library.
type golden struct {
	Texts    []string                              `json:"texts"`
	Bases    map[string]map[string]json.RawMessage `json:"bases"`
	Variants []struct {
		Name    string                     `json:"name"`
		Base    string                     `json:"base"`
		Changes map[string]json.RawMessage `json:"changes"`
		Rows    [][5]json.RawMessage       `json:"rows"`
	} `json:"variants"`
	Pairs []struct {
		Name    string                     `json:"name"`
		Base    string                     `json:"base"`
		Changes map[string]json.RawMessage `json:"changes"` // null: of models.json
		Rows    [][10]json.RawMessage      `json:"rows"`
	} `json:"pairs"`
	Prose   string `json:"prose"`
	Trained []struct {
		Pattern   string      `json:"pattern"`
		Size      int         `json:"size"`
		Frequency int         `json:"frequency"`
		Merges    [][2]string `json:"merges"`
		Vocab     int         `json:"vocab"`
	} `json:"trained"`
}

func readGolden(t testing.TB) *golden {
	t.Helper()
	g := new(golden)
	fixture.ReadJSON(t, "testdata/expected.json", g)
	return g
}

// variant gives the tokenizer.json of a base with changes.
func (g *golden) variant(t testing.TB, base string, changes map[string]json.RawMessage) []byte {
	t.Helper()
	f := maps.Clone(g.Bases[base])
	for key, src := range changes {
		if key == "model" { // only the keys that it names
			model := map[string]json.RawMessage{}
			for _, part := range []json.RawMessage{f[key], src} {
				if err := json.Unmarshal(part, &model); err != nil {
					t.Fatal(err)
				}
			}
			merged, err := json.Marshal(model)
			if err != nil {
				t.Fatal(err)
			}
			src = merged
		}
		f[key] = src
	}
	data, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestVariants(t *testing.T) {
	g := readGolden(t)
	for _, v := range g.Variants {
		t.Run(v.Name, func(t *testing.T) {
			tok, err := Parse(g.variant(t, v.Base, v.Changes), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(v.Rows) != len(g.Texts) || len(v.Rows) == 0 {
				t.Fatalf("%d rows for %d texts", len(v.Rows), len(g.Texts))
			}
			for i, text := range g.Texts {
				c := expectation{Name: v.Name, Text: text}
				for k, to := range []any{&c.IDs, &c.Offsets, &c.IDsSpecial, &c.Decode, &c.DecodeSkip} {
					if err := json.Unmarshal(v.Rows[i][k], to); err != nil {
						t.Fatal(err)
					}
				}
				checkExpectation(t, tok, c)
			}
		})
	}
}

func TestTrainBPE(t *testing.T) {
	g := readGolden(t)
	for _, want := range g.Trained {
		t.Run(want.Pattern, func(t *testing.T) {
			tok, err := TrainBPE(context.Background(), strings.SplitAfterSeq(g.Prose, "\n"), TrainOptions{
				VocabSize: want.Size, MinFrequency: want.Frequency, Pattern: want.Pattern,
				Special: []string{"<|endoftext|>", "<|im_end|>"},
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := mergesOf(t, tok); !slices.Equal(got, want.Merges) {
				t.Errorf("merges\n%q\nwant\n%q", got, want.Merges)
			}
			if tok.VocabSize() != want.Vocab {
				t.Errorf("%d tokens, want %d", tok.VocabSize(), want.Vocab)
			}
			if id, ok := tok.ID("<|im_end|>"); !ok || id != 1 || !tok.IsSpecial(id) {
				t.Errorf("<|im_end|> is %d, %v", id, ok)
			}
			if got, err := tok.Decode(tok.Encode(g.Prose, false), false); err != nil || got != g.Prose {
				t.Errorf("round trip gives %q, %v", got, err)
			}
		})
	}
}

// mergesOf gives the merges of a tokenizer's file.
func mergesOf(t testing.TB, tok *Tokenizer) (list [][2]string) {
	t.Helper()
	f, err := file.Parse(tok.raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Model.EachMerge(func(a, b string) error { list = append(list, [2]string{a, b}); return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestTrainBPEErrors(t *testing.T) {
	texts := slices.Values([]string{"a text"})
	for _, c := range []struct {
		name string
		opts TrainOptions
		want string
	}{
		{"small", TrainOptions{VocabSize: 256, Special: []string{"<s>"}}, "too small"},
		{"pattern", TrainOptions{VocabSize: 300, Pattern: "bert"},
			`"bert" is not known (known: gpt2, llama3, qwen2, smollm2)`},
	} {
		_, err := TrainBPE(context.Background(), texts, c.opts)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := TrainBPE(ctx, texts, TrainOptions{VocabSize: 300}); err == nil ||
		!strings.Contains(err.Error(), "canceled") {
		t.Errorf("canceled: %v", err)
	}
}

func TestSaveLoad(t *testing.T) {
	g := readGolden(t)
	conf := `{"tokenizer_class":"GPT2Tokenizer","model_max_length":77,"bos_token":"<s>",
		"eos_token":{"content":"</s>","lstrip":false},"pad_token":null,
		"chat_template":[{"name":"tool_use","template":"T"},{"name":"default","template":"D"}]}`
	tok, err := Parse(g.variant(t, "bytes", nil), []byte(conf))
	if err != nil {
		t.Fatal(err)
	}
	if tok.ChatTemplate() != "D" || tok.EOSText() != "</s>" || tok.PADText() != "" {
		t.Errorf("template %q, EOS %q, PAD %q", tok.ChatTemplate(), tok.EOSText(), tok.PADText())
	}
	tok.SetChatTemplate("new")
	dir := t.TempDir()
	if err := tok.Save(dir, fixture.Write); err != nil {
		t.Fatal(err)
	}
	back := load(t, dir)
	if back.Hash() != tok.Hash() || back.ChatTemplate() != "new" || back.BOSText() != "<s>" || back.EOSText() != "</s>" {
		t.Errorf("hash %s for %s, template %q, BOS %q, EOS %q", back.Hash(), tok.Hash(), back.ChatTemplate(), back.BOSText(),
			back.EOSText())
	}
	var keys struct {
		Class    string `json:"tokenizer_class"`
		Max      int    `json:"model_max_length"`
		Template string `json:"chat_template"`
	}
	fixture.ReadJSON(t, dir+"/tokenizer_config.json", &keys)
	if keys.Class != "GPT2Tokenizer" || keys.Max != 77 || keys.Template != "new" {
		t.Errorf("tokenizer_config.json has %+v", keys)
	}
	// Without a template, and from a file alone.
	tok.SetChatTemplate("")
	if err := tok.Save(dir, fixture.Write); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir + "/chat_template.jinja"); !os.IsNotExist(err) {
		t.Errorf("chat_template.jinja is still there: %v", err)
	}
	alone := load(t, dir+"/tokenizer.json")
	if _, ok := alone.BOS(); ok || alone.Hash() == tok.Hash() {
		t.Error("a file alone has a BOS token")
	}
}

func TestBytes(t *testing.T) {
	tok := Bytes("<|im_start|>", "<|im_end|>", "<|im_start|>")
	if tok.VocabSize() != 258 {
		t.Errorf("%d tokens, want 258", tok.VocabSize())
	}
	text := "é\x00\n<|im_end|> a"
	want := []int32{0xC3, 0xA9, 0, '\n', 257, ' ', 'a'}
	if got := tok.Encode(text, true); !equal(got, want) {
		t.Errorf("ids %v, want %v", got, want)
	}
	if got, err := tok.Decode(want, true); err != nil || got != "é\x00\n a" {
		t.Errorf("decode %q, %v", got, err)
	}
	if err := tok.SetSpecial(Special{EOS: "<|im_end|>", PAD: "<pad>"}); err == nil {
		t.Error("a special token outside the vocabulary is taken")
	}
	before := tok.Hash()
	if err := tok.SetSpecial(Special{EOS: "<|im_end|>"}); err != nil {
		t.Fatal(err)
	}
	if id, ok := tok.EOS(); !ok || id != 257 || tok.Hash() == before {
		t.Errorf("EOS %d, %v", id, ok)
	}
	if _, ok := tok.BOS(); ok {
		t.Error("there is a BOS token")
	}
}
