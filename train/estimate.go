package train

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/ops"
	"instruct/train/machine"
)

// Memory is what a run takes, in bytes, computed before anything large is allocated.
type Memory struct {
	present     int64 // what the process has already: program, tokenizer, rows
	weights     int64 // and their copy in bfloat16, and their average
	gradients   int64
	moments     int64 // AdamW's two, Muon's one
	activations int64 // the graphs, scratch of the head among them
	rest        int64 // scratch of the workers, growth of Go's heap
}

func (e *Memory) needed() int64 {
	return e.weights + e.gradients + e.moments + e.activations + e.rest
}

// Total returns all of it.
func (e *Memory) Total() int64 { return e.present + e.needed() }

// Workload is what decides how much memory training takes, beside the model.
type Workload struct {
	DType         kernel.DType
	Tokens        int // most positions of a micro-batch
	Evaluate      int // the same in an evaluation; 0: there is none
	Threads       int
	Checkpointing bool
	Optim         string
	EMADecay      float64
}

// EstimateMemory computes the memory of training m, an outline. It plans the graphs without making them, and lets m
// round products as w says (see [model.Model].Rounds).
func EstimateMemory(m *model.Model, w Workload) (Memory, error) {
	m.Rounds = w.DType == kernel.BF16
	graphs, err := m.GraphBytes(w.Tokens, w.Checkpointing, w.Evaluate)
	if err != nil {
		return Memory{}, err
	}
	const packing, growth = 512 << 10, 8 << 20
	weights, scratch := m.ValueBytes(kernel.F32), packing
	if w.Optim == "muon" {
		scratch += muonScratch(m)
	}
	return Memory{present: machine.ResidentMemory(), weights: int64(weights) + averageBytes(m, w.EMADecay),
		gradients: int64(m.GradBytes()), moments: momentBytes(m, w.Optim), activations: int64(graphs),
		rest: int64(m.OperandBytes(w.Tokens)) + int64(w.Threads)*int64(scratch) + growth}, nil
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

// Check refuses what does not fit into the memory that can be had, as available tells it; nil asks the system. advice
// says what makes the activations smaller.
func (e *Memory) Check(available func() (int64, bool), advice string) error {
	if available == nil {
		available = machine.AvailableMemory
	}
	have, ok := available()
	if !ok || e.needed() <= have {
		return nil
	}
	if e.needed()-e.activations > have {
		advice = "the model itself is too large for this machine"
	}
	return mistake("training needs about %s of memory (weights %s, gradients %s, the optimizer's moments %s, "+
		"activations %s) and %s are available; %s", bytesText(e.Total()), bytesText(e.weights), bytesText(e.gradients),
		bytesText(e.moments), bytesText(e.activations), bytesText(e.present+have), advice)
}

// usualFraction is the share of the machine's peak that training steps reach, for estimates; see `instruct bench`.
const usualFraction = 0.6

// estimateTime returns the time of the steps to come and the measured peak in operations a second, 0 where that is
// not known. tokens is the sum of the rows' lengths, of which a part is shared.
func (u *run) estimateTime(tokens int, shared float64) (time.Duration, float64) {
	peak := u.Pool.PeakFLOPS(u.Model.Rounds)
	if peak == 0 {
		return 0, 0
	}
	computed := float64(tokens) * (1 - shared)
	body := BodyFLOPs(u.Model.Model, computed/float64(u.rows.train.Len()))
	if u.Recipe.Checkpointing {
		body *= 4. / 3
	}
	head := float64(u.rows.audit().TrainedTokens) * HeadFLOPs(u.Model.Model)
	epoch := float64(computed*body) + float64(head)
	epochs := float64(u.Steps-u.trainer.Done.Step) / float64(ceil(len(u.Cursor.plan.Epoch(0)), u.Recipe.Accumulation))
	ns := epoch * epochs / (usualFraction * peak) * 1e9
	return time.Duration(math.Min(ns, math.MaxInt64/2)), peak
}

// BodyFLOPs counts the operations of a training step for a token in the layers: two for each multiply-add of the matrix
// products and of causal attention over rows of seq tokens. A product is made once forward, once for the gradient of a
// trained matrix, and once for the gradient of its input where a parameter before it is trained.
func BodyFLOPs(m *model.Model, seq float64) float64 {
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

// HeadFLOPs counts those of the head for a trained token.
func HeadFLOPs(m *model.Model) float64 {
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
	case d > 100*24*time.Hour:
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	}
	return fmt.Sprintf("%.0f h", d.Hours())
}
