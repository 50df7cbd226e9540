package train

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/ops"
)

// memoryEstimate is the memory of a run in bytes, computed before anything large is allocated.
type memoryEstimate struct {
	present     int64 // what the process has already: program, tokenizer, rows
	weights     int64 // and their copy in bfloat16
	gradients   int64
	moments     int64 // AdamW's two, Muon's one
	activations int64 // the graphs, scratch of the head among them
	rest        int64 // scratch of the workers, growth of Go's heap
}

func (e *memoryEstimate) needed() int64 {
	return e.weights + e.gradients + e.moments + e.activations + e.rest
}

func (e *memoryEstimate) total() int64 { return e.present + e.needed() }

// estimateMemory computes the memory of training m, an outline, on micro-batches of up to tokens tokens and of
// evaluating on up to evaluate, 0 for no evaluation. It plans the graphs without making them. d is the format that
// products read.
func estimateMemory(
	m *model.Model, d kernel.DType, tokens, evaluate, threads int, checkpointing bool, optim string,
) (memoryEstimate, error) {
	graphs, err := m.GraphBytes(tokens, checkpointing, evaluate)
	if err != nil {
		return memoryEstimate{}, err
	}
	const packing, growth = 512 << 10, 8 << 20
	weights, scratch := m.ValueBytes(kernel.F32), packing
	if d != kernel.F32 {
		weights += m.CopyBytes()
	}
	if optim == "muon" {
		scratch += muonScratch(m)
	}
	return memoryEstimate{present: residentMemory(), weights: int64(weights), gradients: int64(m.GradBytes()),
		moments: momentBytes(m, optim), activations: int64(graphs), rest: int64(threads)*int64(scratch) + growth}, nil
}

// muonScratch is what Muon's largest matrix takes of a worker, in bytes.
func muonScratch(m *model.Model) int {
	n := 0
	for _, t := range m.Tensors() {
		if byMuon(m, t.Param(), "muon") {
			n = max(n, 4*kernel.MuonScratch(t.Shape[0], t.Shape[1]))
		}
	}
	return n
}

// check refuses what does not fit into the memory that can be had, as available tells it; nil asks the system. advice
// says what makes the activations smaller.
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
	return mistake("training needs about %s of memory (weights %s, gradients %s, the optimizer's moments %s, "+
		"activations %s) and %s are available; %s", bytesText(e.total()), bytesText(e.weights),
		bytesText(e.gradients), bytesText(e.moments), bytesText(e.activations), bytesText(e.present+have), advice)
}

// usualFraction is the share of the machine's peak that training steps reach, for estimates; see `instruct bench`.
const usualFraction = 0.6

// estimateTime returns the time of the steps to come and the measured peak in operations a second, 0 where that is not
// known. tokens is the sum of the rows' lengths.
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
	head := float64(float64(t.set.audit.TrainedTokens) * headFLOPs(t.assets.Model))
	epoch := float64(float64(tokens)*body) + head
	epochs := float64(t.total-t.st.Step) / float64(ceil(len(batches), t.r.Accumulation))
	return time.Duration(epoch * epochs / (usualFraction * peak) * 1e9), peak
}

// bodyFLOPs counts the operations of a training step for a token in the layers: two for each multiply-add of the matrix
// products and of causal attention over rows of seq tokens. A product is made once forward, once for the gradient of a
// trained matrix, and once for the gradient of its input where a parameter before it is trained.
func bodyFLOPs(m *model.Model, seq float64) float64 {
	products, passes := 0, 0
	learns := false
	for _, p := range m.Params {
		if m.Hidden(p) {
			products += p.Size() * productFLOPs(p, learns)
		}
		if strings.HasSuffix(p.Name, ".out") { // attention stands before it, and is twice the work backward
			passes += 2
			if learns {
				passes += 4
			}
		}
		learns = learns || !p.Frozen
	}
	return float64(products) + float64(float64(passes*m.Config.Heads*m.Config.HeadDim)*seq)
}

// productFLOPs counts the operations of a product for each value of its matrix p and each row; learns says that
// something before it is trained.
func productFLOPs(p *ops.Param, learns bool) int {
	n := 2
	if !p.Frozen {
		n += 2
	}
	if learns {
		n += 2
	}
	return n
}

// headFLOPs counts those of the head for a trained token.
func headFLOPs(m *model.Model) float64 {
	head := m.Head()
	learns := slices.ContainsFunc(m.Trained(), func(p *ops.Param) bool { return p.Name != "head" })
	return float64(productFLOPs(head, learns)) * float64(m.Config.Vocab) * float64(m.Config.Width)
}

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
