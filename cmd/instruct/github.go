package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"instruct/train/eval"
)

// annotation is a workflow command that GitHub shows beside a line of a file. See actions/toolkit,
// packages/core/src/command.ts, for what is escaped.
type annotation struct {
	level   string // error or warning
	file    string // "": none
	line    int    // 0: none
	title   string
	message string
}

var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func (a annotation) String() string {
	var properties []string
	add := func(name, value string) {
		if value != "" {
			properties = append(properties, name+"="+githubProperty.Replace(value))
		}
	}
	add("file", a.file)
	if a.line > 0 {
		add("line", strconv.Itoa(a.line))
	}
	add("title", a.title)
	head := "::" + a.level
	if len(properties) > 0 {
		head += " " + strings.Join(properties, ",")
	}
	return head + "::" + githubData.Replace(a.message)
}

// annotate writes an annotation for each test of the first candidate that fails, those that another one passes first,
// and one for a limit that does not hold. They are errors where one does not, else warnings.
func (r *results) annotate(w io.Writer, paths []string, failure error) {
	level := "warning"
	if failure != nil {
		level = "error"
		fmt.Fprintln(w, annotation{level: level, title: "instruct eval", message: failure.Error()})
	}
	for _, regressions := range []bool{true, false} {
		for i, suite := range r.suites {
			for j := range suite.Tests {
				t, x := &suite.Tests[j], &r.candidates[0].samples[i][j]
				with := r.passedBy(i, j)
				if x.Pass || regressions != (with != "") {
					continue
				}
				a := annotation{level: level, title: t.ID, message: failedText(t, x)}
				if with != "" {
					a.message = "a regression: " + with + " passes. " + a.message
				}
				a.file, a.line = placeOf(t.ID, paths, i)
				fmt.Fprintln(w, a)
			}
		}
	}
}

// passedBy is a candidate that passes what the first one fails, or "".
func (r *results) passedBy(suite, test int) string {
	for _, c := range r.candidates[1:] {
		if c.samples[suite][test].Pass && !r.candidates[0].samples[suite][test].Pass {
			return c.name
		}
	}
	return ""
}

func failedText(t *eval.Test, x *eval.Sample) string {
	text := fmt.Sprintf("%s\nasked: %s", x.Reason, t.Prompt())
	if t.Asked() {
		text += "\nanswered: " + x.Answer
	}
	if r := []rune(text); len(r) > 600 {
		return string(r[:600]) + "..."
	}
	return text
}

// placeOf is where a test stands: its name is path:line, or a key of the suite's file.
func placeOf(id string, paths []string, suite int) (file string, line int) {
	if at := strings.LastIndex(id, ":"); at > 0 {
		if n, err := strconv.Atoi(id[at+1:]); err == nil && n > 0 {
			return id[:at], n
		}
	}
	if suite < len(paths) {
		return paths[suite], 0
	}
	return "", 0
}
