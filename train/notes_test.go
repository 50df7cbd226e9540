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
