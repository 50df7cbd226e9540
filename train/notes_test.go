package train

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the audit found stands under the line of the data, a line each; a model that would never stop is refused.
func TestNotesOfTheData(t *testing.T) {
	var rows strings.Builder
	for i := range 8 {
		fmt.Fprintf(&rows, `{"conversations":[{"from":"human","value":"q%d"},{"from":"bing","value":"a","id":1}]}`+"\n", i)
	}
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	if err := os.WriteFile(path, []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	r := set(t, small(t), "dataset", path, "eval_fraction", "0", "max_steps", "1")
	told := func(quiet bool) string {
		var log bytes.Buffer
		if _, err := Run(t.Context(), r, Options{Out: new(bytes.Buffer), Log: &log, Quiet: quiet}); err != nil {
			t.Fatal(err)
		}
		return log.String()
	}
	keys := `          keys that are not read: "conversations.id" in 8 rows (first: ` + path + ":1)\n"
	roles := "          roles read as others: bing as assistant in 8 rows (first: " + path + ":1)\n"
	if log := told(false); !strings.Contains(log, keys+roles) {
		t.Errorf("got\n%s\nwant\n%s%s", log, keys, roles)
	}
	if log := told(true); strings.Contains(log, "keys that are not read") {
		t.Errorf("--quiet says\n%s", log)
	}

	r = set(t, r, "chat_template", "chatml")
	_, err := Run(t.Context(), r, silent(nil))
	var user interface{ UserError() bool }
	want := "8 of 8 conversations do not end with a stop token (the first: " + path + ":1)"
	if err == nil || !errors.As(err, &user) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
	r = set(t, r, "allow_unended", "true")
	if log := told(false); !strings.Contains(log, "does not teach to stop: 8 rows (first: "+path+":1)") {
		t.Errorf("got\n%s", log)
	}
}

// TestNotesAreAllSaid: what reading, holding out, the system prompt and the audit have to say all reach the user.
func TestNotesAreAllSaid(t *testing.T) {
	r := tuned(t, madeBase(t))
	text := strings.Repeat(`{"system":"Be brief.","prompt":"Q","completion":"A","id":1}`+"\n", 4) + "{\n"
	if err := os.WriteFile("noted.jsonl", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r = set(t, r, "dataset", "noted.jsonl", "skip_bad_rows", "true", "allow_unended", "true", "max_steps", "1")
	o := silent(nil)
	var log bytes.Buffer
	o.Log, o.Quiet = &log, false
	if _, err := Run(t.Context(), r, o); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 of 5 rows cannot be read and are left out", "only 8 held-out rows",
		`the rows' system prompt is kept with the model: "Be brief."`, `keys that are not read: "id" in 4 rows`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in\n%s", want, log.String())
		}
	}
}
