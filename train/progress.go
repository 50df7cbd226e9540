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
	drawn       time.Time // when the bar was last drawn
	visible     bool      // the bar stands on the terminal's last line
	closed      bool
}

func newProgress(o Options, total, done, every int) progress {
	p := progress{log: o.Log, quiet: o.Quiet, every: every, first: done, last: total, start: time.Now()}
	if o.Terminal && !o.Quiet {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(o.Log),
			progressbar.OptionSetWidth(24),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionFullWidth())
		_ = p.bar.Set(done)
		p.visible = true
	}
	return p
}

// left is the time to go after a step, as text; steps that an earlier run made do not count.
func (p *progress) left(step int) string {
	d := time.Duration(float64(time.Since(p.start)) / float64(step-p.first) * float64(p.last-step))
	return d.Round(time.Second).String() + " left"
}

func (p *progress) step(m Metric) {
	last := m.Step == p.last
	speed := count(int(m.TokensPerSec)) + " tokens/s"
	switch {
	case p.quiet:
	case p.bar != nil:
		if time.Since(p.drawn) < 100*time.Millisecond && !last {
			return
		}
		_ = p.bar.Set(m.Step)
		p.note(fmt.Sprintf("loss %.4f lr %.1e %s %s", *m.Loss, *m.LearningRate, speed, p.left(m.Step)))
		p.drawn = time.Now()
	case m.Step%p.every == 0 || last:
		fmt.Fprintf(p.log, "step %d/%d  loss %.4f  grad_norm %.3f  lr %.2e  %s  %s\n",
			m.Step, p.last, *m.Loss, m.GradNorm, *m.LearningRate, speed, p.left(m.Step))
	}
}

func (p *progress) note(text string) {
	if p.bar != nil {
		p.bar.Describe(text)
		p.visible = true
	}
}

func (p *progress) evaluation(m Metric) {
	if p.quiet {
		return
	}
	if p.bar != nil {
		_ = p.bar.Clear()
		p.visible = false
	}
	fmt.Fprintf(p.log, "step %d/%d  epoch %.2f  held-out loss %.4f\n", m.Step, p.last, m.Epoch, *m.EvalLoss)
}

func (p *progress) done() {
	if p.bar != nil && !p.closed {
		_ = p.bar.Exit()
		if p.visible {
			fmt.Fprintln(p.log)
		}
	}
	p.closed = true
}
