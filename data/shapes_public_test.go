package data

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"instruct/tokenizer/chat"
)

// The shapes in which well-known data sets come.
func TestPublicShapes(t *testing.T) {
	system := func(m []chat.Message) []chat.Message {
		return append([]chat.Message{{Role: "system", Content: "S"}}, m...)
	}
	for name, test := range map[string]struct {
		row     string
		want    []chat.Message
		ignored string
	}{
		"LIMA":           {`{"conversations":["U","A","V","B"],"source":"x"}`, talk("U", "A", "V", "B"), "source"},
		"Dolly":          {`{"instruction":"I","context":"C","response":"R","category":"qa"}`, talk("I\nC", "R"), "category"},
		"Dolly, bare":    {`{"instruction":"I","context":"","response":"R"}`, talk("I", "R"), ""},
		"OpenOrca":       {`{"id":"1","system_prompt":"S","question":"Q","response":"R"}`, system(talk("Q", "R")), "id"},
		"OpenOrca, bare": {`{"system_prompt":"","question":"Q","response":"R"}`, talk("Q", "R"), ""},
		"query":          {`{"query":"Q","response":"R","history":[["a","b"]]}`, talk("a", "b", "Q", "R"), ""},
		"response":       {`{"prompt":"P","response":"R"}`, talk("P", "R"), ""},
		"input":          {`{"input":"Q","output":"R"}`, talk("Q", "R"), ""},
		"Aya":            {`{"inputs":"Q","targets":"R","language":"eng"}`, talk("Q", "R"), "language"},
		"UltraChat":      {`{"id":"0","data":["U","A"]}`, talk("U", "A"), "id"},
		"UltraChat 200k": {`{"prompt":"U","messages":[{"content":"U","role":"user"},{"content":"A","role":"assistant"}]}`,
			talk("U", "A"), "prompt"},
		"Capybara": {`{"conversation":[{"input":"U","output":"A"},{"input":"V","output":"B"}]}`,
			talk("U", "A", "V", "B"), ""},
		"LMSYS": {`{"conversation":[{"role":"user","content":"U"},{"role":"assistant","content":"A"}]}`, talk("U", "A"),
			""},
		"Alpaca with history": {`{"instruction":"I","input":"","output":"O","history":[["a","b"],["c","d"]]}`,
			talk("a", "b", "c", "d", "I", "O"), ""},
		"history as text": {`{"instruction":"I","output":"O","history":"[[\"a\",\"b\"]]"}`, talk("a", "b", "I", "O"), ""},
	} {
		row := load(t, write(t, "r.jsonl", test.row))[0]
		if !reflect.DeepEqual(row.Messages, test.want) || strings.Join(row.Ignored, " ") != test.ignored {
			t.Errorf("%s: got %+v, ignored %v", name, row.Messages, row.Ignored)
		}
	}
	loadFails(t, []failing{
		{"a question without answer", "r.jsonl", `{"conversations":["U","A","V"]}`, "has 3 texts; expected a question and"},
		{"a history of texts", "r.jsonl", `{"instruction":"I","output":"O","history":["a","b"]}`,
			`key "history", item 1: expected a pair of texts [question, answer], found a string`},
		{"a history of threes", "r.jsonl", `{"instruction":"I","output":"O","history":[["a","b","c"]]}`, "expected a pair"},
		{"rows inside", "r.jsonl", `{"data":3}`, `key "data" must be a list of messages, found a number`},
	})
}

const (
	treeRow = `{"message_tree_id":"1","tree_state":"ready_for_export","prompt":` +
		`{"message_id":"1","text":"U","role":"prompter",` +
		`"replies":[{"message_id":"2","text":"worse","role":"assistant","rank":1,"replies":[]},` +
		`{"message_id":"3","text":"A","role":"assistant","rank":0,"replies":[` +
		`{"message_id":"4","text":"V","role":"prompter","rank":null,"replies":[]}]},` +
		`{"message_id":"5","text":"gone","role":"assistant","rank":-1,"deleted":true,"replies":[]}]}}`
	flatRows = `{"message_id":"3","parent_id":"1","text":"A","role":"assistant","rank":0}
{"message_id":"1","parent_id":null,"text":"U","role":"prompter"}
{"message_id":"2","parent_id":"1","text":"worse","role":"assistant","rank":1}
{"message_id":"6","parent_id":"4","text":"B","role":"assistant","rank":0}
{"message_id":"4","parent_id":"3","text":"V","role":"prompter"}
{"message_id":"7","parent_id":"3","text":"refused","role":"prompter","rank":-5,"review_result":false}
{"message_id":"8","parent_id":null,"text":"never answered","role":"prompter"}
`
)

// A tree gives the conversation of its best answers, and a user's message is never trained.
func TestTrees(t *testing.T) {
	path := write(t, "r.jsonl", treeRow)
	if rows := load(t, path); len(rows) != 1 || !reflect.DeepEqual(rows[0].Messages, talk("U", "A")) {
		t.Errorf("got %+v", rows)
	}
	path = write(t, "flat.jsonl", flatRows)
	want := []Row{{Source: path + ":2", Messages: talk("U", "A", "V", "B")}}
	if rows := load(t, path); !reflect.DeepEqual(rows, want) {
		t.Errorf("got %+v", rows)
	}
	table := "message_id,parent_id,role,text,rank\n1,,prompter,U,\n2,1,assistant,A,\n"
	if rows := load(t, write(t, "r.csv", table)); !reflect.DeepEqual(rows[0].Messages, talk("U", "A")) {
		t.Errorf("got %+v", rows)
	}
	mixed := load(t, write(t, "r.jsonl", flatRows+`{"instruction":"I","output":"O"}`))
	if len(mixed) != 2 || !reflect.DeepEqual(mixed[0].Messages, talk("I", "O")) {
		t.Errorf("got %+v", mixed)
	}
	line := func(id, parent, role string) string {
		return `{"message_id":"` + id + `","parent_id":"` + parent + `","text":"T","role":"` + role + `"}` + "\n"
	}
	loadFails(t, []failing{
		{"no parent", "r.jsonl", line("1", "", "prompter") + line("2", "9", "assistant"),
			`r.jsonl:2: the message answers "9" (parent_id), which is not in the file`},
		{"twice", "r.jsonl", line("1", "", "prompter") + line("1", "", "prompter"),
			`r.jsonl:2: the message_id "1" was used in`},
		{"never answered", "r.jsonl", line("1", "", "prompter"), "r.jsonl:1: no message of the file's trees was answered"},
		{"unknown role", "r.jsonl", line("1", "", "wizard"), `the role "wizard" of a message of a tree is unknown`},
		{"a tree without answer", "r.jsonl", `{"message_tree_id":"1","prompt":{"text":"U","role":"prompter"}}`,
			"no message of the tree was answered"},
	})
}

func TestTreesOfTheFixture(t *testing.T) {
	tree := load(t, fixture(t, "data/oasst-100-trees/en_100_tree.jsonl"))
	message := load(t, fixture(t, "data/oasst-100-trees/en_100_message.jsonl"))
	if len(tree) != 100 || len(message) != 100 {
		t.Fatalf("%d and %d rows", len(tree), len(message))
	}
	for i := range tree {
		roles := []string{}
		for _, m := range tree[i].Messages {
			roles = append(roles, m.Role)
		}
		last := len(roles) - 1
		if !reflect.DeepEqual(tree[i].Messages, message[i].Messages) || roles[0] != "user" || roles[last] != "assistant" ||
			slices.Contains(roles, "") || tree[i].Text != "" {
			t.Errorf("row %d: %v", i, roles)
		}
	}
}
