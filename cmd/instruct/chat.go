package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
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

// conversation is a chat: the turns so far.
type conversation struct {
	*speaker
	system string
	turns  []chat.Message
}

func newChat(s *streams) *cobra.Command {
	var f speakFlags
	var system string
	c := &cobra.Command{Use: "chat", Short: "Talk to a model", Args: noArgs,
		Long: "Talk to a model, a line a turn. Commands in the chat:\n" + chatHelp,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sp, err := f.load(cmd)
			if err != nil {
				return err
			}
			defer sp.close()
			fmt.Fprintf(s.err, "%s; /help lists commands, Ctrl-D leaves\n", f.model)
			c := &conversation{speaker: sp, system: system}
			return c.loop(cmd.Context(), s)
		}}
	f.add(c)
	c.Flags().StringVar(&system, "system", "", "system prompt")
	return c
}

// loop reads lines until the last one, or /quit.
func (c *conversation) loop(ctx context.Context, s *streams) error {
	const prompt = "> "
	fmt.Fprint(s.err, prompt)
	for line, err := range readLines(ctx, s.in) {
		if err != nil {
			fmt.Fprintln(s.err)
			return err
		}
		line = strings.TrimSpace(line)
		name, rest, _ := strings.Cut(line, " ")
		switch {
		case name == "/quit" || name == "/exit":
			return nil
		case strings.HasPrefix(name, "/"):
			if err := c.command(s, name, strings.TrimSpace(rest)); err != nil {
				fmt.Fprintln(s.err, err)
			}
		case line != "":
			if err := c.turn(ctx, s, line); err != nil {
				return err
			}
		}
		fmt.Fprint(s.err, prompt)
	}
	fmt.Fprintln(s.err)
	return nil
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

func (c *conversation) save(s *streams, path string) error {
	row := struct {
		Messages []chat.Message `json:"messages"`
	}{conversationOf(c.system, c.turns...)}
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

// turn answers one line. A turn that fails did not take place; where the user is to blame, the chat goes on.
func (c *conversation) turn(ctx context.Context, s *streams, text string) error {
	asked := append(c.turns, chat.Message{Role: "user", Content: text})
	emit := func(part string) { fmt.Fprint(s.out, part) }
	a, err := c.Answer(ctx, conversationOf(c.system, asked...), c.decoding(emit))
	if isMistake(err) { // such as a conversation that is too long
		fmt.Fprintf(s.err, "%v; /reset starts anew\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out)
	c.turns = append(asked, chat.Message{Role: "assistant", Content: a.Text})
	return ctx.Err()
}
