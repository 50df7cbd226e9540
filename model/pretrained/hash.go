package pretrained

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"instruct/checkpoints"
	"instruct/model/kernel"
)

// FilesHash identifies what the model is with weights in format d, before they are read: the sha256, in hexadecimal,
// over the content of the files of configuration and weights, over tokenizer and template, and over d. Where the files
// lie and when they were written does not count; the same weights in another kind of file have another hash. A model
// that was made from scratch has no files, which is an error.
func (m *Model) FilesHash(d kernel.DType) (string, error) {
	if m.files == nil {
		return "", fmt.Errorf("model %s has no files", m.Path)
	}
	paths, err := m.files()
	if err != nil {
		return "", err
	}
	parts := []string{m.Tokenizer.Hash(), m.Template.Hash(), d.String()}
	for _, path := range paths {
		sum, err := checkpoints.HashFile(path)
		if err != nil {
			return "", err
		}
		parts = append(parts, sum)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:]), nil
}

// FileHashes gives the sha256, in hexadecimal, of each file of the model in path that holds configuration or weights,
// by its name; that of a GGUF file is "weights", whatever it is called. Of an adapter these are its own two files.
func FileHashes(path string) (map[string]string, error) {
	path, err := Resolve(path)
	if err != nil {
		return nil, err
	}
	files := []string{path}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, mistake("model %s: %s", path, checkpoints.Reason(err))
	case IsAdapter(path):
		files = []string{filepath.Join(path, adapterConfigFile), filepath.Join(path, adapterWeightsFile)}
	case info.IsDir():
		if files, err = checkpoints.WeightFiles(path); err != nil {
			return nil, err
		}
		files = append(files, filepath.Join(path, configFile))
	}
	sums := map[string]string{}
	for _, f := range files {
		name := filepath.Base(f)
		if !info.IsDir() {
			name = "weights"
		}
		if sums[name], err = checkpoints.HashFile(f); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// ByPath gives the hashes that [FileHashes] gave of a model by the paths of its files.
func ByPath(model string, sums map[string]string) map[string]string {
	if path, err := Resolve(model); err == nil {
		model = path
	}
	info, err := os.Stat(model)
	all := map[string]string{}
	for name, sum := range sums {
		path := model
		if err == nil && info.IsDir() {
			path = filepath.Join(model, name)
		}
		all[path] = sum
	}
	return all
}
