package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"instruct/checkpoints"
	"instruct/train/preference"
)

// Metric is one row of metrics.jsonl: a step, or an evaluation (EvalLoss set).
type Metric struct {
	Step           int      `json:"step"`
	Epoch          float64  `json:"epoch,omitempty"`
	Loss           *float64 `json:"loss,omitempty"` // mean over the step's trained tokens, or over its pairs
	GradNorm       float64  `json:"grad_norm,omitempty"`
	LearningRate   *float64 `json:"learning_rate,omitempty"`
	NumTokens      int      `json:"num_tokens,omitempty"`      // since the start of the run
	TrainedTokens  int      `json:"trained_tokens,omitempty"`  // of this step
	WithheldTokens int      `json:"withheld_tokens,omitempty"` // of this step, by drop_rows; Loss is a sum over both
	TokensPerSec   float64  `json:"tokens_per_second,omitempty"`
	TrainedPerSec  float64  `json:"trained_tokens_per_second,omitempty"`
	EvalLoss       *float64 `json:"eval_loss,omitempty"` // mean over the held-out trained tokens
	EvalError      float64  `json:"eval_loss_standard_error,omitempty"`
	EvalTokens     int      `json:"eval_trained_tokens,omitempty"`
	EvalPerplexity float64  `json:"eval_perplexity,omitempty"`

	*preference.Rewards
	*preference.EvalRewards
}

// metrics appends rows to a file, one write a row, shows them, and keeps them for the report.
type metrics struct {
	progress
	file *os.File
	rows []Metric
}

// openMetrics opens metrics.jsonl of a run. A run resumed after step keeps the rows up to it and drops those of steps
// that will be made again.
func openMetrics(dir string, step int) (*metrics, error) {
	m := &metrics{rows: []Metric{}} // trainer_state.json has a list even of none
	path := filepath.Join(dir, metricsFile)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("train: %w", err)
	}
	var kept bytes.Buffer
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for lines.Scan() {
		var row Metric
		if json.Unmarshal(lines.Bytes(), &row) == nil && row.Step <= step {
			m.rows = append(m.rows, row)
			kept.Write(lines.Bytes())
			kept.WriteByte('\n')
		}
	}
	if err := checkpoints.WriteFile(path, kept.Bytes()); err != nil {
		return nil, err
	}
	m.file, err = os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return m, nil
}

// readSteps reads the steps of a file of metrics, which must be all those after step, in order.
func readSteps(path string, step int) (rows []Metric, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		var row Metric
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if row.Loss == nil && row.EvalLoss != nil {
			continue
		}
		if next := step + len(rows) + 1; row.Step != next || row.Loss == nil {
			return nil, fmt.Errorf("%s:%d: expected step %d with its loss", path, n, next)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (m *metrics) add(row Metric) error {
	m.rows = append(m.rows, row)
	line, err := json.Marshal(row)
	if err != nil {
		return fmt.Errorf("train: metrics: %w", err)
	}
	if _, err := m.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	m.show(row)
	return nil
}

func (m *metrics) close() error { return m.file.Close() }

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
