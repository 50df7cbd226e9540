package train

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how a run goes: a bar on a terminal, plain lines elsewhere.
type progress struct {
	log         io.Writer
	quiet       bool
	bar         *progressbar.ProgressBar
	every       int
	first, last int // steps
	start       time.Time
	closed      bool
}

func newProgress(o Options, total, done, every int) progress {
	p := progress{log: o.Log, quiet: o.Quiet, every: every, first: done, last: total, start: time.Now()}
	if o.Terminal && !o.Quiet {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(o.Log), progressbar.OptionSetWidth(24),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetElapsedTime(true), progressbar.OptionFullWidth())
		_ = p.bar.Set(done)
	}
	return p
}

func (p *progress) step(m Metric) {
	switch {
	case p.quiet:
	case p.bar != nil:
		p.bar.Describe(fmt.Sprintf("loss %.4f  lr %.2e  %s tokens/s", *m.Loss, *m.LearningRate, count(int(m.TokensPerSec))))
		_ = p.bar.Add(1)
	case m.Step%p.every == 0 || m.Step == p.last:
		left := time.Duration(float64(time.Since(p.start)) / float64(m.Step-p.first) * float64(p.last-m.Step))
		fmt.Fprintf(p.log, "step %d/%d  loss %.4f  grad_norm %.3f  lr %.2e  %s tokens/s  %s left\n", m.Step, p.last, *m.Loss, m.GradNorm,
			*m.LearningRate, count(int(m.TokensPerSec)), left.Round(time.Second))
	}
}

func (p *progress) note(text string) {
	if p.bar != nil {
		p.bar.Describe(text)
	}
}

func (p *progress) evaluation(m Metric) {
	if p.quiet {
		return
	}
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintf(p.log, "step %d/%d  epoch %.2f  held-out loss %.4f\n", m.Step, p.last, m.Epoch, *m.EvalLoss)
}

func (p *progress) done() {
	if p.bar != nil && !p.closed {
		_ = p.bar.Exit()
		fmt.Fprintln(p.log)
	}
	p.closed = true
}
