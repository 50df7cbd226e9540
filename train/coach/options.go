package coach

import (
	"bytes"
	"encoding/json"
	"io"
	"os"

	"instruct/checkpoints"
)

// Options are the recipe of a round.
type Options struct {
	Seed         uint64  `json:"seed"`
	LearningRate float64 `json:"learning_rate"` // of AdamW at the first step; falls to 0 at the last
	Steps        int     `json:"steps"`         // of one try; another follows while a correction is not right
	Tries        int     `json:"tries"`         // at most
	Stop         bool    `json:"stop"`          // at the first step after which every correction is right
	Frozen       float64 `json:"frozen"`        // share of the layers, the first ones, that stay, with the embedding
	LoRAR        int     `json:"lora_r"`        // rank of an adapter that is trained in the weights' place; 0: none
	Phrasings    int     `json:"phrasings"`     // of each new correction in a step, the prompt and its paraphrases in turn
	Earlier      int     `json:"earlier"`       // earlier corrections in a step
	Contrasts    int     `json:"contrasts"`     // prompts in the form of each correction that are made, see contrast
	NearRows     int     `json:"near_rows"`     // answers to prompts near the new corrections in a step
	EarlierNear  int     `json:"earlier_near"`  // answers to prompts near earlier corrections in a step
	NearTokens   int     `json:"near_tokens"`   // of such an answer, at most: it leaks at its beginning
	KeptRows     int     `json:"kept_rows"`     // answers to other prompts in a step
	KeptFrom     string  `json:"kept_from"`     // who gives the answers that are kept: FromFirst, FromParent, FromRows
	KeptWeight   float64 `json:"kept_weight"`   // of the divergence from what is kept
	NearWeight   float64 `json:"near_weight"`   // of that near corrections, a mean of its own; 0: part of the other
	KeptTokens   int     `json:"kept_tokens"`   // of an answer, at most
	Top          int     `json:"top"`           // tokens of a distribution
	Back         float64 `json:"back"`          // kept between parent and child, beyond the least share that is right
	AnswerTokens int     `json:"answer_tokens"` // of an answer that is compared with what is wanted
	Rows         int     `json:"rows"`          // of Lesson.Rows in a step
	Passes       int     `json:"passes"`        // over Lesson.Rows
}

// Who gives the answers to the prompts that are kept.
const (
	FromFirst  = "first"  // the first model of the behaviour
	FromParent = "parent" // the current one
	FromRows   = "rows"   // the rows have them, as tokens without probabilities
)

// maxRank is the most that an adapter's rank may be: more is no use and much memory.
const maxRank = 1024

// Default is the recipe that the experiments of docs/teaching.md favour.
func Default() Options {
	return Options{Seed: 42, LearningRate: 3e-4, Steps: 12, Tries: 3, Frozen: 0.67, Phrasings: 1, Earlier: 4,
		Contrasts: 1, NearRows: 6, EarlierNear: 2, NearTokens: 12, KeptRows: 8, KeptFrom: FromFirst, KeptWeight: 1,
		KeptTokens: 24, Top: 64, Back: 0.1, AnswerTokens: 256, Rows: 8, Passes: 2}
}

// Validate says what is wrong with a recipe.
func (o *Options) Validate() error {
	switch {
	case o.LearningRate <= 0:
		return mistake("learning_rate is %g; it must be above 0", o.LearningRate)
	case min(o.Steps, o.Tries, o.Phrasings) < 1:
		return mistake("steps is %d, tries %d and phrasings %d; they must be at least 1", o.Steps, o.Tries, o.Phrasings)
	case o.Frozen < 0 || o.Frozen > 1:
		return mistake("frozen is %g; it is a share of the layers, from 0 to 1", o.Frozen)
	case o.LoRAR < 0 || o.LoRAR > maxRank:
		return mistake("lora_r is %d; it is the rank of an adapter, from 0 (none) to %d", o.LoRAR, maxRank)
	case min(o.Earlier, o.Contrasts, o.NearRows, o.EarlierNear, o.KeptRows) < 0:
		return mistake("earlier, contrasts, near_rows, earlier_near and kept_rows must be 0 or more")
	case o.KeptFrom != FromFirst && o.KeptFrom != FromParent && o.KeptFrom != FromRows:
		return mistake("kept_from is %q; it is one of %s, %s and %s", o.KeptFrom, FromFirst, FromParent, FromRows)
	case min(o.KeptWeight, o.NearWeight) < 0:
		return mistake("kept_weight is %g and near_weight %g; they must be 0 or more", o.KeptWeight, o.NearWeight)
	case min(o.NearTokens, o.KeptTokens, o.Top, o.AnswerTokens) < 1:
		return mistake("near_tokens, kept_tokens, top and answer_tokens must be at least 1")
	case min(o.Rows, o.Passes) < 1:
		return mistake("rows is %d and passes %d; they must be at least 1", o.Rows, o.Passes)
	case o.Back < 0:
		return mistake("back is %g; it must be 0 or more", o.Back)
	}
	return nil
}

// ReadOptions reads a recipe: the options of a round.json, or a file that has them alone. What it does not name is as
// in [Default].
func ReadOptions(path string) (Options, error) {
	o := Default()
	text, err := os.ReadFile(path)
	if err != nil {
		return o, mistake("recipe %s: %s", path, checkpoints.Reason(err))
	}
	var round struct {
		Options json.RawMessage `json:"options"`
	}
	if err := json.Unmarshal(text, &round); err != nil {
		return o, mistake("recipe %s: expected a round.json, or its options: %v", path, err)
	}
	if round.Options != nil {
		text = round.Options
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return o, mistake("recipe %s: %v", path, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return o, mistake("recipe %s: more than one object", path)
	}
	if err := o.Validate(); err != nil {
		return o, mistake("recipe %s: %w", path, err)
	}
	return o, nil
}
