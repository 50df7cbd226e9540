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
	"instruct/train/tensorboard"
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
	file  *os.File
	path  string
	rows  []Metric
	board *tensorboard.Writer // nil: nobody asked for it
}

// openMetrics opens metrics.jsonl of a run. A run resumed after step keeps the rows up to it and drops those of steps
// that will be made again, and with due the evaluation after that step.
func openMetrics(dir string, step int, due bool) (*metrics, error) {
	path := filepath.Join(dir, metricsFile)
	m := &metrics{path: path, rows: []Metric{}} // trainer_state.json has a list even of none
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("train: %w", err)
	}
	var kept bytes.Buffer
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for lines.Scan() {
		var row Metric
		if json.Unmarshal(lines.Bytes(), &row) == nil && row.Step <= step &&
			!(due && row.Step == step && row.EvalLoss != nil) {
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

// fill adds the rows up to a step that the file lacks and the checkpoint has, as of a disk that was full.
func (m *metrics) fill(checkpoint string, step int) error {
	var had struct {
		Rows []Metric `json:"log_history"`
	}
	text, err := os.ReadFile(filepath.Join(checkpoint, trainerFile))
	if err != nil || json.Unmarshal(text, &had) != nil {
		return nil // an older checkpoint; its rows are a convenience
	}
	last := 0
	if len(m.rows) > 0 {
		last = m.rows[len(m.rows)-1].Step
	}
	for _, row := range had.Rows {
		if row.Step > last && row.Step <= step {
			if err := m.write(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// write appends a row to the file, which must still be there: one that was removed takes rows without a word.
func (m *metrics) write(row Metric) error {
	m.rows = append(m.rows, row)
	line, err := json.Marshal(row)
	if err != nil {
		return fmt.Errorf("train: metrics: %w", err)
	}
	if _, err := os.Stat(m.path); err != nil {
		return fmt.Errorf("train: %s was removed while the run was at work: %w", m.path, err)
	}
	if _, err := m.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

func (m *metrics) add(row Metric) error {
	if err := m.write(row); err != nil {
		return err
	}
	m.show(row)
	if m.board == nil {
		return nil
	}
	return m.board.Add(row.Step, row.scalars())
}

// report writes the rows to come for TensorBoard as well.
func (m *metrics) report(dir string, step int) (err error) {
	m.board, err = tensorboard.Open(filepath.Join(dir, eventsFile), step)
	return err
}

// scalars is the row under the names that transformers gives them.
func (m *Metric) scalars() (all []tensorboard.Scalar) {
	add := func(tag string, v float64) { all = append(all, tensorboard.Scalar{Tag: tag, Value: float32(v)}) }
	if m.EvalLoss != nil {
		add("eval/loss", *m.EvalLoss)
		return all
	}
	if m.Loss != nil {
		add("train/loss", *m.Loss)
	}
	add("train/grad_norm", m.GradNorm)
	if m.LearningRate != nil {
		add("train/learning_rate", *m.LearningRate)
	}
	add("train/epoch", m.Epoch)
	add("train/num_input_tokens_seen", float64(m.NumTokens))
	add("train/trained_tokens_per_second", m.TrainedPerSec)
	return all
}

func (m *metrics) close() error {
	if m.board == nil {
		return m.file.Close()
	}
	return errors.Join(m.file.Close(), m.board.Close())
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
