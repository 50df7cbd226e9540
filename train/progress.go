package train

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"instruct/train/preference"
)

// progress shows how a run goes: a bar on a terminal, plain lines elsewhere.
type progress struct {
	log         io.Writer
	bar         *progressbar.ProgressBar // nil without a terminal
	every       int
	first, last int // steps
	start       time.Time
	drawn       time.Time // when the bar was last drawn
	visible     bool      // the bar stands on the terminal's last line
	width       func() int
}

// columns is how wide the terminal is now.
func (p *progress) columns() int {
	if p.width == nil {
		return 80
	}
	return p.width()
}

// room is how many columns a description and the bar itself have, beside the percentage and the count.
func (p *progress) room() int {
	return p.columns() - len(" 100% || (/) ") - 2*len(fmt.Sprint(p.last))
}

// minBar is how many columns a bar needs to show something.
const minBar = 4

// fitting joins what the bar says of a step, without what a narrow terminal has no room for: a line that wraps could
// not be drawn over.
func (p *progress) fitting(loss, rate, speed, left string) string {
	var text string
	for _, parts := range [][]string{{loss, rate, speed, left}, {loss, speed, left}, {loss, left}, {loss}} {
		if text = strings.Join(parts, " "); len(text)+minBar <= p.room() {
			break
		}
	}
	return text
}

func newProgress(o Options, total, done, every int) progress {
	p := progress{log: o.Log, every: every, first: done, last: total, start: time.Now(), width: o.Width}
	if o.Quiet {
		p.log = io.Discard
	} else if o.Terminal {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(o.Log), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false))
		p.note("")
		_ = p.bar.Set(done)
		p.visible = true
	}
	return p
}

// left is the time to go after a step, as text; steps that an earlier run made do not count.
func (p *progress) left(step int) string {
	seconds := time.Since(p.start).Seconds() / float64(step-p.first) * float64(p.last-step)
	if seconds > 100*24*3600 {
		return fmt.Sprintf("%.0f days left", seconds/24/3600)
	}
	return time.Duration(seconds*float64(time.Second)).Round(time.Second).String() + " left"
}

// show shows a row of metrics.
func (p *progress) show(m Metric) {
	if m.EvalLoss != nil {
		p.evaluation(m)
		return
	}
	last := m.Step == p.last
	speed := count(int(m.TokensPerSec)) + " tokens/s"
	switch {
	case p.bar != nil:
		if time.Since(p.drawn) < 100*time.Millisecond && !last {
			return
		}
		_ = p.bar.Set(m.Step)
		p.note(p.fitting(fmt.Sprintf("loss %.4f", *m.Loss), fmt.Sprintf("lr %.1e", *m.LearningRate), speed, p.left(m.Step)))
		p.drawn = time.Now()
	case m.Step%p.every == 0 || last:
		fmt.Fprintf(p.log, "step %d/%d  loss %.4f%s  grad_norm %.3f  lr %.2e  %s  %s\n",
			m.Step, p.last, *m.Loss, rewardsText(m.Rewards), m.GradNorm, *m.LearningRate, speed, p.left(m.Step))
	}
}

// note writes text before the bar, which takes the room that is left.
func (p *progress) note(text string) {
	if p.bar != nil {
		progressbar.OptionSetWidth(max(1, p.room()-len(text)))(p.bar)
		p.bar.Describe(text)
		p.visible = true
	}
}

func (p *progress) evaluation(m Metric) {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.visible = false
	}
	more := ""
	if m.Step == 0 {
		more = ", before training"
		if m.EvalError > 0 {
			more += fmt.Sprintf(", with a standard error of %.2g", m.EvalError)
		}
	}
	more = rewardsText((*preference.Rewards)(m.EvalRewards)) + more
	fmt.Fprintf(p.log, "step %d/%d  epoch %.2f  held-out loss %.4f%s\n", m.Step, p.last, m.Epoch, *m.EvalLoss, more)
}

// rewardsText says by how much the better answers are rewarded more, and for how many; "" where nothing is known.
func rewardsText(r *preference.Rewards) string {
	text := ""
	if r != nil && r.Margins != nil {
		text += fmt.Sprintf("  margin %.3f", *r.Margins)
	}
	if r != nil && r.Accuracies != nil {
		text += fmt.Sprintf("  accuracy %.0f %%", 100**r.Accuracies)
	}
	return text
}

// done takes the bar away; it may be called twice.
func (p *progress) done() {
	if p.bar == nil {
		return
	}
	_ = p.bar.Exit()
	if p.visible {
		fmt.Fprintln(p.log)
	}
	p.bar = nil
}
