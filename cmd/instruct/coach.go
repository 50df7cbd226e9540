package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"instruct/data"
	"instruct/tokenizer/chat"
	"instruct/train/coach"
	"instruct/train/eval"
)

const coachHelp = `A line without a slash is said to the model; the answer before it is accepted. Of the last answer:
  /good TEXT     this is the answer that I want
  /edit          write the answer that I want in $EDITOR
  /note TEXT     the reason or rule in words
  /rule ID       the rule of a policy that it broke
  /also TEXT     another way to ask the same (a paraphrase)
  /near TEXT     what looks alike, but is to be answered as before
  /ok            accept it (with --suite: go to the next test)
  /repair FILE   ask what this suite asks, and for each answer to which the correction applies too, whether to repair it
  /skip          take question and answer out of the conversation (with --suite: go to the next test)
  /undo          take the last correction back
  /reset         forget the conversation
  /help          this list
  /quit          leave (also Ctrl-D)`

// coaching is a conversation whose answers a person corrects.
type coaching struct {
	*speaker
	*streams
	file    *coach.Corrections
	system  string
	turns   []chat.Message
	asked   []chat.Message // up to the last answer
	answer  string         // the last one that the model gave; "" where there is none to correct
	mine    bool           // it is corrected
	pending data.Correction
	made    []string    // ids of the corrections
	tests   []eval.Test // of a suite, that failed and were not shown yet
}

func newCoach(s *streams) *cobra.Command {
	var f correctionFlags
	var suite string
	c := &cobra.Command{Use: "coach", Short: "Correct a model's answers in a conversation, or those that fail a suite",
		Args: noArgs, Long: "Talk to a model and correct it, or go through the tests of a suite that it fails.\n" + coachHelp,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.rows = eval.Rows
			sp, file, err := f.open(cmd)
			if err != nil {
				return err
			}
			defer sp.close()
			c := &coaching{speaker: sp, streams: s, file: file, system: systemPrompt(cmd, s, f.system, sp.model.System)}
			if suite != "" {
				return c.suite(cmd.Context(), suite)
			}
			fmt.Fprintf(s.err, "%s; /help lists commands, Ctrl-D leaves\n", f.model)
			return c.loop(cmd.Context())
		}}
	f.add(c)
	c.Flags().StringVar(&suite, "suite", "", "go through the tests of this suite that the model fails")
	return c
}

// suite asks the tests of a suite and goes through those that fail.
func (c *coaching) suite(ctx context.Context, path string) error {
	suite, err := eval.Read(ctx, path, c.system)
	if err != nil {
		return err
	}
	p := newCountdown(c.err, terminal(c.err), suite.Name, len(suite.Tests))
	samples, err := suite.AskWith(ctx, c.Session, c.decoding(nil), p.step)
	p.done()
	if err != nil {
		return err
	}
	for i, t := range suite.Tests {
		if !samples[i].Pass {
			c.tests = append(c.tests, t)
		}
	}
	fmt.Fprintf(c.err, "%d of %d tests fail; /help lists commands, Ctrl-D leaves\n", len(c.tests), len(suite.Tests))
	if len(c.tests) == 0 {
		return nil
	}
	if err := c.next(ctx); err != nil {
		return err
	}
	return c.loop(ctx)
}

// next shows the next test that failed, with the model's answer to it.
func (c *coaching) next(ctx context.Context) error {
	if len(c.tests) == 0 {
		return nil
	}
	t := c.tests[0]
	c.tests = c.tests[1:]
	fmt.Fprintf(c.err, "\n%s, %d more\n%s\n", t.ID, len(c.tests), t.Prompt())
	if err := c.ask(ctx, t.Messages); err != nil {
		return err
	}
	if v := t.Check(c.answer); !v.Pass {
		fmt.Fprintf(c.err, "fails: %s\n", v.Reason)
	}
	return nil
}

