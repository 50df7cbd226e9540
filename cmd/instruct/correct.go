package main

import (
	"bufio"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"instruct/data"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
	"instruct/train/coach"
)

// correctionFlags are the flags of commands that write corrections.
type correctionFlags struct {
	speakFlags
	system, out, author string
}

func (f *correctionFlags) add(c *cobra.Command) {
	f.speakFlags.add(c)
	fl := c.Flags()
	fl.StringVar(&f.system, "system", "", "system prompt; not given: the one that the model was tuned with")
	fl.StringVar(&f.out, "out", "corrections.jsonl", "file to which corrections are added")
	fl.StringVar(&f.author, "author", "", "who wants it so; your login name where empty")
}

// open loads the model and checks the file of corrections. The caller closes the speaker.
func (f *correctionFlags) open(cmd *cobra.Command) (*speaker, *coach.Corrections, error) {
	sp, err := f.load(cmd)
	if err != nil {
		return nil, nil, err
	}
	file, err := f.file(sp.model)
	if err != nil {
		sp.close()
		return nil, nil, err
	}
	return sp, file, nil
}

// file gives the file of corrections of a model that was loaded.
func (f *correctionFlags) file(m *pretrained.Model) (*coach.Corrections, error) {
	c := &coach.Corrections{Path: f.out, Author: coach.Author(f.author), Now: time.Now}
	if err := c.Check(); err != nil {
		return nil, err
	}
	var err error
	c.Model, err = weightsHash(m, f.speakFlags)
	return c, err
}

// weightsHash is the hash of a model's weights in float32, in whatever format they were loaded.
func weightsHash(m *pretrained.Model, f speakFlags) (string, error) {
	if d, err := kernel.ParseDType(f.dtype); err != nil || d == kernel.F32 {
		return m.WeightsHash(), err
	}
	whole, err := pretrained.Load(f.model, pretrained.Options{ChatTemplate: f.template, DType: kernel.F32})
	if err != nil {
		return "", err
	}
	defer whole.Close()
	return whole.WeightsHash(), nil
}

// correcting is one correction, as the flags say.
type correcting struct {
	correctionFlags
	prompt, good, bad, note, rule string
	paraphrases, near             []string
	repairs                       repairs
}

func newCorrect(s *streams) *cobra.Command {
	var f correcting
	c := &cobra.Command{Use: "correct", Short: "Say what a model should have answered", Args: noArgs,
		Long: `Ask a model and say what it should have answered. The correction is added to a file and written to
standard output.

With --applies_to, what suites ask is asked too, and every answer to which the same correction applies is shown with
what it should be then: it is the answer that was corrected; or it has the words that the correction replaces; or, with
--rule and --policy, it violates the rule. In a terminal each is asked for; --yes takes all; else they are listed.`,
		Example: `  instruct correct --model runs/mine --prompt "How long can I return it?" --good "14 days." \
      --paraphrase "Until when may it come back?" --rule refund-days
  instruct correct --model runs/mine --prompt "How long can I return it?" --good "14 days." --applies_to shop.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, s) }}
	f.add(c)
	f.repairs.add(c)
	fl := c.Flags()
	fl.StringVar(&f.prompt, "prompt", "", "what is asked")
	fl.StringVar(&f.good, "good", "", "the answer that you want")
	fl.StringVar(&f.bad, "bad", "", "the answer that you do not want; the model is asked where it is not given")
	fl.StringVar(&f.note, "note", "", "the reason or rule in words")
	fl.StringVar(&f.rule, "rule", "", "id of the rule of a policy that the answer broke")
	fl.StringArrayVar(&f.paraphrases, "paraphrase", nil, "another way to ask the same; may be given several times")
	fl.StringArrayVar(&f.near, "near", nil, "what looks alike, but is to stay as it is; may be given several times")
	return c
}

func (f *correcting) run(cmd *cobra.Command, s *streams) error {
	ctx := cmd.Context()
	if err := required(cmd, "prompt", "good"); err != nil {
		return err
	}
	kept, err := pretrained.KeptSystem(f.model)
	if err != nil {
		return err
	}
	f.system = systemPrompt(cmd, s, f.system, kept)
	if err := f.repairs.read(ctx, f.system, f.rule); err != nil {
		return err
	}
	sp, file, err := f.open(cmd)
	if err != nil {
		return err
	}
	defer sp.close()
	asked := conversationOf(f.system, chat.Message{Role: "user", Content: f.prompt})
	if !cmd.Flags().Changed("bad") {
		a, err := sp.Answer(ctx, asked, sp.decoding(nil))
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		f.bad = a.Text
	}
	made := file.New(asked, f.good, f.bad)
	made.Note, made.Rule = f.note, f.rule
	made.Paraphrases = append(made.Paraphrases, f.paraphrases...)
	made.Near = append(made.Near, f.near...)
	if err := f.save(s, file, &made); err != nil || len(f.repairs.paths) == 0 {
		return err
	}
	var lines *bufio.Reader
	if terminal(s.in) {
		lines = bufio.NewReader(s.in)
	}
	taken, failed := f.repairs.run(ctx, s, sp, file, made, lines)
	text, err := data.CorrectionLines(taken)
	if err != nil {
		return err
	}
	if _, err := s.out.Write(text); err != nil {
		return err
	}
	return failed
}

// save adds the correction to the file, unless it is there: whoever lists repairs first and takes them then says the
// same twice. It is written to standard output as it is in the file.
func (f *correcting) save(s *streams, file *coach.Corrections, made *data.Correction) error {
	before, err := file.Before(made)
	if err != nil {
		return err
	}
	if before != nil {
		*made = *before
		fmt.Fprintf(s.err, "is in %s already\n", file.Path)
	} else {
		if err := file.Add(*made); err != nil {
			return err
		}
		fmt.Fprintf(s.err, "added to %s\n", file.Path)
	}
	line, err := made.Line()
	if err != nil {
		return err
	}
	_, err = s.out.Write(line)
	return err
}
