package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"

	"golang.org/x/term"
)

// linePrompt stands before every line that the user types.
const linePrompt = "> "

// lineInput asks the user for a line after the other. In a terminal a line can be edited, and those before it come back
// with the arrow keys; Ctrl-C clears the line there, and stops what stoppable runs. Elsewhere lines are read as they
// are.
type lineInput struct {
	ctx        context.Context
	s          *streams
	reader     *lineReader    // where there is no terminal
	terminal   *term.Terminal // else nil
	interrupts chan os.Signal // of a terminal
}

func newLineInput(ctx context.Context, s *streams) *lineInput {
	l := &lineInput{ctx: ctx, s: s}
	if !terminal(s.in) || !terminal(s.err) {
		l.reader = newLineReader(ctx, s.in)
		return l
	}
	k := &keys{Reader: s.in}
	l.terminal = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{k, s.err}, linePrompt)
	k.interrupted = func() { _, _ = l.terminal.Write([]byte("Ctrl-D leaves\n")) }
	signal.Reset(os.Interrupt) // ends the program elsewhere
	l.interrupts = make(chan os.Signal, 1)
	signal.Notify(l.interrupts, os.Interrupt)
	return l
}

// next asks for a line; io.EOF after the last one.
func (l *lineInput) next() (string, error) {
	if l.terminal != nil {
		return l.edited()
	}
	fmt.Fprint(l.s.err, linePrompt)
	line, ok, err := l.reader.next(true)
	if !ok {
		fmt.Fprintln(l.s.err)
	}
	if !ok && err == nil {
		err = io.EOF
	}
	return line, err
}

// edited asks for a line that can be edited. The terminal is as it was before when it returns, also after a signal.
func (l *lineInput) edited() (string, error) {
	fd := int(l.s.in.(*os.File).Fd())
	old, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(fd, old) }()
	if width, height, err := term.GetSize(int(l.s.err.(*os.File).Fd())); err == nil {
		_ = l.terminal.SetSize(width, height)
	}
	type read struct {
		line string
		err  error
	}
	done := make(chan read, 1)
	go func() {
		line, err := l.terminal.ReadLine()
		done <- read{line, err}
	}()
	select {
	case got := <-done:
		if got.err != nil {
			fmt.Fprint(l.s.err, "\r\n")
		}
		return got.line, got.err
	case <-l.interrupts: // no key: the terminal sends none while it gives keys
		return "", context.Canceled
	case <-l.ctx.Done():
		return "", l.ctx.Err()
	}
}

// stoppable gives a context that Ctrl-C ends too, in a terminal. The caller calls end when it is done.
func (l *lineInput) stoppable() (ctx context.Context, end func()) {
	ctx, stop := context.WithCancel(l.ctx)
	if l.interrupts == nil {
		return ctx, stop
	}
	select { // one from before
	case <-l.interrupts:
	default:
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		select {
		case <-l.interrupts:
			stop()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { stop(); <-over }
}

// keys are those that a terminal gives, with Ctrl-C as the key that clears a line.
type keys struct {
	io.Reader
	interrupted func()
}

func (k *keys) Read(p []byte) (int, error) {
	const interrupt, clearLine = 3, 21 // Ctrl-C, Ctrl-U
	n, err := k.Reader.Read(p)
	at := bytes.IndexByte(p[:n], interrupt)
	if at < 0 {
		return n, err
	}
	k.interrupted()
	for i := range p[:n] {
		if p[i] == interrupt {
			p[i] = clearLine
		}
	}
	return n, err
}
