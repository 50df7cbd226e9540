package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// untilSignal gives a context that the first signal ends. A second one is answered and ends the process: what was being
// saved is under another name until it is whole, so nothing half-written is left under a name that counts.
func untilSignal(signals <-chan os.Signal, log io.Writer, exit func(code int)) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-signals
		cancel()
		<-signals
		fmt.Fprintln(log, "\ninstruct: stopped now; what was saved before is whole")
		exit(exitInterrupted)
	}()
	return ctx
}

// again is the command that goes on with a run that was stopped.
func again(args []string) string {
	words := []string{os.Args[0]}
	auto := slices.ContainsFunc(args, func(a string) bool { return a == "auto" || strings.HasSuffix(a, "=auto") })
	for i := 0; i < len(args); i++ {
		name, _, whole := strings.Cut(strings.ReplaceAll(args[i], "-", "_"), "=")
		resume := name == "__resume_from_checkpoint" || name == "__resume"
		switch {
		case !auto && resume && !whole:
			i++ // its value
		case !auto && (resume || name == "__overwrite_output_dir"):
		default:
			words = append(words, shellWord(args[i]))
		}
	}
	if !auto {
		words = append(words, "--resume_from_checkpoint", "true")
	}
	return strings.Join(words, " ")
}

var plainWord = regexp.MustCompile(`^[-\w./,:=+@%]+$`)

// shellWord is a word as a shell reads it back.
func shellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
