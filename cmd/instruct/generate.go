package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/tokenizer/chat"
	"instruct/train"
)

// speaker is a loaded model that answers.
type speaker struct {
	assets  *train.Assets
	pool    *kernel.Pool
	decoder *model.Decoder
	flags   speakerFlags
}

// speakerFlags are the flags that generate and chat share.
type speakerFlags struct {
	model, template, dtype string
	maxNew, threads        int
	sampling               model.Sampling
}

func (f *speakerFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.model, "model", "", "a Hugging Face folder, a run or checkpoint folder, or a .gguf file")
	fl.StringVar(&f.template, "chat_template", "", "a built-in template's name or a Jinja file, in place of the model's own")
	addDType(c, &f.dtype)
	fl.IntVar(&f.maxNew, "max_new_tokens", 256, "longest answer in tokens")
	fl.Float64Var(&f.sampling.Temperature, "temperature", 0, "0: always the most likely token; higher: more varied")
	fl.IntVar(&f.sampling.TopK, "top_k", 0, "choose among the k most likely tokens; 0: all")
	fl.Float64Var(&f.sampling.TopP, "top_p", 1, "choose among the most likely tokens that together reach this probability")
	fl.Float64Var(&f.sampling.RepetitionPenalty, "repetition_penalty", 1, "above 1: tokens that already occurred become less likely")
	fl.Uint64Var(&f.sampling.Seed, "seed", 0, "seed of the sampling")
	fl.IntVar(&f.threads, "threads", 0, "worker threads; 0: one a core")
}

// addDType adds the flag for the format of a model's weights.
func addDType(c *cobra.Command, dtype *string) {
	c.Flags().StringVar(dtype, "dtype", "fp32", "format of the weights in memory: fp32, bf16 (half the memory) or q8_0 (a quarter, fastest)")
}

func (f *speakerFlags) load(cmd *cobra.Command) (*speaker, error) {
	if err := required(cmd, "model"); err != nil {
		return nil, err
	}
	if f.maxNew < 1 {
		return nil, mistake("max_new_tokens is %d; it must be at least 1", f.maxNew)
	}
	if err := f.sampling.Validate(); err != nil {
		return nil, err
	}
	if err := kernel.CheckCPU(); err != nil {
		return nil, err
	}
	dtype, err := kernel.ParseDType(f.dtype)
	if err != nil {
		return nil, err
	}
	assets, err := train.LoadForInference(f.model, f.template, dtype)
	if err != nil {
		return nil, err
	}
	return &speaker{assets: assets, pool: kernel.NewPool(f.threads), flags: *f}, nil
}

// positions makes sure that the decoder holds at least n positions.
func (s *speaker) positions(n int) error {
	limit := s.assets.Model.Config.MaxLength
	if s.decoder != nil && s.decoder.MaxLen() >= min(n, limit) {
		return nil
	}
	if s.decoder != nil {
		s.decoder.Close()
	}
	size := 512
	for size < n {
		size *= 2
	}
	var err error
	s.decoder, err = s.assets.Model.NewDecoder(s.pool, min(size, limit))
	return err
}

// answer continues prompt ids; emit receives the text as it grows.
func (s *speaker) answer(ctx context.Context, prompt []int32, keepCache bool, emit func(string)) (ids []int32, finish string, err error) {
	if limit := s.assets.Model.Config.MaxLength; len(prompt) >= limit {
		return nil, "", mistake("the prompt has %d tokens; the model reads at most %d, its answer included", len(prompt), limit)
	}
	old := s.decoder
	if err := s.positions(len(prompt) + s.flags.maxNew); err != nil {
		return nil, "", err
	}
	stream := s.assets.Tokenizer.NewStream(true)
	ids, finish, err = s.decoder.Generate(ctx, model.Request{Prompt: prompt, MaxNew: s.flags.maxNew, Stop: s.assets.Stop, Sampling: s.flags.sampling,
		KeepCache: keepCache && s.decoder == old, Emit: func(id int32) {
			if emit != nil {
				emit(stream.Push(id))
			}
		}})
	if emit != nil {
		emit(stream.Flush())
	}
	return ids, finish, err
}

// generation is one line of `generate --json`.
type generation struct {
	Prompt       string  `json:"prompt"`
	PromptIDs    []int32 `json:"prompt_ids"`
	IDs          []int32 `json:"ids"`
	Text         string  `json:"text"`
	FinishReason string  `json:"finish_reason"`
}

func newGenerate(s *streams) *cobra.Command {
	var f speakerFlags
	var prompt, system string
	var raw, asJSON bool
	c := &cobra.Command{Use: "generate", Short: "Answer prompts", Args: noArgs,
		Long: "Answer one prompt (--prompt), or one a line from standard input. The prompt is put into the model's chat template; --raw takes it as it is.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			sp, err := f.load(cmd)
			if err != nil {
				return err
			}
			defer sp.pool.Close()
			one := func(text string) error {
				ids, err := sp.promptIDs(text, system, raw)
				if err != nil {
					return err
				}
				emit := func(part string) { fmt.Fprint(s.out, part) }
				if asJSON {
					emit = nil
				}
				out, finish, err := sp.answer(cmd.Context(), ids, false, emit)
				if err != nil {
					return err
				}
				if finish == model.FinishCancel {
					fmt.Fprintln(s.out)
					return cmd.Context().Err()
				}
				if !asJSON {
					fmt.Fprintln(s.out)
					return nil
				}
				answer, err := sp.assets.Tokenizer.Decode(out, true)
				if err != nil {
					return err
				}
				if out == nil {
					out = []int32{}
				}
				return writeJSON(s.out, generation{text, ids, out, answer, finish})
			}
			if cmd.Flags().Changed("prompt") {
				return one(prompt)
			}
			lines := readLines(cmd.Context(), s.in)
			for {
				line, ok, err := lines.next(cmd.Context())
				if !ok {
					return err
				}
				if strings.TrimSpace(line) == "" {
					continue
				}
				if err := one(line); err != nil {
					return err
				}
			}
		}}
	f.add(c)
	c.Flags().StringVar(&prompt, "prompt", "", "the prompt; without it, one prompt a line is read from standard input")
	c.Flags().StringVar(&system, "system", "", "system prompt")
	c.Flags().BoolVar(&raw, "raw", false, "continue the prompt as plain text, without the chat template")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a prompt: prompt, prompt_ids, ids, text, finish_reason")
	return c
}

// promptIDs encodes a prompt, in the chat template or raw.
func (s *speaker) promptIDs(text, system string, raw bool) ([]int32, error) {
	var ids []int32
	var err error
	if raw {
		ids = s.assets.Tokenizer.Encode(text, true)
	} else {
		var messages []chat.Message
		if system != "" {
			messages = append(messages, chat.Message{Role: "system", Content: system})
		}
		messages = append(messages, chat.Message{Role: "user", Content: text})
		ids, err = s.assets.Encoder(s.assets.Model.Config.MaxLength, false).Prompt(messages)
	}
	if err == nil && len(ids) == 0 {
		err = mistake("the prompt is empty")
	}
	return ids, err
}
