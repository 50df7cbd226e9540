package data

import (
	"io"

	"github.com/parquet-go/parquet-go"
)

// tokenRow is a row of a Parquet file of tokens, under the names of TRL's SFTTrainer.
type tokenRow struct {
	InputIDs       []int32 `parquet:"input_ids,list"`
	CompletionMask []int8  `parquet:"completion_mask,list"`
}

// WriteTokens writes the examples, in their order, as a Parquet file of ids and masks: input_ids, and completion_mask,
// which is 1 where a token is trained. It returns the trained tokens of each.
func (s *Store) WriteTokens(w io.Writer) (trained []int, err error) {
	out := parquet.NewGenericWriter[tokenRow](w)
	for i := range s.Len() {
		e, err := s.Example(i)
		if err != nil {
			return nil, err
		}
		row := tokenRow{InputIDs: e.IDs, CompletionMask: make([]int8, len(e.Mask))}
		n := 0
		for k, yes := range e.Mask {
			if yes {
				row.CompletionMask[k] = 1
				n++
			}
		}
		trained = append(trained, n)
		if _, err := out.Write([]tokenRow{row}); err != nil {
			return nil, err
		}
	}
	return trained, out.Close()
}
