// Command instruct tunes small language models to follow instructions, on an ordinary CPU.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"instruct/data"
	"instruct/train"
)

// Exit codes, on which scripts rely.
const (
	exitDone        = 0
	exitFailed      = 1   // something failed, or a check did not hold
	exitMistake     = 2   // the user's mistake
	exitNoisy       = 3   // a measurement is too noisy to tell
	exitInterrupted = 130 // stopped by a signal, after saving
)

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup does
		signal.Notify(signals, syscall.SIGHUP)
	}
	ctx := untilSignal(signals, os.Stderr, os.Exit)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole command: results go to stdout, everything else to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	defer func() {
		if r := recover(); r != nil {
			if os.Getenv("INSTRUCT_DEBUG") != "" {
				panic(r)
			}
			fmt.Fprintf(stderr, "instruct: internal error: %v\n"+
				"This is a defect of instruct, not of your input. INSTRUCT_DEBUG=1 shows where it happened.\n", r)
			code = exitFailed
		}
	}()
	say := func(err error) { // it may name what others named
		fmt.Fprintf(stderr, "instruct: %s\n", data.Visible(err.Error()))
	}
	root := newRoot(&streams{stdin, stdout, stderr}, args)
	arranged, err := arrange(root, args)
	if err == nil {
		root.SetArgs(arranged)
		err = root.ExecuteContext(ctx)
	}
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, train.ErrInterrupted): // it has said what was saved
		return exitInterrupted
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(stderr, "instruct: stopped")
		return exitInterrupted
	case errors.Is(err, errNoisy):
		say(err)
		return exitNoisy
	case isMistake(err):
		say(err)
		return exitMistake
	}
	say(err)
	return exitFailed
}
