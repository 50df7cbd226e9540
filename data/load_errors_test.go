package data

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// failing is a file that cannot be loaded, and what its error says beside the path.
type failing struct{ name, file, content, want string }

func loadFails(t *testing.T, tests []failing) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.file, test.content)
			rows, err := Load(context.Background(), []string{path}, "")
			if err == nil {
				t.Fatalf("no error, rows %+v", rows)
			}
			text := err.Error()
			if !isUserError(err) || strings.Contains(text, "\n") || !strings.Contains(text, path) {
				t.Errorf("not a user's error of one line that names the file: %v", err)
			}
			if !strings.Contains(text, test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestFileErrors(t *testing.T) {
	loadFails(t, []failing{
		{"empty file", "r.jsonl", "", "r.jsonl is empty"},
		{"no rows", "r.jsonl", "\n \n", "r.jsonl has no rows"},
		{"empty array", "r.json", "[]", "r.json has no rows"},
		{"header only", "r.csv", "instruction,output\n", "r.csv has no rows"},
		{"unknown type", "r.doc", "x",
			`the file type ".doc" is unknown; the known ones are .jsonl .ndjson .json .csv .tsv .parquet .xlsx .txt, and`},
		{"not UTF-8", "r.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\xff\"}", "r.jsonl:2:11: the text is not UTF-8"},
		{"half a UTF-16 character", "r.csv", "\xff\xfea\x00\n\x00b", "r.csv:2: the text is damaged UTF-16"},
		{"half a UTF-16 pair", "r.csv", "\xff\xfe\x3d\xd8a\x00", "r.csv:1: the text is damaged UTF-16"},
		{"Windows-1252 in JSON", "r.jsonl", "{\"text\":\"\xe9\"}",
			"r.jsonl:1:10: the text is not UTF-8: save it as UTF-8 (iconv"},
		{"two encodings", "r.csv", "text\n\xe9\né\n", "r.csv:2:1: the text is not UTF-8"},
		{"two encodings, UTF-8 first", "r.csv", "text\né\n\xe9\n", "r.csv:3:1: the text is not UTF-8"},
		{"not Windows-1252", "r.tsv", "text\nab\x81\n", "r.tsv:2:3: the text is neither UTF-8 nor Windows-1252"},
		{"a cut gzip file", "r.jsonl.gz", "\x1f\x8b\x08", "r.jsonl.gz: no gzip file, or a damaged one"},
		{"a cut zstd file", "r.jsonl.zst", "\x28\xb5\x2f\xfd\x00", "read "},
		{"a cut xz file", "r.jsonl.xz", "\xfd7zXZ\x00", "r.jsonl.xz: no xz file, or a damaged one"},
		{"a packed Parquet file", "r.parquet.gz", "x", "r.parquet.gz is packed: unpack it first"},
		{"no workbook", "r.xlsx", "x", "no .xlsx workbook"},
	})
}

func TestJSONErrors(t *testing.T) {
	loadFails(t, []failing{
		{"invalid JSON", "r.jsonl", "{\"text\":\"a\"}\n{\"text\": é}\n",
			"r.jsonl:2:10: invalid JSON: invalid character 'é'"},
		{"cut JSON", "r.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\"", "r.jsonl:2:12: invalid JSON: unexpected end"},
		{"two values on a line", "r.jsonl", "{\"text\":\"a\"} {\"text\":\"b\"}", "r.jsonl:1:14: invalid JSON"},
		{"array on a line", "r.jsonl", "[1]", "r.jsonl:1:2: expected an object, found number"},
		{"null on a line", "r.jsonl", "null", "r.jsonl:1: expected an object, found null"},
		{"invalid JSON array", "r.json", "[\n {\"text\":\"a\"},\n {\"text\":\"é\",}\n]", "r.json:3:14: invalid JSON"},
		{"cut JSON array", "r.json", "[\n {\"text\":\"a\"}", "r.json:2:14: invalid JSON: unexpected end"},
		{"number in an array", "r.json", "[{\"text\":\"a\"},\n 7]", "r.json:2:2: expected an object, found number"},
		{"null in an array", "r.json", "[{\"text\":\"a\"},\n null]", "r.json:2: expected an object, found null"},
		{"no rows at all", "r.json", "7", "r.json:1:1: expected an array of rows, found number"},
		{"two arrays", "r.json", "[{\"text\":\"a\"}]\n[]", "r.json:2:1: invalid JSON: invalid character '[' after top-level"},
		{"no comma", "r.json", "[{\"text\":\"a\"}\n{}]", "r.json:2:1: invalid JSON: invalid character '{' after array"},
		{"a comma too much", "r.json", "[{\"text\":\"a\"},\n]", "r.json:2:1: invalid JSON: invalid character ']' looking"},
		{"a line end in a string", "r.json", "[\n{\"text\":\"é\n\"}]", `r.json:2:11: invalid JSON: invalid character '\n'`},
		{"nothing but [", "r.json", " [\n", "r.json:1:3: invalid JSON: unexpected end"},
		{"not UTF-8 in an array", "r.json", "[{\"text\":\"a\"},\n {\"text\":\"\xe9\"}]",
			"r.json:2:11: the text is not UTF-8"},
		{"cut around rows", "r.json", `{"data":[{"text":"a"}]`, "r.json:1:23: invalid JSON: unexpected end"},
	})
}

func TestRowErrors(t *testing.T) {
	loadFails(t, []failing{
		{"unknown format", "r.jsonl", `{"ask":"q","say":"a"}`,
			"r.jsonl:1: no format has the keys {ask, say}; those of the known formats are " +
				"{id, prompt, chosen, rejected, paraphrases}, {chosen, rejected}, {message_tree_id, prompt}, " +
				"{message_id, role, text}, {messages}, {conversations}, {conversation}, {prompt, completion}, "},
		{"row of no format", "r.jsonl",
			"{\"instruction\":\"I\",\"output\":\"O\"}\n{\"prompt\":\"P\",\"say\":\"C\"}",
			"r.jsonl:2: no format has the keys {prompt, say}; those of the known formats are"},
		{"empty response", "r.jsonl",
			"{\"instruction\":\"I\",\"output\":\"O\"}\n{\"instruction\":\"I\",\"output\":\" \\n\"}",
			"r.jsonl:2: the response is empty"},
		{"null response", "r.jsonl", `{"instruction":"I","output":null}`, "r.jsonl:1: the response is empty"},
		{"empty text", "r.jsonl", `{"text":" "}`, "r.jsonl:1: the text is empty"},
		{"wrong type", "r.jsonl", `{"instruction":"I","output":5}`,
			`r.jsonl:1: key "output" must be a string, found a number`},
		{"wrong type of input", "r.jsonl", `{"instruction":"I","input":["x"],"output":"O"}`,
			`key "input" must be a string, found an array`},
		{"completion is a number", "r.jsonl", `{"prompt":"P","completion":3}`,
			`key "completion" must be a string or a list of messages, found a number`},
		{"preference without prompt", "r.jsonl", `{"chosen":"C","rejected":"R"}`, "a preference row needs a prompt"},
		{"rejected is a number", "r.jsonl", `{"prompt":"P","chosen":"C","rejected":1}`,
			`key "rejected" must be a string or a list of messages`},
	})
}

func TestMessageErrors(t *testing.T) {
	loadFails(t, []failing{
		{"messages are an object", "r.jsonl", `{"messages":{"role":"user"}}`,
			`key "messages" must be a list of messages, found an object`},
		{"messages are empty", "r.jsonl", `{"messages":[]}`, `key "messages" has no messages`},
		{"message is a string", "r.jsonl", `{"messages":["hello"]}`,
			"has 1 texts; expected a question and an answer in turn"},
		{"unknown role", "r.jsonl", `{"messages":[{"role":"user","content":"U"},{"role":"parrot","content":"A"}]}`,
			`r.jsonl:1: key "messages", message 2: the role "parrot" is unknown; the known ones are system, developer, ` +
				`user, assistant and tool, and what other data call them: ai, assistant, bard, bing, bot,`},
		{"no role", "r.jsonl", `{"messages":[{"content":"U"}]}`, `message 1: the key "role" says nothing`},
		{"a role of null", "r.jsonl", `{"messages":[{"role":null,"content":"U"}]}`, `message 1: the key "role" says nothing`},
		{"no answer in text", "r.jsonl", `{"messages":[{"role":"user","content":"U"},{"role":"assistant","contnt":"A"}]}`,
			"the response is empty (message 2)"},
		{"an image", "r.jsonl", `{"messages":[{"role":"user","content":[{"type":"image","url":"x"}]}]}`,
			`message 1: key "content" has a part of the type "image" that is no text`},
		{"tool calls are no list", "r.jsonl",
			`{"messages":[{"role":"assistant","content":"","tool_calls":{"function":{}}}]}`,
			`message 1: key "tool_calls" must be a list of calls`},
		{"tool calls are strings", "r.jsonl", `{"messages":[{"role":"assistant","content":"","tool_calls":["f"]}]}`,
			`message 1: key "tool_calls" must be a list of calls`},
		{"tools are an object", "r.jsonl", `{"messages":[{"role":"assistant","content":"A"}],"tools":{"name":"f"}}`,
			`r.jsonl:1: key "tools" must be a list of JSON schemas, found an object`},
		{"tools are no JSON", "r.jsonl", `{"messages":[{"role":"assistant","content":"A"}],"tools":"hammer"}`,
			`key "tools" is a string that is no JSON`},
		{"variables are a list", "r.jsonl", `{"messages":[{"role":"assistant","content":"A"}],"chat_template_kwargs":[1]}`,
			`key "chat_template_kwargs" must be an object, found an array`},
		{"train is a number", "r.jsonl", `{"messages":[{"role":"assistant","content":"A","train":1}]}`,
			`key "train" must be true or false, found a number`},
		{"weight is half", "r.jsonl", `{"messages":[{"role":"assistant","content":"A","weight":0.5}]}`,
			`key "weight" must be 0 or 1, found 0.5`},
		{"no answer", "r.jsonl", `{"messages":[{"role":"user","content":"U"}]}`,
			"r.jsonl:1: there is no assistant message to train on"},
		{"empty answer in a conversation", "r.jsonl",
			`{"conversations":[{"from":"human","value":"U"},{"from":"gpt","value":""}]}`,
			"r.jsonl:1: the response is empty (message 2)"},
	})
}

func TestTableErrors(t *testing.T) {
	loadFails(t, []failing{
		{"bare quote", "r.csv", "instruction,output\nI,say \"O\n", "r.csv:2:7: invalid CSV"},
		{"quote without end", "r.csv", "instruction,output\nI,\"O\n", "invalid CSV"},
		{"too few columns", "r.csv", "instruction,output\nI,O\nI\n",
			"r.csv:3: the row has 1 columns, but the header {instruction, output} has 2"},
		{"too many columns", "r.tsv", "instruction\toutput\nI\tO\tX\n", "r.tsv:2: the row has 3 columns"},
		{"column twice", "r.tsv", "output\toutput\nI\tO\n", `r.tsv:1: the column "output" occurs twice`},
		{"columns of no format", "r.tsv", "Ask\tReply\tMetadata\nQ\tA\tM\n",
			"r.tsv:2: no format has the keys {Ask, Metadata, Reply}"},
		{"a Parquet footer of 4 GB", "r.parquet", "PAR1PAR1\xff\xff\xff\xffPAR1",
			"its footer is said to be longer than the file"},
		{"no Parquet", "r.parquet", "hello, this is text", "no Parquet file"},
	})
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Dir(write(t, "config.json", "{}"))
	for name, paths := range map[string][]string{
		"does not exist":                    {filepath.Join(dir, "none.jsonl")},
		"is a folder without files of rows": {dir},
		"is a folder of a model":            {model},
		"no file matches":                   {filepath.Join(dir, "*.jsonl")},
		"the pattern":                       {filepath.Join(dir, "[.jsonl")},
		"no data set is named":              nil,
	} {
		_, err := Load(context.Background(), paths, "")
		if err == nil || !strings.Contains(err.Error(), name) || !isUserError(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := Load(context.Background(), []string{"x"}, "alpacca")
	if err == nil || !strings.Contains(err.Error(), `the format "alpacca" is unknown`) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Load(ctx, []string{write(t, "r.jsonl", `{"text":"a"}`)}, "")
	if err == nil || isUserError(err) {
		t.Errorf("a cancelled context gives %v", err)
	}
}

// Every bad row is counted, and the first ten are named in one message.
func TestBadRows(t *testing.T) {
	var text strings.Builder
	for i := range 25 {
		text.WriteString("{\"text\":\"a\"}\n")
		text.WriteString([]string{"{\"text\":\n", "null\n", "{\"text\":7}\n", "{\"text\":\"\"}\n", "{\"t\":\"\"}\n"}[i%5])
	}
	path := write(t, "r.jsonl", text.String())
	_, err := Load(context.Background(), []string{path}, "")
	if err == nil || !isUserError(err) {
		t.Fatalf("got %v", err)
	}
	lines := strings.Split(err.Error(), "\n")
	if lines[0] != "data: 25 rows cannot be read; skip_bad_rows leaves them out:" || len(lines) != 12 ||
		lines[11] != "  and 15 more" {
		t.Fatalf("got %s", err)
	}
	for i, want := range []string{":2:9: invalid JSON", ":4: expected an object, found null", ":6: key",
		":8: the text is empty", ":10: no format has the keys {t}", ":12:9: invalid JSON"} {
		if !strings.HasPrefix(lines[i+1], "  "+path+want) {
			t.Errorf("line %q, want %s", lines[i+1], want)
		}
	}
	// What ends the reading stands before the rows.
	path = write(t, "r.json", "[{\"text\":\"a\"},7,{\"text\":}]")
	_, err = Load(context.Background(), []string{path}, "")
	if err == nil || !strings.Contains(err.Error(), ":1:25: invalid JSON") ||
		!strings.Contains(err.Error(), "before it, 1 rows cannot be read:\n  "+path+":1:15: expected an object") {
		t.Errorf("got %v", err)
	}
}
