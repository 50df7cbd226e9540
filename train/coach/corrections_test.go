package coach

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"instruct/tokenizer/chat"
)

// TestCorrectionsFile: the last correction can be changed and taken back, and only the last.
func TestCorrectionsFile(t *testing.T) {
	c := &Corrections{Path: filepath.Join(t.TempDir(), "c.jsonl"), Author: "me", Model: "0f", Now: time.Now}
	if all, err := c.All(); err != nil || all != nil {
		t.Fatalf("%v, %v of a file that is not there", all, err)
	}
	ask := func(text string) []chat.Message { return []chat.Message{{Role: "user", Content: text}} }
	first, second := c.New(ask("a"), " yes\n", "no"), c.New(ask("b"), "yes", "no")
	for _, made := range []error{c.Add(first), c.Add(second)} {
		if made != nil {
			t.Fatal(made)
		}
	}
	other := c.New(ask("b"), "perhaps", "no")
	if err := c.ReplaceLast(first.ID, &other); err == nil || !strings.Contains(err.Error(), "the last one is "+second.ID) {
		t.Errorf("the first one was changed: %v", err)
	}
	empty := c.New(ask("b"), " ", "no")
	if err := c.ReplaceLast(second.ID, &empty); err == nil {
		t.Error("an empty correction replaces one")
	}
	if err := c.ReplaceLast(second.ID, &other); err != nil || other.ID != second.ID {
		t.Errorf("%v, id %s", err, other.ID)
	}
	if all, err := c.All(); err != nil || len(all) != 2 || all[0].Chosen[0].Content != "yes" ||
		all[1].Chosen[0].Content != "perhaps" || all[1].Author != "me" || all[1].Model != "0f" {
		t.Errorf("%+v, %v", all, err)
	}
	same := c.New(ask("b"), "perhaps", "no")
	if before, err := c.Before(&same); err != nil || before == nil || before.ID != second.ID {
		t.Errorf("%v, %v", before, err)
	}
	if err := c.DropLast(second.ID); err != nil {
		t.Error(err)
	}
	if err := c.DropLast(first.ID); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(c.Path); !os.IsNotExist(err) {
		t.Errorf("an empty file is left: %v", err)
	}
}
