package train

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"

	"instruct/checkpoints"
	"instruct/data"
)

// named gives names of rows as drop_rows has them. A file (@FILE) that holds rows, and no names, stands for the rows of
// the run's data that say the same, wherever and as often as they stand there.
func (f *Forgetting) named(ctx context.Context, s *Setup, rows []string) (names []string, err error) {
	for _, name := range rows {
		path, ok := strings.CutPrefix(name, "@")
		if ok {
			if ok, err = holdsRows(path); err != nil {
				return nil, err
			}
		}
		if !ok {
			names = append(names, name)
			continue
		}
		found, err := f.sayTheSame(ctx, s, path)
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	return names, nil
}

// holdsRows tells whether a file begins as JSON does.
func holdsRows(path string) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, mistake("rows %s: %s", path, checkpoints.Reason(err))
	}
	defer file.Close()
	start, err := io.ReadAll(io.LimitReader(file, 512))
	if err != nil {
		return false, mistake("rows %s: %s", path, checkpoints.Reason(err))
	}
	start = bytes.TrimSpace(bytes.TrimPrefix(start, []byte("\ufeff")))
	return len(start) > 0 && (start[0] == '{' || start[0] == '['), nil
}

// sayTheSame gives the names of the run's rows that are in a file, which has the format of the run's data.
func (f *Forgetting) sayTheSame(ctx context.Context, s *Setup, path string) (names []string, err error) {
	if !strings.HasSuffix(path, ".json") && !strings.HasSuffix(path, ".jsonl") {
		return nil, mistake("rows %s: it holds rows, and no names of rows (path:line); call it .jsonl, or .json", path)
	}
	o := s.rows.options(&f.recipe)
	o.Note, o.Most, o.SkipBadRows = nil, 0, false
	wanted, err := data.LoadWith(ctx, []string{path}, o)
	if err != nil {
		return nil, err
	}
	sources := map[[sha256.Size]byte][]string{} // of the rows in the file
	for i := range wanted {
		key := wordsOf(&wanted[i])
		sources[key] = append(sources[key], wanted[i].Source)
	}
	found := map[string]bool{}
	past := &Past{Setup: s, recipe: f.recipe}
	for row, err := range past.DataRows(ctx) {
		if err != nil {
			continue // it was said when the run read it
		}
		for _, source := range sources[wordsOf(&row)] {
			found[source] = true
			if !slices.Contains(names, row.Source) {
				names = append(names, row.Source)
			}
		}
	}
	for i := range wanted {
		if !found[wanted[i].Source] {
			return nil, mistake("rows %s: no row of the run's data says the same as that of %s; `instruct explain %s --prompt "+
				"P --method bm25` finds rows by their words", path, wanted[i].Source, f.Dir)
		}
	}
	return names, nil
}

// wordsOf is the hash of what a row says, wherever it stands.
func wordsOf(row *data.Row) [sha256.Size]byte {
	text, _ := json.Marshal([]any{row.Messages, row.Text, row.Tools, row.Variables}) // none of it can fail
	return sha256.Sum256(text)
}
