package train

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// screen replays what was written to a terminal and returns the lines that stay, and every state of a line before it
// was overwritten.
func screen(text string) (final, states []string) {
	line, col := []rune{}, 0
	for _, c := range text {
		switch c {
		case '\r':
			states = append(states, strings.TrimRight(string(line), " "))
			col = 0
		case '\n':
			final = append(final, strings.TrimRight(string(line), " "))
			line, col = line[:0], 0
		default:
			if col == len(line) {
				line = append(line, c)
			}
			line[col] = c
			col++
		}
	}
	return append(final, strings.TrimRight(string(line), " ")), states
}

func TestProgressBar(t *testing.T) {
	var log bytes.Buffer
	p := newProgress(Options{Log: &log, Terminal: true}, 8, 2, 1) // resumed after step 2
	loss, rate, eval := 1.25, 1e-4, 2.5
	for step := 3; step <= 8; step++ {
		p.drawn = time.Time{} // as if the last drawing were long ago
		p.show(Metric{Step: step, Loss: &loss, LearningRate: &rate, TokensPerSec: 1234})
		if step%4 == 0 {
			p.note("evaluating")
			p.show(Metric{Step: step, Epoch: float64(step) / 4, EvalLoss: &eval})
		}
	}
	p.done()
	p.done()
	final, states := screen(log.String())
	want := []string{"step 4/8  epoch 1.00  held-out loss 2.5000", "step 8/8  epoch 2.00  held-out loss 2.5000", ""}
	if strings.Join(final, "\n") != strings.Join(want, "\n") {
		t.Errorf("these lines stay:\n%s\nwant\n%s", strings.Join(final, "\n"), strings.Join(want, "\n"))
	}
	all := strings.Join(states, "\n")
	for _, part := range []string{"loss 1.2500 lr 1.0e-04 1234 tokens/s 0s left", "(3/8)", "(7/8)", "evaluating"} {
		if !strings.Contains(all, part) {
			t.Errorf("%q was never shown:\n%s", part, all)
		}
	}
}

// TestProgressFits: in a narrow terminal the line says less and does not wrap.
func TestProgressFits(t *testing.T) {
	for _, x := range []struct {
		width int
		want  string
	}{
		{120, "loss 1.2500 lr 1.0e-04 1234 tokens/s 1m0s left"}, {80, "loss 1.2500 lr 1.0e-04 1234 tokens/s 1m0s left"},
		{60, "loss 1.2500 1234 tokens/s 1m0s left"}, {50, "loss 1.2500 1m0s left"}, {40, "loss 1.2500"}, {10, "loss 1.2500"},
	} {
		p := progress{last: 1170, width: func() int { return x.width }}
		if got := p.fitting("loss 1.2500", "lr 1.0e-04", "1234 tokens/s", "1m0s left"); got != x.want {
			t.Errorf("%d columns: %q, want %q", x.width, got, x.want)
		}
	}
}

// TestProgressBarDoesNotWrap draws steps in terminals of several widths, one of which is made narrower.
func TestProgressBarDoesNotWrap(t *testing.T) {
	for _, width := range []int{120, 80, 60, 45} {
		var log bytes.Buffer
		columns := width + 10
		p := newProgress(Options{Log: &log, Terminal: true, Width: func() int { return columns }}, 2813, 55, 1)
		columns = width
		loss, rate := 1.25, 1e-4
		p.note("")
		log.Reset()
		for step := 56; step <= 60; step++ {
			p.drawn = time.Time{}
			p.show(Metric{Step: step, Loss: &loss, LearningRate: &rate, TokensPerSec: 1234})
		}
		_, states := screen(log.String())
		for _, s := range states {
			if n := len([]rune(s)); n > width {
				t.Errorf("%d columns in a terminal of %d: %q", n, width, s)
			}
		}
		if all := strings.Join(states, "\n"); !strings.Contains(all, "(60/2813)") {
			t.Errorf("this does not say where the run stands:\n%s", all)
		}
		p.done()
	}
}

func TestProgressBarEndsItsLine(t *testing.T) {
	var log bytes.Buffer
	p := newProgress(Options{Log: &log, Terminal: true}, 8, 0, 1)
	loss, rate := 1.25, 1e-4
	p.show(Metric{Step: 1, Loss: &loss, LearningRate: &rate})
	p.done()
	if !strings.HasSuffix(log.String(), "\n") {
		t.Errorf("what follows would stand beside the bar: %q", log.String())
	}
}

func TestPlainProgress(t *testing.T) {
	var log bytes.Buffer
	p := newProgress(Options{Log: &log}, 5, 0, 2)
	loss, rate := 1.25, 1e-4
	for step := 1; step <= 5; step++ {
		p.show(Metric{Step: step, Loss: &loss, LearningRate: &rate, GradNorm: 2})
	}
	p.done()
	var steps []string
	for line := range strings.Lines(log.String()) {
		step, rest, _ := strings.Cut(line, "  ")
		steps = append(steps, step)
		if !strings.HasPrefix(rest, "loss 1.2500  grad_norm 2.000  lr 1.00e-04  ") || !strings.HasSuffix(rest, " left\n") {
			t.Errorf("line %q", line)
		}
	}
	if got := strings.Join(steps, ","); got != "step 2/5,step 4/5,step 5/5" {
		t.Errorf("logging_steps 2 of 5 steps shows %s", got)
	}
}
