package main

import (
	"fmt"
	"strings"

	"instruct/train"
)

// printReplayed prints what became of a step that was made again; its error is that it came to no number again.
func printReplayed(s *streams, dir string, p *train.Replayed) error {
	fmt.Fprintf(s.out, "step %d of %s: the %s was no number, with instruct %s (%s); now with %s (%s)\n", p.Step, dir,
		p.What, p.Recorded[0], p.Recorded[1], version(), p.Kernels)
	for k, m := range p.Made {
		bits := "as in the run"
		if !m.Same {
			bits = fmt.Sprintf("in the run %v", m.Recorded)
		}
		fmt.Fprintf(s.out, "micro-batch %d: loss %v (%s)\n", k+1, m.Loss, bits)
		for _, row := range m.Rows {
			loss := fmt.Sprintf("loss %.6g over %d tokens", row.Loss, row.Tokens)
			if row.Tokens == 0 {
				loss = "nothing is trained"
			}
			fmt.Fprintf(s.out, "  %s: %s\n", row.Source, loss)
		}
	}
	fmt.Fprintf(s.out, "gradient norm: %v\n", p.GradNorm)
	if len(p.NotFinite) > 0 {
		fmt.Fprintf(s.out, "not finite, in the order of the step:\n  %s\n", strings.Join(p.NotFinite, "\n  "))
	}
	if p.Again {
		return fmt.Errorf("step %d comes to no number again", p.Step)
	}
	fmt.Fprintf(s.out, "step %d is finite now, and so are the weights after it\n", p.Step)
	return nil
}
