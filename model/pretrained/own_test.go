package pretrained_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/model/pretrained"
)

// The system prompt of the training is saved and read with the model; folders of other programs have none.
func TestKeptSystem(t *testing.T) {
	dir := t.TempDir()
	if system, err := pretrained.KeptSystem(dir); system != "" || err != nil {
		t.Errorf("a folder of another program: %q, %v", system, err)
	}
	if system, err := pretrained.KeptSystem(filepath.Join(dir, "absent")); system != "" || err != nil {
		t.Errorf("an absent folder: %q, %v", system, err)
	}
	m := tiny(t)
	m.System = "Say \"no\".\né"
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	if system, err := pretrained.KeptSystem(dir); system != m.System || err != nil {
		t.Errorf("kept %q, %v", system, err)
	}
	again, err := pretrained.Outline(dir, "")
	if err != nil || again.System != m.System {
		t.Errorf("loaded %q, %v", again.System, err)
	}
	path := filepath.Join(dir, "instruct.json")
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = pretrained.Outline(dir, "")
	if err == nil || !strings.Contains(err.Error(), "instruct.json cannot be read") {
		t.Errorf("a damaged file: %v", err)
	}
}
