package data

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"instruct/model/kernel/rng"
)

// rendered writes the page of rows and gives it with the examples.
func rendered(t *testing.T, e *Encoder, rows []Row) (string, []Example) {
	t.Helper()
	examples, audit, err := e.EncodeAll(context.Background(), rows, 1)
	if audit == nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := e.WriteHTML(&b, "rows <of> a test", rows, examples, audit); err != nil {
		t.Fatal(err)
	}
	return b.String(), examples
}

func TestPage(t *testing.T) {
	tok := byteTokenizer(t)
	e := encoder(t, "lessons", tok)
	e.MaxLength = 30
	var rows []Row
	for i := range 40 {
		rows = append(rows, Row{Source: fmt.Sprintf("f:%d", i+1), Messages: talk(strings.Repeat("q", i%5), "<b>\n")})
	}
	rows[20].Messages = talk("hi", strings.Repeat("truncated ", 9))
	rows[21].Messages = talk(strings.Repeat("dropped ", 9), "yo")
	rows[22].Messages[1].ToolCalls = json.RawMessage(`[{"name":"f"}]`)
	text, examples := rendered(t, e, rows)
	for _, part := range []string{
		"<title>rows &lt;of&gt; a test</title>", "<th scope=\"row\">rows</th><td>40</td>", "prefers-color-scheme: dark",
		`class="t on" title="token 2, id 60, &#34;&lt;&#34;, trained">&lt;</span>`,
		">↵\n</span>",
		`special">&lt;|end|&gt;</span>`,
		"<b>f:1</b>: 7 tokens, 5 trained (row 1)",
		"<b>f:21</b>: 30 tokens, 26 trained (truncated; does not end with a stop token; the longest; " +
			"65 tokens are cut off)",
		"<b>f:22</b>: 30 tokens, 0 trained (dropped: longer than max_length",
		"The template does not show: tool_calls.",
		"dashed: max_length 30",
		"30 tokens</span>",
		"the highest bar: 8 rows; a bar: 1 lengths",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("%s is not in the page", part)
		}
	}
	// Nothing is fetched, nothing runs.
	for _, part := range []string{"http", "<script", "<link", "@import", "url(", "src=", "ZgotmplZ"} {
		if strings.Contains(text, part) {
			t.Errorf("%s is in the page", part)
		}
	}
	if n := strings.Count(text, `<div class="row">`); n != pageFirst+3 {
		t.Errorf("%d rows are shown, want %d", n, pageFirst+3)
	}
	// The bars hold every example.
	total := 0
	for _, m := range regexp.MustCompile(`: (\d+) rows</title>`).FindAllStringSubmatch(text, -1) {
		n := 0
		fmt.Sscan(m[1], &n)
		total += n
	}
	if total != len(examples) {
		t.Errorf("the bars hold %d rows, want %d", total, len(examples))
	}
	if err := e.WriteHTML(failingWriter{}, "", rows, examples, newAudit()); err == nil {
		t.Error("a writer's error is lost")
	}
	// Rows of which none is left are shown too.
	if text, _ := rendered(t, e, rows[21:22]); !strings.Contains(text, "<b>f:22</b>") || strings.Contains(text, "<svg") {
		t.Error("the page of a dropped row")
	}
}

