package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train/machine"
)

// readWeights reads the weights of a model that is to answer. It refuses a model for which there is no memory and,
// where they are kept in fp32, weights that are no numbers, by name; and notes on w that weights are not those that the
// run in whose folder they lie recorded.
func readWeights(w io.Writer, m *pretrained.Model, d kernel.DType) error {
	if err := checkMemory(m, d); err != nil {
		return err
	}
	if err := m.ReadWeights(d); err != nil {
		return err
	}
	if d != kernel.F32 {
		return nil
	}
	for _, t := range m.Tensors() {
		for i, v := range t.Data {
			if v-v != 0 {
				m.Close()
				return mistake("model %s: tensor %s has the value %v at %d of %d, which is no number that can be computed with; "+
					"use a model from before it diverged or was damaged", m.Path, t.Name, v, i, len(t.Data))
			}
		}
	}
	if recorded := recordedWeights(m.Path); recorded != "" && recorded != m.WeightsHash() {
		fmt.Fprintf(w, "note: the weights in %s are not those that its run recorded in run.json (sha256 %.12s...)\n", m.Path,
			recorded)
	}
	return nil
}

// checkMemory refuses a model whose weights alone need more memory than there is.
func checkMemory(m *pretrained.Model, d kernel.DType) error {
	bytes := float64(m.ValueBytes(d))
	have, ok := machine.AvailableMemory()
	if !ok || bytes <= float64(have) {
		return nil
	}
	hint := ""
	if d == kernel.F32 {
		hint = "; --dtype q8_0 needs about a quarter where the command has it"
	}
	return mistake("model %s: its weights need %.1f GB of memory and %.1f GB are available%s", m.Path, bytes/1e9,
		float64(have)/1e9, hint)
}

// recordedWeights is the hash of the weights that a finished run left in a folder; "" where there is none.
func recordedWeights(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "run.json"))
	var record struct {
		Weights string `json:"weights_sha256"`
	}
	if err != nil || json.Unmarshal(text, &record) != nil {
		return ""
	}
	return record.Weights
}