// loop reads lines until the last one, or /quit.
func (c *coaching) loop(ctx context.Context) error {
	const prompt = "> "
	ofSuite := len(c.tests) > 0 || c.answer != ""
	fmt.Fprint(c.err, prompt)
	lines := bufio.NewReader(c.in)
	for {
		line, err := readLine(ctx, lines)
		if errors.Is(err, io.EOF) && line == "" {
			break
		}
		if err != nil && line == "" {
			fmt.Fprintln(c.err)
			return err
		}
		line = strings.TrimSpace(line)
		name, rest, _ := strings.Cut(line, " ")
		var failed error
		switch {
		case name == "/quit" || name == "/exit":
			return c.end()
		case name == "/repair":
			failed = c.repair(ctx, lines, strings.Fields(rest))
		case strings.HasPrefix(name, "/"):
			failed = c.command(name, strings.TrimSpace(rest))
		case line != "" && ofSuite:
			failed = mistake("say what to do with the answer: /good TEXT, /edit, /ok or /skip; /help lists all")
		case line != "":
			c.accept()
			failed = c.ask(ctx, conversationOf(c.system, append(c.turns, chat.Message{Role: "user", Content: line})...))
		}
		if failed == nil && ofSuite && (name == "/ok" || name == "/skip") {
			if len(c.tests) == 0 {
				return c.end()
			}
			failed = c.next(ctx)
		}
		if failed != nil && ctx.Err() == nil {
			fmt.Fprintln(c.err, failed)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprint(c.err, prompt)
	}
	fmt.Fprintln(c.err)
	return c.end()
}

// readLine reads a line, and nothing behind it where the input is a terminal: an editor may be next to read from it.
// A signal ends the wait.
func readLine(ctx context.Context, r *bufio.Reader) (string, error) {
	type read struct {
		line string
		err  error
	}
	done := make(chan read, 1)
	go func() {
		line, err := r.ReadString('\n')
		done <- read{line, err}
	}()
	select {
	case got := <-done:
		return got.line, got.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// end says what was done.
func (c *coaching) end() error {
	fmt.Fprintf(c.err, "%d corrections added to %s\n", len(c.made), c.file.Path)
	return nil
}

// ask lets the model answer; what it says can then be corrected. A question that cannot be answered was not asked.
func (c *coaching) ask(ctx context.Context, messages []chat.Message) error {
	a, err := c.Answer(ctx, messages, c.decoding(func(part string) { fmt.Fprint(shown(c.out), part) }))
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out)
	c.asked, c.answer, c.mine = messages, a.Text, false
	c.pending = data.Correction{Paraphrases: []string{}}
	return nil
}

// accept makes the last answer, as it stands now, a part of the conversation.
func (c *coaching) accept() {
	if c.asked == nil {
		return
	}
	said := c.answer
	if c.mine {
		said = c.pending.Chosen[0].Content
	}
	c.turns = append(c.asked[c.systems():], chat.Message{Role: "assistant", Content: said})
	c.asked = nil
}

// systems is how many messages of what was asked are the system prompt of the flags.
func (c *coaching) systems() int {
	if c.system != "" && len(c.asked) > 0 && c.asked[0].Role == "system" {
		return 1
	}
	return 0
}

// command carries out a line that starts with a slash.
func (c *coaching) command(name, rest string) error {
	switch name {
	case "/help":
		fmt.Fprintln(c.err, coachHelp)
		return nil
	case "/reset":
		c.turns, c.asked = nil, nil
		fmt.Fprintln(c.err, "the conversation starts anew")
		return nil
	case "/undo":
		return c.undo()
	}
	if c.asked == nil {
		return mistake("there is no answer yet that %s could be about", name)
	}
	switch name {
	case "/ok":
		c.accept()
		return nil
	case "/skip":
		c.asked = nil
		return nil
	case "/edit":
		return c.edit()
	}
	of := map[string]func(string){
		"/good": func(text string) { c.pending.Chosen = []chat.Message{{Role: "assistant", Content: text}} },
		"/note": func(text string) { c.pending.Note = text },
		"/rule": func(text string) { c.pending.Rule = text },
		"/also": func(text string) { c.pending.Paraphrases = append(c.pending.Paraphrases, text) },
		"/near": func(text string) { c.pending.Near = append(c.pending.Near, text) },
	}[name]
	switch {
	case of == nil:
		return mistake("unknown command %s; /help lists them", name)
	case rest == "":
		return mistake("%s needs a text", name)
	}
	of(rest)
	return c.save()
}

// save writes the correction of the last answer, in the place of what was written of it before. What is said of an
// answer that nobody corrected yet waits for the correction.
func (c *coaching) save() error {
	if c.pending.Chosen == nil {
		fmt.Fprintln(c.err, "kept for the correction: now /good TEXT or /edit")
		return nil
	}
	made := c.file.New(c.asked, c.pending.Chosen[0].Content, c.answer)
	made.Note, made.Rule = c.pending.Note, c.pending.Rule
	made.Paraphrases, made.Near = c.pending.Paraphrases, c.pending.Near
	if err := made.Validate(); err != nil {
		c.pending.Chosen = nil
		return err
	}
	if c.mine {
		if c.made[len(c.made)-1] != c.pending.ID {
			return mistake("other answers were repaired like this one; /undo takes them back, one by one")
		}
		made.ID, made.Time = c.pending.ID, c.pending.Time
		if err := c.drop(); err != nil {
			return err
		}
	}
	if err := c.file.Add(made); err != nil {
		return err
	}
	c.pending, c.mine = made, true
	c.made = append(c.made, made.ID)
	fmt.Fprintf(c.err, "correction %s is in %s\n", made.ID, c.file.Path)
	return nil
}

// undo takes the last correction of this session back.
func (c *coaching) undo() error {
	if len(c.made) == 0 {
		return mistake("there is no correction to take back")
	}
	last := c.made[len(c.made)-1]
	if err := c.drop(); err != nil {
		return err
	}
	if c.mine && last == c.pending.ID {
		c.mine = false
		c.pending = data.Correction{Paraphrases: []string{}}
	}
	fmt.Fprintln(c.err, "the last correction is taken back")
	return nil
}

// drop takes the last correction of this session out of the file.
func (c *coaching) drop() error {
	last := len(c.made) - 1
	err := c.file.DropLast(c.made[last])
	if err == nil {
		c.made = c.made[:last]
	}
	return err
}

// edit lets the user's editor change the answer.
func (c *coaching) edit() error {
	text := c.answer
	if c.pending.Chosen != nil {
		text = c.pending.Chosen[0].Content
	}
	text, err := edited(c.streams, text)
	if err != nil {
		return err
	}
	c.pending.Chosen = []chat.Message{{Role: "assistant", Content: text}}
	return c.save()
}

// edited is a text as the user's editor leaves it.
func edited(s *streams, text string) (string, error) {
	editor := os.Getenv("EDITOR")
	if strings.TrimSpace(editor) == "" {
		return "", mistake("EDITOR is not set; it names the program that changes a text")
	}
	f, err := os.CreateTemp("", "answer-*.txt")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	words := append(strings.Fields(editor), f.Name())
	run := exec.Command(words[0], words[1:]...)
	run.Stdin, run.Stdout, run.Stderr = s.in, s.out, s.err
	if err := run.Run(); err != nil {
		return "", mistake("%s: %v; nothing was changed", editor, err)
	}
	changed, err := os.ReadFile(f.Name())
	return strings.TrimSpace(string(changed)), err
}

// repair asks for other answers to which the last correction applies, whose prompts are in these files.
func (c *coaching) repair(ctx context.Context, lines *bufio.Reader, paths []string) error {
	switch {
	case !c.mine:
		return mistake("there is no correction yet that /repair could be about")
	case len(paths) == 0:
		return mistake("/repair needs suites or files of rows, whose prompts are asked")
	}
	r := repairs{paths: paths}
	if err := r.read(ctx, c.system, c.pending.Rule); err != nil {
		return err
	}
	taken, err := r.run(ctx, c.streams, c.speaker, c.file, c.pending, lines)
	for _, t := range taken {
		c.made = append(c.made, t.ID)
	}
	return err
}
