package main

import (
	"context"

	"github.com/spf13/cobra"

	"instruct/data"
	"instruct/model/pretrained"
)

// rowFlags are the flags of commands that read a data set for a model.
type rowFlags struct {
	reading
	model, template    string
	dataset            []string
	maxLength, threads int
	assistantOnly      bool
	trainOnInputs      bool // an older name for the contrary
}

func (f *rowFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.model, "model", "", modelHelp)
	fl.StringVar(&f.template, "chat_template", "", templateHelp)
	fl.StringArrayVar(&f.dataset, "dataset", nil, filesHelp)
	f.reading.add(fl)
	fl.IntVar(&f.maxLength, "max_length", 1024, "longest row in tokens")
	fl.BoolVar(&f.assistantOnly, "assistant_only_loss", true, "the answers only are trained; false: every token")
	fl.BoolVar(&f.trainOnInputs, "train_on_inputs", false, "as --assistant_only_loss=false")
	fl.Lookup("train_on_inputs").Hidden = true
	fl.IntVar(&f.threads, "threads", 0, threadsHelp)
}

// dataset is a data set as a model sees it.
type dataset struct {
	model    *pretrained.Model // without its weights
	encoder  *data.Encoder
	rows     []data.Row
	examples []data.Example
	audit    *data.Audit
}

// load reads model and rows and encodes them. The data set is nil where there is no audit; with the error that no row
// is left to train on there is one.
func (f *rowFlags) load(ctx context.Context, s *streams) (*dataset, error) {
	rows, err := f.reading.load(ctx, s, f.dataset)
	if err != nil {
		return nil, err
	}
	m, err := pretrained.Outline(f.model, f.template)
	if err != nil {
		return nil, err
	}
	d := &dataset{model: m, rows: rows}
	d.encoder = &data.Encoder{Tokenizer: m.Tokenizer, Template: m.Template, Stop: m.Stop, MaxLength: f.maxLength,
		ModelLength: m.Config.MaxLength, TrainOnInputs: f.trainOnInputs || !f.assistantOnly}
	d.examples, d.audit, err = d.encoder.EncodeAll(ctx, rows, f.threads)
	if d.audit == nil {
		return nil, err
	}
	return d, err
}
