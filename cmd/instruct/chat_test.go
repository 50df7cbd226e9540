package main

import (
	"context"
	"os"
	"slices"
	"testing"
)

// TestChatTurns takes questions back, asks them again and changes them.
func TestChatTurns(t *testing.T) {
	workdir(t)
	write(t, "editor.sh", "#!/bin/sh\nprintf 'changed' > \"$1\"\n")
	t.Setenv("EDITOR", "sh editor.sh")
	script := `/undo
/retry
/edit
one
two
/undo
three
/edit
/retry
/save c.jsonl
`
	o := call(t, script, "chat --model model --max_new_tokens 4")
	if o.code != exitDone {
		t.Fatalf("exit %d\n%s", o.code, o.err)
	}
	has(t, o.err, "nothing was asked yet", "taken back: two", "> changed", "the answer would be the same",
		"added to c.jsonl")
	type row struct {
		Messages []struct{ Role, Content string }
	}
	var said []string
	for _, m := range lines[row](t, read(t, "c.jsonl"))[0].Messages {
		if m.Role == "user" {
			said = append(said, m.Content)
		}
	}
	if !slices.Equal(said, []string{"one", "changed"}) {
		t.Errorf("the questions are %q", said)
	}
	o = call(t, "one\n/retry\n/retry\n/save d.jsonl\n", "chat --model model --max_new_tokens 8 --temperature 1")
	if n := len(lines[row](t, read(t, "d.jsonl"))[0].Messages); o.code != exitDone || n != 2 {
		t.Errorf("exit %d, %d messages\n%s", o.code, n, o.err)
	}
}

// TestChatInATerminal edits lines and clears them in tmux.
func TestChatInATerminal(t *testing.T) {
	workdir(t)
	w := newWindow(t, "chat --model model --max_new_tokens 4 --temperature 1")
	w.wait("/help lists commands")
	w.say("how are you", "\n>\n")
	w.keys("-l", "not this")
	w.keys("C-c")
	w.wait("Ctrl-D leaves\n>")
	w.keys("Up")
	w.wait("> how are you\n\n") // again, at the end of the window
	w.keys("-l", " then")
	w.keys("Enter")
	w.say("/undo", "taken back: how are you then")
	w.say("/undo", "taken back: how are you\n")
	w.keys("C-d")
	w.wait("finished")
}

// TestInterruptStopsAnAnswer ends the context of an answer, and not that of the program.
func TestInterruptStopsAnAnswer(t *testing.T) {
	l := &lineInput{ctx: context.Background(), interrupts: make(chan os.Signal, 1)}
	l.interrupts <- os.Interrupt // from before, which counts for nothing
	ctx, end := l.stoppable()
	if ctx.Err() != nil {
		t.Fatal("it ends before it begins")
	}
	l.interrupts <- os.Interrupt
	<-ctx.Done()
	end()
	ctx, end = l.stoppable()
	defer end()
	if ctx.Err() != nil || l.ctx.Err() != nil {
		t.Error("the next one ends too")
	}
}
