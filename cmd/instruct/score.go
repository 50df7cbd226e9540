package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"instruct/data"
	"instruct/model/kernel"
	"instruct/train"
)

// rowFlags are the flags of commands that read a data set for a model.
type rowFlags struct {
	model, template, format string
	dataset                 []string
	maxLength, threads      int
	trainOnInputs           bool
}

func (f *rowFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.model, "model", "", "a Hugging Face folder, a run or checkpoint folder, or a .gguf file")
	fl.StringVar(&f.template, "chat_template", "", "a built-in template's name or a Jinja file, in place of the model's own")
	fl.StringSliceVar(&f.dataset, "dataset", nil, "files of rows (.jsonl .json .csv .tsv .parquet)")
	fl.StringVar(&f.format, "format", "", "format of the rows; found from the first row where empty")
	fl.IntVar(&f.maxLength, "max_length", 1024, "longest row in tokens")
	fl.BoolVar(&f.trainOnInputs, "train_on_inputs", false, "mark every token as trained, not the answers only")
	fl.IntVar(&f.threads, "threads", 0, "worker threads; 0: one a core")
}

// load reads model and rows and encodes them.
func (f *rowFlags) load(cmd *cobra.Command, pool *kernel.Pool, d kernel.DType) (*train.Assets, []data.Example, *data.Audit, error) {
	if err := required(cmd, "model", "dataset"); err != nil {
		return nil, nil, nil, err
	}
	rows, err := data.Load(cmd.Context(), f.dataset, f.format)
	if err != nil {
		return nil, nil, nil, err
	}
	assets, err := train.LoadForInference(f.model, f.template, d)
	if err != nil {
		return nil, nil, nil, err
	}
	examples, audit, err := assets.Encoder(f.maxLength, f.trainOnInputs).EncodeAll(cmd.Context(), rows, pool.Threads())
	return assets, examples, audit, assets.LengthHint(err, f.maxLength)
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
			pool := kernel.NewPool(f.threads)
			defer pool.Close()
			assets, examples, _, err := f.load(cmd, pool, d)
			if err != nil {
				return err
			}
			total := struct {
				Rows          int     `json:"rows"`
				LossSum       float64 `json:"loss_sum"`
				TrainedTokens int     `json:"trained_tokens"`
				MeanLoss      float64 `json:"mean_loss"`
			}{}
			err = train.Score(cmd.Context(), assets, pool, examples, func(r train.RowScore) error {
				total.Rows++
				total.LossSum += r.LossSum
				total.TrainedTokens += r.TrainedTokens
				if asJSON {
					return writeJSON(s.out, r)
				}
				_, err := fmt.Fprintf(s.out, "%s  loss %.4f over %d tokens\n", r.Source, r.LossSum/float64(r.TrainedTokens), r.TrainedTokens)
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
	addDType(c, &dtype)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a row, the totals last")
	return c
}
