package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/tokenizer/chat"
)

const chatHelp = `  /system TEXT   set the system prompt and start anew; without TEXT remove it
  /undo          take the last question and its answer back
  /retry         ask the last question again, with other random numbers (see --temperature)
  /edit          change the last question in $EDITOR and ask it
  /reset         forget the conversation
  /save FILE     save the conversation as a JSONL row that instruct can train on
  /help          this list
  /quit          leave (also Ctrl-D)
Ctrl-C stops an answer. Lines can be edited; the arrow keys bring earlier ones back.`

// conversation is a chat: the turns so far.
type conversation struct {
	*speaker
	*streams
	lines   *lineInput
	system  string
	turns   []chat.Message // a question and its answer, and so on
	cut     bool           // the last answer was stopped
	retries uint64         // of the last question
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
			c := &conversation{speaker: sp, streams: s, lines: newLineInput(cmd.Context(), s),
				system: systemPrompt(cmd, s, system, sp.model.System)}
			return c.loop()
		}}
	f.add(c)
	c.Flags().StringVar(&system, "system", "", "system prompt; not given: the one that the model was tuned with")
	return c
}

// loop reads lines until the last one, or /quit.
func (c *conversation) loop() error {
	for {
		line, err := c.lines.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		line = strings.TrimSpace(line)
		name, rest, _ := strings.Cut(line, " ")
		switch {
		case name == "/quit" || name == "/exit":
			return nil
		case strings.HasPrefix(name, "/"):
			err = c.command(name, strings.TrimSpace(rest))
		case line != "":
			err = c.turn(line)
		}
		if c.lines.ctx.Err() != nil {
			return c.lines.ctx.Err()
		}
		if err != nil && !isMistake(err) {
			return err
		}
		if err != nil {
			fmt.Fprintln(c.err, err)
		}
	}
}

// command carries out a line that starts with a slash.
func (c *conversation) command(name, rest string) error {
	switch name {
	case "/system":
		c.system = rest
		c.reset()
		what := "set"
		if rest == "" {
			what = "removed"
		}
		fmt.Fprintf(c.err, "system prompt %s; the conversation starts anew\n", what)
	case "/reset":
		c.reset()
		fmt.Fprintln(c.err, "the conversation starts anew")
	case "/undo":
		return c.undo()
	case "/retry":
		return c.retry()
	case "/edit":
		return c.edit()
	case "/save":
		return c.save(rest)
	case "/help":
		fmt.Fprintln(c.err, chatHelp)
	default:
		return mistake("unknown command %s; /help lists them", name)
	}
	return nil
}

func (c *conversation) reset() { c.turns, c.retries, c.cut = nil, 0, false }

// last is the last question.
func (c *conversation) last() (string, error) {
	if len(c.turns) == 0 {
		return "", mistake("nothing was asked yet")
	}
	return c.turns[len(c.turns)-2].Content, nil
}

// undo takes the last question and its answer back.
func (c *conversation) undo() error {
	question, err := c.last()
	if err != nil {
		return err
	}
	c.turns, c.retries, c.cut = c.turns[:len(c.turns)-2], 0, false
	fmt.Fprintf(c.err, "taken back: %s\n", question)
	return nil
}

// retry asks the last question again.
func (c *conversation) retry() error {
	question, err := c.last()
	if err != nil {
		return err
	}
	if c.flags.sampling.Temperature == 0 && !c.cut {
		return mistake("the answer would be the same: chat --temperature 0.8 chooses at random")
	}
	return c.again(question, c.retries+1)
}

// edit asks the last question anew, as the user's editor leaves it.
func (c *conversation) edit() error {
	question, err := c.last()
	if err != nil {
		return err
	}
	if question, err = edited(c.streams, question); err != nil {
		return err
	}
	if question == "" {
		return mistake("the question is empty; nothing was changed")
	}
	fmt.Fprintln(c.err, linePrompt+question)
	return c.again(question, 0)
}

// again asks in the place of the last question, which stays where this one cannot be asked.
func (c *conversation) again(question string, retries uint64) error {
	old, oldRetries := c.turns, c.retries
	c.turns, c.retries = c.turns[:len(c.turns)-2:len(c.turns)-2], retries
	err := c.turn(question)
	if err != nil {
		c.turns, c.retries = old, oldRetries
	}
	return err
}

// save adds the conversation to a file of rows.
func (c *conversation) save(path string) error {
	switch {
	case path == "":
		return mistake("/save needs a file name")
	case len(c.turns) == 0:
		return mistake("there is nothing to save yet")
	case c.cut:
		return mistake("the last answer was stopped: /retry or /undo first, as nobody wants it trained")
	}
	row := struct {
		Messages []chat.Message `json:"messages"`
	}{conversationOf(c.system, c.turns...)}
	line, err := json.Marshal(row)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return mistake("%w", err)
	}
	if len(old) > 0 && old[len(old)-1] != '\n' {
		old = append(old, '\n')
	}
	if err := checkpoints.WriteFile(path, append(old, append(line, '\n')...)); err != nil {
		return mistake("%w", err)
	}
	fmt.Fprintf(c.err, "added to %s\n", path)
	return nil
}

// turn answers one question. A turn that fails did not take place.
func (c *conversation) turn(text string) error {
	asked := append(c.turns, chat.Message{Role: "user", Content: text})
	d := c.decoding(func(part string) { fmt.Fprint(shown(c.out), part) })
	d.Sampling.Seed += c.retries
	ctx, end := c.lines.stoppable()
	defer end()
	a, err := c.Answer(ctx, conversationOf(c.system, asked...), d)
	if isMistake(err) { // such as a conversation that is too long
		return mistake("%w; /undo takes the last turn back, /reset starts anew", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out)
	c.turns, c.cut = append(asked, chat.Message{Role: "assistant", Content: a.Text}), a.Finish == model.FinishCancel
	if c.cut {
		fmt.Fprintln(c.err, "stopped; /retry asks again, /undo takes the question back")
	}
	return nil
}
