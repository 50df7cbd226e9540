package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/tokenizer/chat"
)

const chatHelp = `  /system TEXT   set the system prompt and start anew; without TEXT remove it
  /reset         forget the conversation
  /save FILE     save the conversation as a JSONL row that instruct can train on
  /help          this list
  /quit          leave (also Ctrl-D)`

// conversation is a chat: the turns so far and the ids that the decoder has read.
type conversation struct {
	*speaker
	system string
	turns  []chat.Message
	read   []int32 // what the decoder's cache holds
}

func newChat(s *streams) *cobra.Command {
	var f speakerFlags
	var system string
	c := &cobra.Command{Use: "chat", Short: "Talk to a model", Long: "Talk to a model, a line a turn. Commands in the chat:\n" + chatHelp, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sp, err := f.load(cmd)
			if err != nil {
				return err
			}
			defer sp.pool.Close()
			c := &conversation{speaker: sp, system: system}
			fmt.Fprintf(s.err, "%s; /help lists commands, Ctrl-D leaves\n", f.model)
			lines := readLines(cmd.Context(), s.in)
			for {
				fmt.Fprint(s.err, "> ")
				line, ok, err := lines.next(cmd.Context())
				if !ok {
					fmt.Fprintln(s.err)
					return err
				}
				text := strings.TrimSpace(line)
				if text == "" {
					continue
				}
				if command, rest, _ := strings.Cut(text, " "); strings.HasPrefix(command, "/") {
					if command == "/quit" || command == "/exit" {
						return nil
					}
					if err := c.command(s, command, strings.TrimSpace(rest)); err != nil {
						fmt.Fprintln(s.err, err)
					}
					continue
				}
				err = c.turn(cmd.Context(), s, text)
				var user interface{ UserError() bool }
				switch {
				case cmd.Context().Err() != nil:
					return cmd.Context().Err()
				case errors.As(err, &user) && user.UserError(): // such as a conversation that is too long
					fmt.Fprintf(s.err, "%v; /reset starts anew\n", err)
				case err != nil:
					return err
				}
			}
		}}
	f.add(c)
	c.Flags().StringVar(&system, "system", "", "system prompt")
	return c
}

// command carries out a line that starts with a slash.
func (c *conversation) command(s *streams, name, rest string) error {
	switch name {
	case "/system":
		c.system, c.turns = rest, nil
		what := "set"
		if rest == "" {
			what = "removed"
		}
		fmt.Fprintf(s.err, "system prompt %s; the conversation starts anew\n", what)
	case "/reset":
		c.turns = nil
		fmt.Fprintln(s.err, "the conversation starts anew")
	case "/save":
		if rest == "" {
			return fmt.Errorf("/save needs a file name")
		}
		if len(c.turns) == 0 {
			return fmt.Errorf("there is nothing to save yet")
		}
		return c.save(s, rest)
	case "/help":
		fmt.Fprintln(s.err, chatHelp)
	default:
		return fmt.Errorf("unknown command %s; /help lists them", name)
	}
	return nil
}

// messages returns the conversation with its system prompt.
func (c *conversation) messages() []chat.Message {
	var m []chat.Message
	if c.system != "" {
		m = append(m, chat.Message{Role: "system", Content: c.system})
	}
	return append(m, c.turns...)
}

func (c *conversation) save(s *streams, path string) error {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	row := struct {
		Messages []message `json:"messages"`
	}{[]message{}}
	for _, m := range c.messages() {
		row.Messages = append(row.Messages, message{m.Role, m.Content})
	}
	line, err := json.Marshal(row)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if len(old) > 0 && old[len(old)-1] != '\n' {
		old = append(old, '\n')
	}
	if err := checkpoints.WriteFile(path, append(old, append(line, '\n')...)); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "added to %s\n", path)
	return nil
}

// turn answers one line.
func (c *conversation) turn(ctx context.Context, s *streams, text string) (err error) {
	turns := c.turns
	c.turns = append(c.turns, chat.Message{Role: "user", Content: text})
	defer func() {
		if err != nil { // the turn did not take place
			c.turns = turns
		}
	}()
	ids, err := c.assets.Encoder(c.assets.Model.Config.MaxLength, false).Prompt(c.messages())
	if err != nil {
		return err
	}
	// What the new prompt has in common with what was read need not be read again, but for its last token.
	same := 0
	for same < min(len(ids)-1, len(c.read)) && ids[same] == c.read[same] {
		same++
	}
	if c.decoder != nil {
		c.decoder.Truncate(same)
	}
	c.read = c.read[:same]
	var answer strings.Builder
	out, _, err := c.answer(ctx, ids, true, func(part string) {
		answer.WriteString(part)
		fmt.Fprint(s.out, part)
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out)
	c.read = slices.Concat(ids, out)[:c.decoder.Len()]
	c.turns = append(c.turns, chat.Message{Role: "assistant", Content: answer.String()})
	return nil
}
