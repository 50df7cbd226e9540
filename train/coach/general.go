package coach

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // everyday prompts
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"instruct/data"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
)

//go:embed everyday.jsonl
var everyday []byte

// Everyday are rows with one prompt of everyday use each, of which the answers stay in every round.
func Everyday() []data.Row {
	var rows []data.Row
	for line := range bytes.Lines(everyday) {
		var r struct{ Prompt string }
		if err := json.Unmarshal(line, &r); err != nil {
			panic("coach: everyday.jsonl: " + err.Error())
		}
		rows = append(rows, data.Row{Messages: []chat.Message{{Role: "user", Content: r.Prompt}}})
	}
	return rows
}

// General gives the answers that stay to the prompts of rows, their last answers aside. Those of the first model of a
// behaviour folder are asked once and kept in the folder; m is the current model, of the given round. progress is told
// how many of them were asked so far.
func General(ctx context.Context, behaviour string, m *pretrained.Model, round int, pool *kernel.Pool, rows []data.Row,
	o Options, progress func(n, of int)) ([]Kept, error) {
	if o.KeptRows == 0 || len(rows) == 0 {
		return nil, nil
	}
	if o.KeptFrom == FromRows {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r data.Row) bool { return len(r.Messages) < 2 })
		return KeepRows(ctx, m, rows)
	}
	var prompts [][]chat.Message
	for _, r := range rows {
		messages := r.Messages
		if n := len(messages); n > 0 && messages[n-1].Role == "assistant" {
			messages = messages[:n-1]
		}
		prompts = append(prompts, messages)
	}
	prompts, err := fitting(m, prompts, o.KeptTokens)
	if err != nil {
		return nil, err
	}
	if o.KeptFrom == FromParent {
		return ask(ctx, m, pool, prompts, o, progress)
	}
	base, err := pretrained.ReadBase(behaviour)
	if err != nil {
		return nil, err
	}
	path, err := generalPath(behaviour, base.Weights, m, prompts, o)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err == nil {
		return ReadKept(path, m.Config.Vocab)
	}
	if round > 0 {
		if m, err = pretrained.Load(base.Model, pretrained.Options{}); err != nil {
			return nil, err
		}
		defer m.Close()
		if hash := m.WeightsHash(); hash != base.Weights {
			return nil, mistake("behaviour %s: its first model, %s, is not the one that it began with (weights sha256 %s, "+
				"now %s)", behaviour, base.Model, base.Weights, hash)
		}
	}
	kept, err := ask(ctx, m, pool, prompts, o, progress)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	return kept, SaveKept(path, kept)
}

// generalPath is the file of the answers to prompts of the model with these weights.
func generalPath(behaviour, weights string, m *pretrained.Model, prompts [][]chat.Message, o Options) (string, error) {
	asked := []any{weights, o.KeptTokens, o.Top}
	for _, p := range prompts {
		ids, err := m.Prompt(p)
		if err != nil {
			return "", err
		}
		asked = append(asked, ids)
	}
	text, err := json.Marshal(asked)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return filepath.Join(behaviour, keptDir, hex.EncodeToString(sum[:8])+".gob"), nil
}

// ask is [Keep] in a session of its own.
func ask(ctx context.Context, m *pretrained.Model, pool *kernel.Pool, prompts [][]chat.Message, o Options,
	progress func(n, of int)) ([]Kept, error) {
	s, err := m.NewSession(pool, sessionRows)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return Keep(ctx, s, prompts, o.KeptTokens, o.Top, progress)
}

// fitting are the prompts that leave room for so many tokens of an answer.
func fitting(m *pretrained.Model, prompts [][]chat.Message, tokens int) (out [][]chat.Message, err error) {
	for _, p := range prompts {
		ids, err := m.Prompt(p)
		if err != nil {
			return nil, err
		}
		if len(ids)+tokens <= m.Config.MaxLength {
			out = append(out, p)
		}
	}
	return out, nil
}
