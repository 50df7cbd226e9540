package pretrained

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"instruct/checkpoints"
	"instruct/checkpoints/bounded"
)

// ownFile is what this program keeps with a model beside Hugging Face's files.
const ownFile = "instruct.json"

type own struct {
	System string            `json:"system"`
	Base   map[string]string `json:"base_files_sha256,omitempty"` // of an adapter, see [FileHashes]
}

// readOwn reads the file of a folder; there is nothing in it where there is none.
func readOwn(dir string) (o own, err error) {
	path := filepath.Join(dir, ownFile)
	text, err := bounded.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return own{}, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err != nil {
		return own{}, mistake("model folder %s: %s cannot be read (%s); remove it, or train the model again",
			dir, ownFile, checkpoints.Reason(err))
	}
	return o, nil
}

func writeOwn(dir string, o own) error {
	text, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	return checkpoints.WriteFile(filepath.Join(dir, ownFile), append(text, '\n'))
}

// KeptSystem is the system prompt that is kept with the model of a path; "" where there is none.
func KeptSystem(path string) (string, error) {
	dir, err := Resolve(path)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", nil // a file has none; what is absent is said by who loads it
	}
	o, err := readOwn(dir)
	return o.System, err
}
