package main

import (
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
)

// correctionFlags are the flags of commands that write corrections.
type correctionFlags struct {
	speakFlags
	system, out, author string
}

func (f *correctionFlags) add(c *cobra.Command) {
	f.speakFlags.add(c)
	fl := c.Flags()
	fl.StringVar(&f.system, "system", "", "system prompt")
	fl.StringVar(&f.out, "out", "corrections.jsonl", "file to which corrections are added")
	fl.StringVar(&f.author, "author", "", "who wants it so; your login name where empty")
}

// correctionFile is a file of corrections that grows.
type correctionFile struct {
	path, author, model string
	now                 func() time.Time
}

// authorOr is the login name where no author was given.
func authorOr(given string) string {
	u, err := user.Current()
	if given == "" && err == nil {
		return u.Username
	}
	return given
}

// open loads the model and checks the file of corrections. The caller closes the speaker.
func (f *correctionFlags) open(cmd *cobra.Command) (*speaker, *correctionFile, error) {
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
func (f *correctionFlags) file(m *pretrained.Model) (*correctionFile, error) {
	if _, err := os.Stat(f.out); err == nil {
		if _, err := data.ReadCorrections(f.out); err != nil {
			return nil, err // before any work is lost
		}
	}
	c := &correctionFile{path: f.out, author: authorOr(f.author), now: time.Now}
	var err error
	c.model, err = weightsHash(m, f.speakFlags)
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

// correction makes a correction of the model's answer.
func (c *correctionFile) correction(prompt []chat.Message, chosen, rejected string) data.Correction {
	made := data.NewCorrection(prompt, strings.TrimSpace(chosen), rejected, c.now())
	made.Author, made.Model = c.author, c.model
	return made
}

// add writes a correction behind the others.
func (c *correctionFile) add(made data.Correction) error {
	return data.AppendCorrections(c.path, []data.Correction{made}, checkpoints.WriteFile)
}

// dropLast takes the last correction out of the file, which has the given id.
func (c *correctionFile) dropLast(id string) error {
	all, err := data.ReadCorrections(c.path)
	if err != nil {
		return err
	}
	n := len(all) - 1
	if all[n].ID != id {
		return mistake("corrections: %s was changed by another program; the last one is %s, not %s", c.path, all[n].ID, id)
	}
	if n == 0 {
		return os.Remove(c.path)
	}
	text, err := data.CorrectionLines(all[:n])
	if err != nil {
		return err
	}
	return checkpoints.WriteFile(c.path, text)
}

func newCorrect(s *streams) *cobra.Command {
	var f correctionFlags
	var prompt, good, bad, note, rule string
	var paraphrases []string
	c := &cobra.Command{Use: "correct", Short: "Say what a model should have answered", Args: noArgs,
		Long: `Ask a model and say what it should have answered. The correction is added to a file and written to
standard output.`,
		Example: `  instruct correct --model runs/mine --prompt "How long can I return it?" --good "14 days." \
      --paraphrase "Until when may it come back?" --rule refund-days`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "prompt", "good"); err != nil {
				return err
			}
			sp, file, err := f.open(cmd)
			if err != nil {
				return err
			}
			defer sp.close()
			asked := conversationOf(f.system, chat.Message{Role: "user", Content: prompt})
			if !cmd.Flags().Changed("bad") {
				a, err := sp.Answer(cmd.Context(), asked, sp.decoding(nil))
				if err != nil {
					return err
				}
				if err := cmd.Context().Err(); err != nil {
					return err
				}
				bad = a.Text
			}
			made := file.correction(asked, good, bad)
			made.Note, made.Rule = note, rule
			made.Paraphrases = append(made.Paraphrases, paraphrases...)
			if err := file.add(made); err != nil {
				return err
			}
			line, err := made.Line()
			if err != nil {
				return err
			}
			fmt.Fprintf(s.err, "added to %s\n", f.out)
			_, err = s.out.Write(line)
			return err
		}}
	f.add(c)
	fl := c.Flags()
	fl.StringVar(&prompt, "prompt", "", "what is asked")
	fl.StringVar(&good, "good", "", "the answer that you want")
	fl.StringVar(&bad, "bad", "", "the answer that you do not want; the model is asked where it is not given")
	fl.StringVar(&note, "note", "", "the reason or rule in words")
	fl.StringVar(&rule, "rule", "", "id of the rule of a policy that the answer broke")
	fl.StringArrayVar(&paraphrases, "paraphrase", nil, "another way to ask the same; may be given several times")
	return c
}
