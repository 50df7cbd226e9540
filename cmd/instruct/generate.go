package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"instruct/model"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
)

// generation is one line of `generate --json`.
type generation struct {
	Prompt       string  `json:"prompt"`
	PromptIDs    []int32 `json:"prompt_ids"`
	IDs          []int32 `json:"ids"`
	Text         string  `json:"text"`
	FinishReason string  `json:"finish_reason"`
	Error        string  `json:"error,omitempty"`
}

// generator answers prompts as the flags say.
type generator struct {
	speakFlags
	prompt, system string
	raw, json      bool
}

func newGenerate(s *streams) *cobra.Command {
	var g generator
	c := &cobra.Command{Use: "generate", Short: "Answer prompts", Args: noArgs,
		Long: "Answer one prompt (--prompt), or one a line from standard input, several at a time (--rows). " +
			"The answers come in the order of the prompts, and each is the one that its prompt gets alone. " +
			"The prompt is put into the model's chat template; --raw takes it as it is.",
		RunE: func(cmd *cobra.Command, _ []string) error { return g.run(cmd, s) }}
	g.add(c)
	fl := c.Flags()
	fl.StringVar(&g.prompt, "prompt", "", "the prompt; without it, one prompt a line is read from standard input")
	fl.StringVar(&g.system, "system", "", "system prompt; not given: the one that the model was tuned with")
	fl.BoolVar(&g.raw, "raw", false, "continue the prompt as plain text, without the chat template")
	fl.BoolVar(&g.json, "json", false, "one JSON object a prompt: prompt, prompt_ids, ids, text, finish_reason")
	fl.IntVar(&g.rows, "rows", 16, "prompts that are answered at one time")
	return c
}

func (g *generator) run(cmd *cobra.Command, s *streams) error {
	if g.rows < 1 {
		return mistake("rows is %d; it must be at least 1", g.rows)
	}
	one := cmd.Flags().Changed("prompt")
	if one {
		g.rows = 1
	}
	sp, err := g.load(cmd)
	if err != nil {
		return err
	}
	defer sp.close()
	if !g.raw {
		g.system = systemPrompt(cmd, s, g.system, sp.model.System)
	}
	out := &streams{in: s.in, out: shown(s.out), err: s.err}
	a := answering{generator: g, speaker: sp, out: out, alone: one}
	if one {
		return a.run(cmd.Context(), func(bool) (string, bool, error) {
			return g.prompt, len(a.asked) == 0, nil
		})
	}
	return a.run(cmd.Context(), newLineReader(cmd.Context(), s.in).next)
}

// answering is prompts that are answered at one time and written in their order.
type answering struct {
	*generator
	speaker *speaker
	out     *streams
	alone   bool        // there is one prompt, which may be blank, and whose error is the command's
	asked   []*answered // in the order of the prompts; nil once they are written
	written int         // of asked
	wrong   int         // prompts without an answer
}

// answered is a prompt and what there is of its answer.
type answered struct {
	prompt string
	text   strings.Builder // not written yet
	answer *pretrained.Answer
}

// run answers the prompts that next gives. What ctx ends stays as far as it was written.
func (a *answering) run(ctx context.Context, next func(wait bool) (string, bool, error)) error {
	var failed error
	err := a.speaker.Ask(ctx, func(idle bool) (q pretrained.Question, ok bool) {
		line, ok, err := next(idle)
		for ok && strings.TrimSpace(line) == "" && !a.alone {
			line, ok, err = next(idle)
		}
		if err != nil {
			failed = err
		}
		if !ok {
			return q, false
		}
		return a.question(line), true
	}, func(got pretrained.Answer) error {
		if got.Finish == model.FinishCancel {
			if got.Index == a.written && !a.json {
				fmt.Fprintln(a.out.out)
			}
			return nil
		}
		a.asked[got.Index].answer = &got
		return a.write()
	})
	switch {
	case err != nil:
		return err
	case failed != nil:
		return failed
	case a.wrong > 0:
		return mistake("%d of %d prompts have no answer", a.wrong, len(a.asked))
	}
	return nil
}

// question is what is asked for a line. The text of the first answer that is not finished is written as it grows.
func (a *answering) question(line string) pretrained.Question {
	i, x := len(a.asked), &answered{prompt: line}
	a.asked = append(a.asked, x)
	emit := func(part string) {
		if i == a.written {
			fmt.Fprint(a.out.out, part)
			return
		}
		x.text.WriteString(part)
	}
	if a.json {
		emit = nil
	}
	q := pretrained.Question{Decoding: a.speaker.decoding(emit)}
	if a.raw {
		q.IDs = a.speaker.model.Tokenizer.Encode(line, true)
	} else {
		q.Messages = conversationOf(a.system, chat.Message{Role: "user", Content: line})
	}
	return q
}

// write writes the answers whose turn it is.
func (a *answering) write() error {
	for a.written < len(a.asked) {
		x := a.asked[a.written]
		fmt.Fprint(a.out.out, x.text.String())
		x.text.Reset()
		if x.answer == nil {
			return nil
		}
		if err := a.finish(x.prompt, x.answer); err != nil {
			return err
		}
		a.asked[a.written] = nil
		a.written++
	}
	return nil
}

// finish writes what follows on the text of an answer, or the answer as JSON.
func (a *answering) finish(prompt string, y *pretrained.Answer) error {
	out := generation{prompt, y.PromptIDs, y.IDs, y.Text, y.Finish, ""}
	if y.Err != nil {
		if a.alone || !isMistake(y.Err) {
			return y.Err
		}
		a.wrong++
		fmt.Fprintf(a.out.err, "prompt %d: %v\n", y.Index+1, y.Err)
		out.Error = y.Err.Error()
	}
	if a.json {
		return writeJSON(a.out.out, out)
	}
	fmt.Fprintln(a.out.out)
	return nil
}

// conversationOf puts a system prompt, where there is one, before the turns.
func conversationOf(system string, turns ...chat.Message) []chat.Message {
	if system == "" {
		return turns
	}
	return append([]chat.Message{{Role: "system", Content: system}}, turns...)
}
