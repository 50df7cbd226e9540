package main

import (
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"instruct/model/kernel"
	"instruct/train/eval"
)

// scoreTotal is the last line of `score --json`.
type scoreTotal struct {
	Rows          int     `json:"rows"`
	LossSum       float64 `json:"loss_sum"`
	TrainedTokens int     `json:"trained_tokens"`
	MeanLoss      float64 `json:"mean_loss"`
}

// scorer scores a data set as the flags say.
type scorer struct {
	rowFlags
	dtype string
	json  bool
}

func newScore(s *streams) *cobra.Command {
	var f scorer
	c := &cobra.Command{Use: "score", Short: "Log-probabilities of a data set's answers under a model", Args: noArgs,
		Long: "Log-probabilities of the trained tokens of every row under a model, " +
			"and the mean loss over all of them together.",
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, s) }}
	f.add(c)
	c.Flags().StringVar(&f.dtype, "dtype", "fp32", dtypeHelp)
	c.Flags().BoolVar(&f.json, "json", false, "one JSON object a row, the totals last")
	return c
}

func (f *scorer) run(cmd *cobra.Command, s *streams) error {
	if err := kernel.CheckCPU(); err != nil {
		return err
	}
	d, err := kernel.ParseDType(f.dtype)
	if err != nil {
		return err
	}
	if err := required(cmd, "model", "dataset"); err != nil {
		return err
	}
	set, err := f.load(cmd.Context(), s)
	if err != nil {
		return err
	}
	if err := readWeights(s.err, set.model, d); err != nil {
		return err
	}
	pool := kernel.NewPool(f.threads)
	defer pool.Close()
	var total scoreTotal
	err = eval.ScoreRows(cmd.Context(), set.model.Model, pool, set.examples, func(r eval.RowScore) error {
		total.Rows++
		total.LossSum += r.Sum
		total.TrainedTokens += r.Tokens
		if f.json {
			return writeJSON(s.out, r)
		}
		mean := r.Sum / float64(r.Tokens)
		_, err := fmt.Fprintf(s.out, "%s  loss %.4f over %d tokens\n", r.Source, mean, r.Tokens)
		return err
	})
	if err != nil {
		return err
	}
	if math.IsNaN(total.LossSum) || math.IsInf(total.LossSum, 0) {
		return mistake("model %s: the losses are no numbers; its weights were damaged, or the run diverged", f.model)
	}
	total.MeanLoss = total.LossSum / float64(total.TrainedTokens)
	if f.json {
		return writeJSON(s.out, total)
	}
	_, err = fmt.Fprintf(s.out, "%d rows, %d trained tokens, mean loss %.4f\n",
		total.Rows, total.TrainedTokens, total.MeanLoss)
	return err
}