// The tokens of a row give its text, and the marked ones what is trained; long rows are cut and say so.
func TestPageTokens(t *testing.T) {
	tok := fixtureTokenizer(t, "tokenizers/qwen2_5")
	e := encoder(t, "chatml", tok)
	row := Row{Source: "f:1", Messages: talk("What is 😀?", "\nAn emoji 😀 é"), Tools: json.RawMessage("[]")}
	text, examples := rendered(t, e, []Row{row})
	var all, trained strings.Builder
	across := 0
	token := regexp.MustCompile(`<span class="(t[^"]*)" title="(token [^"]*)">([^<]*)</span>`)
	for _, m := range token.FindAllStringSubmatch(text, -1) {
		part := strings.ReplaceAll(strings.ReplaceAll(html.UnescapeString(m[3]), "↵", ""), "·", "")
		all.WriteString(part)
		if strings.Contains(m[1], " on") {
			trained.WriteString(part)
		}
		if strings.Contains(m[1], " across") {
			across++
			if !strings.Contains(m[2], "lies across a border") {
				t.Errorf("title %q", m[2])
			}
		}
	}
	want := "<|im_start|>user\nWhat is 😀?<|im_end|>\n<|im_start|>assistant\n\nAn emoji 😀 é<|im_end|>\n"
	if all.String() != want {
		t.Errorf("got %q, want %q", all.String(), want)
	}
	// The header's line end is one token with the answer's.
	want = "\n\nAn emoji 😀 é<|im_end|>"
	if trained.String() != want {
		t.Errorf("trained %q, want %q", trained.String(), want)
	}
	if across != 1 || len(examples[0].Straddling) != 1 {
		t.Errorf("%d tokens lie across a border, want 1", across)
	}
	row.Messages = talk("q", strings.Repeat("word ", pageTokens+10))
	if text, _ := rendered(t, e, []Row{row}); !strings.Contains(text, " more tokens</div>") {
		t.Error("a long row is not cut")
	}
}

// A stop token that is named counts, and no other special one.
func TestUnended(t *testing.T) {
	tok := byteTokenizer(t)
	e := encoder(t, "lessons", tok)
	row := Row{Source: "f:1", Messages: talk("q", "a")}
	end, _ := tok.ID("<|end|>")
	user, _ := tok.ID("<|user|>")
	for _, test := range []struct {
		stop []int32
		want bool
	}{{nil, false}, {[]int32{user, end}, false}, {[]int32{user}, true}} {
		e.Stop = test.stop
		if _, outcome, err := e.Encode(row); err != nil || outcome.Unended != test.want {
			t.Errorf("stop %v: unended %v, %v, want %v", test.stop, outcome.Unended, err, test.want)
		}
	}
}

// The pieces of a row are its text, cut where its tokens end but never inside a character; so a mark on a piece is a
// on the very bytes that are trained.
func TestPieces(t *testing.T) {
	for _, name := range []string{"tokenizers/smollm2", "tokenizers/gpt2", "tokenizers/qwen2_5", "models/stories260K-hf"} {
		tok := fixtureTokenizer(t, name)
		e := encoder(t, "zephyr", tok)
		for n := range 60 {
			r := rng.NewRand(6, "random chat", uint64(n), 0)
			row := Row{Source: "f:1", Messages: talk(randomText(&r), randomText(&r))}
			if n%5 == 0 {
				row = Row{Source: "f:1", Text: randomText(&r)}
			}
			var x encoding
			example, _, err := e.encodeRow(&row, &x)
			if err != nil {
				t.Fatal(err)
			}
			var all strings.Builder
			for i, piece := range x.pieces(tok, len(example.IDs)) {
				if !utf8.ValidString(piece) {
					t.Fatalf("%s: piece %q", name, piece)
				}
				if token := x.tokens[i]; token.Start < token.End { // not a special token that is put around a plain text
					all.WriteString(piece)
				}
			}
			if all.String() != x.text {
				t.Fatalf("%s: pieces %q of %q", name, all.String(), x.text)
			}
		}
	}
	// Byte tokens, which a stream holds back, are shown where they stand.
	e := encoder(t, "zephyr", fixtureTokenizer(t, "models/stories260K-hf"))
	var b strings.Builder
	err := e.Show(&b, Row{Source: "f:1", Messages: talk("a", "\nb")}, false)
	if err != nil || !strings.HasSuffix(b.String(), "<|assistant|>\n⟦\nb</s>⟧\n\n") {
		t.Errorf("got %q, %v", b.String(), err)
	}
}
