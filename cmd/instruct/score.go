package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"instruct/model/kernel"
	"instruct/train"
)

// scoreTotal is the last line of `score --json`.
type scoreTotal struct {
	Rows          int     `json:"rows"`
	LossSum       float64 `json:"loss_sum"`
	TrainedTokens int     `json:"trained_tokens"`
	MeanLoss      float64 `json:"mean_loss"`
}

func newScore(s *streams) *cobra.Command {
	var f rowFlags
	var asJSON bool
	var dtype string
	c := &cobra.Command{Use: "score", Short: "Log-probabilities of a data set's answers under a model", Args: noArgs,
		Long: "Log-probabilities of the trained tokens of every row under a model, and the mean loss over all of them together.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := kernel.CheckCPU(); err != nil {
				return err
			}
			d, err := kernel.ParseDType(dtype)
			if err != nil {
				return err
			}
			if err := required(cmd, "model", "dataset"); err != nil {
				return err
			}
			set, err := f.load(cmd.Context())
			if err != nil {
				return err
			}
			if err := set.model.ReadWeights(d); err != nil {
				return err
			}
			pool := kernel.NewPool(f.threads)
			defer pool.Close()
			var total scoreTotal
			err = train.Score(cmd.Context(), set.model.Model, pool, set.examples, func(r train.RowScore) error {
				total.Rows++
				total.LossSum += r.LossSum
				total.TrainedTokens += r.TrainedTokens
				if asJSON {
					return writeJSON(s.out, r)
				}
				_, err := fmt.Fprintf(s.out, "%s  loss %.4f over %d tokens\n", r.Source, r.LossSum/float64(r.TrainedTokens),
					r.TrainedTokens)
				return err
			})
			if err != nil {
				return err
			}
			total.MeanLoss = total.LossSum / float64(total.TrainedTokens)
			if asJSON {
				return writeJSON(s.out, total)
			}
			fmt.Fprintf(s.out, "%d rows, %d trained tokens, mean loss %.4f\n", total.Rows, total.TrainedTokens, total.MeanLoss)
			return nil
		}}
	f.add(c)
	c.Flags().StringVar(&dtype, "dtype", "fp32", dtypeHelp)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a row, the totals last")
	return c
}
