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
		Long: "Answer one prompt (--prompt), or one a line from standard input. " +
			"The prompt is put into the model's chat template; --raw takes it as it is.",
		RunE: func(cmd *cobra.Command, _ []string) error { return g.run(cmd, s) }}
	g.add(c)
	c.Flags().StringVar(&g.prompt, "prompt", "", "the prompt; without it, one prompt a line is read from standard input")
	c.Flags().StringVar(&g.system, "system", "", "system prompt")
	c.Flags().BoolVar(&g.raw, "raw", false, "continue the prompt as plain text, without the chat template")
	c.Flags().BoolVar(&g.json, "json", false, "one JSON object a prompt: prompt, prompt_ids, ids, text, finish_reason")
	return c
}

func (g *generator) run(cmd *cobra.Command, s *streams) error {
	sp, err := g.load(cmd)
	if err != nil {
		return err
	}
	defer sp.close()
	if cmd.Flags().Changed("prompt") {
		return g.answer(cmd.Context(), s, sp, g.prompt)
	}
	for line, err := range readLines(cmd.Context(), s.in) {
		if err == nil && strings.TrimSpace(line) != "" {
			err = g.answer(cmd.Context(), s, sp, line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// answer answers one prompt.
func (g *generator) answer(ctx context.Context, s *streams, sp *speaker, text string) error {
	var emit func(string)
	if !g.json {
		emit = func(part string) { fmt.Fprint(s.out, part) }
	}
	a, err := g.ask(ctx, sp, text, emit)
	if err != nil {
		return err
	}
	if a.Finish == model.FinishCancel {
		fmt.Fprintln(s.out)
		return ctx.Err()
	}
	if g.json {
		return writeJSON(s.out, generation{text, a.PromptIDs, a.IDs, a.Text, a.Finish})
	}
	fmt.Fprintln(s.out)
	return nil
}

// ask hands the prompt to the model, in its chat template or raw; emit receives the answer as it grows.
func (g *generator) ask(ctx context.Context, sp *speaker, text string, emit func(string)) (pretrained.Answer, error) {
	d := sp.decoding(emit)
	if g.raw {
		return sp.Continue(ctx, sp.model.Tokenizer.Encode(text, true), d)
	}
	return sp.Answer(ctx, conversationOf(g.system, chat.Message{Role: "user", Content: text}), d)
}

// conversationOf puts a system prompt, where there is one, before the turns.
func conversationOf(system string, turns ...chat.Message) []chat.Message {
	if system == "" {
		return turns
	}
	return append([]chat.Message{{Role: "system", Content: system}}, turns...)
}
