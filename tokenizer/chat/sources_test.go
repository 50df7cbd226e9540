package chat

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/tokenizer"
	"instruct/tokenizer/internal/fixture"
)

// folder is that of a tokenizer of bytes whose tokenizer_config.json has a chat_template.
func folder(t *testing.T, value string) string {
	t.Helper()
	dir := t.TempDir()
	if err := tokenizer.Bytes("<|end|>").Save(dir, fixture.Write); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{"tokenizer_config.json": `{"eos_token":"<|end|>","chat_template":` + value + `}`})
	return dir
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Where the templates come from, which of them takes a conversation, and what a saved folder gives.
func TestTemplateSources(t *testing.T) {
	list := `[{"name":"default","template":"D"},{"name":"tool_use","template":"T{{ tools | length }}"},` +
		`{"name":"rag","template":"R"}]`
	tests := []struct {
		name, config string
		files        map[string]string
		choose       string
		plain, tools string // what the chosen template renders
		err          string
	}{
		{"a string", `"S"`, nil, "", "S", "S", ""},
		{"a list", list, nil, "", "D", "T1", ""},
		{"a named one", list, nil, "rag", "R", "R", ""},
		{"the default by name", list, nil, "default", "D", "D", ""},
		{"a list without default", `[{"name":"a","template":"A"},{"name":"b","template":"B"}]`, nil, "", "", "",
			"chat templates of the names a, b and no default"},
		{"a list without default, one named", `[{"name":"a","template":"A"},{"name":"b","template":"B"}]`, nil, "b", "B", "B",
			""},
		{"a file before the config", list, map[string]string{"chat_template.jinja": "F"}, "", "F", "F", ""},
		{"a folder", "null", map[string]string{"chat_template.jinja": "F", "additional_chat_templates/tool_use.jinja": "FT",
			"additional_chat_templates/notes.txt": "x"}, "", "F", "FT", ""},
		{"a folder alone", `"S"`, map[string]string{"additional_chat_templates/rag.jinja": "FR"}, "", "", "",
			"chat templates of the names rag and no default"},
		{"an unknown name", list, nil, "nothing", "", "", "none"},
		{"a broken tool template", `[{"name":"default","template":"D"},{"name":"tool_use","template":"{% if %}"}]`, nil, "",
			"", "", "tool_use: chat: template"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := folder(t, test.config)
			writeFiles(t, dir, test.files)
			tok := load(t, dir)
			check := func(tok *tokenizer.Tokenizer) {
				t.Helper()
				tp, err := Own(tok, test.choose)
				switch {
				case test.err == "none":
					if tp != nil || err != nil {
						t.Errorf("got %v, %v", tp, err)
					}
					return
				case test.err != "":
					if err == nil || !strings.Contains(err.Error(), test.err) {
						t.Errorf("got %v, want %q", err, test.err)
					}
					return
				case err != nil:
					t.Fatal(err)
				}
				for tools, want := range map[string]string{"": test.plain, "null": test.plain, `[{"name":"f"}]`: test.tools} {
					r, err := tp.RenderConversation(&Conversation{Messages: []Message{{Role: "user", Content: "Q"}},
						Tools: json.RawMessage(tools)}, false)
					if err != nil || r.Text != want {
						t.Errorf("tools %q give %q, %v, want %q", tools, r.Text, err, want)
					}
				}
			}
			check(tok)
			// A folder that is saved again is served alike.
			if err := tok.Save(dir, fixture.Write); err != nil {
				t.Fatal(err)
			}
			check(load(t, dir))
			// Another template takes the place of all.
			tok.SetChatTemplate("new")
			if err := tok.Save(dir, fixture.Write); err != nil {
				t.Fatal(err)
			}
			back := load(t, dir)
			if tp, err := Own(back, ""); err != nil || tp.Source() != "new" || tp.toolUse != nil ||
				len(back.TemplateNames()) > 0 {
				t.Errorf("got %+v, %v", tp, err)
			}
		})
	}
	if _, err := tokenizer.Load(folder(t, "7")); err == nil ||
		!strings.Contains(err.Error(), "neither a text nor a list") {
		t.Errorf("got %v", err)
	}
	evil := load(t, folder(t, `[{"name":"../x","template":"A"}]`))
	if err := evil.Save(t.TempDir(), fixture.Write); err == nil || !strings.Contains(err.Error(), "no file name") {
		t.Errorf("a template named ../x: %v", err)
	}
}

func TestTemplateHashOfTools(t *testing.T) {
	var hashes []string
	for _, templates := range []string{`"D"`, `[{"name":"default","template":"D"},{"name":"tool_use","template":"T"}]`} {
		tp, err := Own(load(t, folder(t, templates)), "")
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, tp.Hash())
	}
	if hashes[0] == hashes[1] {
		t.Error("the hash does not see the tool template")
	}
}
