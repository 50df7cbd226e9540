package data_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"instruct/data"
	"instruct/tokenizer"
	"instruct/tokenizer/chat"
)

// From a file to a batch.
func Example() {
	dir, err := os.MkdirTemp("", "data")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "rows.jsonl")
	row := `{"instruction": "Put in capitals.", "input": "cat", "output": "CAT"}`
	if err := os.WriteFile(path, []byte(row), 0o644); err != nil {
		panic(err)
	}
	rows, err := data.Load(context.Background(), []string{path}, "")
	if err != nil {
		panic(err)
	}
	tok := tokenizer.Bytes(chat.LessonsTokens()...)
	template, err := chat.NewBuiltin("lessons", tok)
	if err != nil {
		panic(err)
	}
	encoder := data.Encoder{Tokenizer: tok, Template: template, MaxLength: 64}
	examples, audit, err := encoder.EncodeAll(context.Background(), rows, 0)
	if err != nil {
		panic(err)
	}
	rows[0].Source = "rows.jsonl:1"
	if err := encoder.Show(os.Stdout, rows[0], false); err != nil {
		panic(err)
	}
	var batch data.Batch
	plan := data.NewPlan(data.Lengths(examples), data.PlanOptions{Rows: 8})
	data.BuildBatch(&batch, examples, plan.Epoch(0)[0])
	fmt.Println(audit.Rows, "row,", len(batch.Tokens), "positions,", batch.TrainedTokens, "trained")
	// Output:
	// rows.jsonl:1: 26 tokens, 4 trained
	// <|user|>Put in capitals.
	// cat<|assistant|>⟦CAT<|end|>⟧
	// 1 row, 25 positions, 4 trained
}
