package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"instruct/checkpoints"
	"instruct/train/eval"
)

// checkOutputs refuses files that cannot be written, before anything is asked.
func (e *evaluation) checkOutputs() error {
	for _, f := range []struct{ flag, path string }{{"html", e.html}, {"junit", e.junit}} {
		if err := checkFile(f.flag, f.path); err != nil {
			return err
		}
	}
	if info, err := os.Stat(e.out); err == nil && !info.IsDir() {
		return mistake("out %s is a file; give the name of a folder", e.out)
	}
	return nil
}

// checkFile refuses the path of a flag for a file that cannot be one; "" is none.
func checkFile(flag, path string) error {
	if path == "" {
		return nil
	}
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return mistake("%s %s: there is no folder %s; make it first", flag, path, dir)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return mistake("%s %s is a folder; give the name of a file", flag, path)
	}
	return nil
}

// write writes the files that were asked for.
func (e *evaluation) write(r *results) error {
	if e.out != "" {
		if err := r.write(e.out); err != nil {
			return err
		}
	}
	var all []eval.Candidate
	for n, c := range r.candidates {
		all = append(all, eval.Candidate{Name: c.name, Rows: r.Candidates[n].Rows, Samples: c.samples, Judged: c.judged,
			Against: r.compared[n], Voices: r.Candidates[n].Voices})
	}
	if e.junit != "" {
		text, err := eval.JUnit(r.suites, all[0])
		if err != nil {
			return err
		}
		if err := checkpoints.WriteFile(e.junit, text); err != nil {
			return err
		}
	}
	if e.html == "" {
		return nil
	}
	page := eval.Page{Suites: r.suites, Models: all}
	var b bytes.Buffer
	if err := page.Write(&b); err != nil {
		return err
	}
	return checkpoints.WriteFile(e.html, b.Bytes())
}

// named gives a suite a name that the others do not have.
func named(s *eval.Suite, others []*eval.Suite) *eval.Suite {
	taken := func(name string) bool {
		return slices.ContainsFunc(others, func(o *eval.Suite) bool { return o.Name == name })
	}
	name := s.Name
	for n := 2; taken(s.Name); n++ {
		s.Name = fmt.Sprintf("%s-%d", name, n)
	}
	return s
}
