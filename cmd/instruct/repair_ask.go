package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"instruct/data"
	"instruct/train/coach"
)

// asking asks a person for each repair.
type asking struct {
	*streams
	file  *coach.Corrections
	of    data.Correction // that is repaired elsewhere
	lines *bufio.Reader
	taken []data.Correction
}

const askingHelp = "y: take it, n: leave it, e: edit it first, a: take all of this kind, q: leave all"

// write shows a repair to people.
func (f *found) write(w io.Writer, i, of int) {
	fmt.Fprintf(w, "\n%d of %d, %s: %s\nprompt    %s\nanswer    %s\nproposal  %s\n", i+1, of, f.test.ID, f.why,
		f.test.Prompt(), f.Answer, f.Marked())
	if f.test.Check != nil && f.test.Check(f.Answer).Pass && !f.test.Check(f.Good).Pass {
		fmt.Fprintln(w, "its test passes with the answer and fails with the proposal")
	}
}

// all asks for one after the other. The end of the input leaves the rest.
func (a *asking) all(ctx context.Context, all []found) error {
	always := data.None // this kind is taken without a question
	for i, f := range all {
		if f.Certainty == always {
			if err := a.take(&f, f.Good); err != nil {
				return err
			}
			continue
		}
		f.write(a.err, i, len(all))
		word, err := a.one(ctx, &f)
		if err != nil || word == "q" {
			return err
		}
		if word == "a" {
			always = f.Certainty
		}
	}
	return nil
}

// one asks until there is a word that decides, carries it out and gives it.
func (a *asking) one(ctx context.Context, f *found) (string, error) {
	for {
		fmt.Fprint(a.err, "take it? [y n e a q] ")
		line, err := readLine(ctx, a.lines)
		if errors.Is(err, io.EOF) && line == "" {
			fmt.Fprintln(a.err)
			return "q", nil
		}
		if err != nil && line == "" {
			return "", err
		}
		word := strings.ToLower(strings.TrimSpace(line))
		good, err := f.Good, error(nil)
		switch word {
		case "n", "q":
			return word, nil
		case "y", "a":
		case "e":
			good, err = edited(a.streams, good)
		default:
			err = mistake(askingHelp)
		}
		if err == nil {
			err = a.take(f, good)
		}
		if err == nil {
			return word, nil
		}
		if !isMistake(err) {
			return "", err
		}
		fmt.Fprintln(a.err, err)
	}
}

// take adds the repair to the file.
func (a *asking) take(f *found, good string) error {
	made := f.correction(a.file, a.of, good)
	if err := a.file.Add(made); err != nil {
		return err
	}
	a.taken = append(a.taken, made)
	return nil
}
