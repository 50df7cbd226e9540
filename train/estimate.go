package train

import (
	"fmt"
	"time"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
)

// memoryEstimate is the memory of a run in bytes, computed before anything large is allocated.
type memoryEstimate struct {
	present     int64 // what the process has already: program, tokenizer, rows
	weights     int64 // 4 bytes a parameter, and the copy in fewer bits
	gradients   int64
	moments     int64 // AdamW's two, Muon's one
	activations int64 // the graphs, scratch of the head among them
	rest        int64 // scratch of the workers, growth of Go's heap
}

func (e *memoryEstimate) needed() int64 {
	return e.weights + e.gradients + e.moments + e.activations + e.rest
}

func (e *memoryEstimate) total() int64 { return e.present + e.needed() }

// estimateMemory computes the memory of training c on micro-batches of up to tokens tokens and of evaluating on up to
// evaluate, 0 for no evaluation. It plans the graphs without making them.
func estimateMemory(c model.Config, d kernel.DType, tokens, evaluate, threads int, checkpointing bool, optim string) (memoryEstimate, error) {
	m, err := model.Outline(c)
	if err != nil {
		return memoryEstimate{}, err
	}
	graphs, err := model.GraphBytes(c, tokens, checkpointing, evaluate)
	if err != nil {
		return memoryEstimate{}, err
	}
	const packing, growth = 512 << 10, 8 << 20
	n, reduced, moments, scratch := 4*int64(m.Size()), int64(0), int64(0), 0
	if d != kernel.F32 {
		reduced = int64(m.ReducedBytes(d))
	}
	for _, p := range m.Params {
		moments += 8 * int64(p.Size())
		if optim == "muon" && m.Hidden(p) {
			moments -= 4 * int64(p.Size())
		}
	}
	if optim == "muon" {
		for _, t := range m.Tensors() {
			if m.Hidden(t.Param()) {
				scratch = max(scratch, 4*kernel.MuonScratch(t.Shape[0], t.Shape[1]))
			}
		}
	}
	return memoryEstimate{present: residentMemory(), weights: n + reduced, gradients: n, moments: moments, activations: int64(graphs), rest: int64(threads)*int64(packing+scratch) + growth}, nil
}

// check refuses what does not fit into the memory that can be had, as available tells it; nil asks the system. advice says
// what makes the activations smaller.
func (e *memoryEstimate) check(available func() (int64, bool), advice string) error {
	if available == nil {
		available = availableMemory
	}
	have, ok := available()
	if !ok || e.needed() <= have {
		return nil
	}
	if e.needed()-e.activations > have {
		advice = "the model itself is too large for this machine"
	}
	return mistake("training needs about %s of memory (weights %s, gradients %s, the optimizer's moments %s, activations %s) and %s are available; %s", bytesText(e.total()),
		bytesText(e.weights), bytesText(e.gradients), bytesText(e.moments), bytesText(e.activations), bytesText(e.present+have), advice)
}

// usualFraction is the share of the machine's peak that training steps reach, for estimates; see `instruct bench`.
const usualFraction = 0.6

// estimateTime returns the time of the steps to come and the measured peak in operations a second, 0 where that is not known.
// tokens is the sum of the rows' lengths.
func (t *trainer) estimateTime(tokens int) (time.Duration, float64) {
	peak := t.pool.PeakFLOPS()
	if peak == 0 {
		return 0, 0
	}
	batches := t.plan.Epoch(0)
	if t.r.SharePrefix {
		tokens -= data.Shared(t.set.train, batches)
	}
	body := bodyFLOPs(t.assets.Model, float64(tokens)/float64(len(t.set.train)))
	if t.r.Checkpointing {
		body *= 4. / 3
	}
	epoch := float64(float64(tokens)*body) + float64(float64(t.set.audit.TrainedTokens)*headFLOPs(&t.assets.Model.Config))
	epochs := float64(t.total-t.st.Step) / float64(ceil(len(batches), t.r.Accumulation))
	return time.Duration(epoch * epochs / (usualFraction * peak) * 1e9), peak
}

// bodyFLOPs counts the operations of a training step for a token in the layers: two for each multiply-add of the matrix products,
// once forward and twice backward, and causal attention over rows of seq tokens.
func bodyFLOPs(m *model.Model, seq float64) float64 {
	c, n := &m.Config, 0
	for _, p := range m.Params {
		if m.Hidden(p) {
			n += p.Size()
		}
	}
	return float64(6*n) + float64(float64(6*c.Layers*c.Heads*c.HeadDim)*seq)
}

// headFLOPs counts those of the head for a trained token.
func headFLOPs(c *model.Config) float64 { return float64(6 * float64(c.Vocab) * float64(c.Width)) }

// timeText rounds a duration to what an estimate can say.
func timeText(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", max(1, d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.0f h", d.Hours())
}
