package train

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"instruct/checkpoints"
	"instruct/train/eval"
	"instruct/train/recipe"
	"instruct/train/record"
)

// pageFile is the page about a run in its folder.
const pageFile = "report.html"

//go:embed page.html
var pageSource string

// page is what the page shows.
type page struct {
	Manifest
	Name     string
	Chart    template.URL
	Data     []pageFact // files that were read, with their hashes
	BaseData []pageFact
	Audited  []pageFact
	Samples  samples
	Wrong    int        // of the answers in Samples
	Recipe   []pageFact // what is not the default
	Defaults []pageFact
	Machine  []pageFact
	Record   []record.Entry
	Head     string // of the ledger
	Measured []Measured
}

// pageFact is a name and what is to be said of it.
type pageFact struct{ Name, Text string }

// writePapers writes what people read of a run that has ended: samples, the page and the model card.
func (u *run) writePapers(m *Manifest) error {
	if err := u.writeSamples(); err != nil {
		return err
	}
	s, err := ReadRun(u.Recipe.OutputDir)
	if err != nil {
		return err
	}
	s.Manifest = *m
	var b bytes.Buffer
	name := nameOf(u.becomes())
	if err := writePage(&b, s, name); err != nil {
		return err
	}
	if err := checkpoints.WriteFile(filepath.Join(s.Dir, pageFile), b.Bytes()); err != nil {
		return err
	}
	return writeCard(s, name)
}

// WritePage writes what is known of the run in a folder as one self-contained HTML file for people who have to judge
// it. It needs no script, no network and no other file.
func WritePage(w io.Writer, dir string, measured ...Measured) error {
	s, err := ReadRun(dir)
	if err != nil {
		return mistake("report %w", err)
	}
	return writePage(w, s, nameOf(dir), measured...)
}

// writePage writes the page of a run that people call by name.
func writePage(w io.Writer, s *Saved, name string, measured ...Measured) error {
	t, err := template.New("page").Funcs(template.FuncMap{"style": eval.Style, "percent": percent, "short": short,
		"loss": func(v float64) string { return fmt.Sprintf("%.4f", v) }, "row": showRow}).Parse(pageSource)
	if err != nil {
		return fmt.Errorf("train: page: %w", err)
	}
	p, err := newPage(s, name)
	if err != nil {
		return err
	}
	p.Measured = measured
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("train: write page: %w", err)
	}
	return nil
}

func newPage(s *Saved, name string) (*page, error) {
	m := &s.Manifest
	p := &page{Manifest: *m, Name: name}
	p.Recipe, p.Defaults = recipeFacts(&s.Recipe)
	if len(s.Rows) > 0 {
		svg := lossChart(fmt.Sprintf("loss of %s", p.Name), s.Rows)
		p.Chart = template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(svg))
	}
	var err error
	if p.Samples, err = readSamples(s.Dir); err != nil {
		return nil, err
	}
	for _, a := range p.Samples.Answers {
		if !a.Right {
			p.Wrong++
		}
	}
	for _, path := range slices.Sorted(maps.Keys(m.Files)) {
		p.Data = append(p.Data, pageFact{path, m.Files[path]})
	}
	for _, name := range slices.Sorted(maps.Keys(m.BaseFiles)) {
		p.BaseData = append(p.BaseData, pageFact{name, m.BaseFiles[name]})
	}
	p.Audited, p.Machine = p.auditFacts(), p.machineFacts()
	if p.Record, err = record.Read(s.Dir); err != nil {
		return nil, err
	}
	if n := len(p.Record); n > 0 {
		p.Head = p.Record[n-1].Hash()
	}
	return p, nil
}

// nameOf is what people call a folder.
func nameOf(dir string) string {
	if path, err := filepath.Abs(dir); err == nil {
		dir = path
	}
	return filepath.Base(dir)
}

// recipeFacts are the keys whose values are not the defaults, and the others.
func recipeFacts(r *recipe.Recipe) (set, defaults []pageFact) {
	text, err := r.YAML()
	if err != nil {
		return nil, nil
	}
	var all []pageFact
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		name, value, ok := strings.Cut(line, ":")
		if known := recipe.Knows(name); ok && known || len(all) == 0 {
			all = append(all, pageFact{name, strings.TrimSpace(value)})
			continue
		}
		all[len(all)-1].Text += "\n" + line // of a value of several lines
	}
	usual := map[string]string{}
	for _, k := range recipe.Keys() {
		usual[k.Name] = k.Default
	}
	for _, f := range all {
		if text := strings.Trim(f.Text, `"'[]{}`); text == usual[f.Name] {
			defaults = append(defaults, f)
		} else {
			set = append(set, f)
		}
	}
	return set, defaults
}

// auditFacts account for the rows.
func (p *page) auditFacts() []pageFact {
	a := p.Audit
	if a == nil {
		return nil
	}
	facts := []pageFact{{"rows", fmt.Sprint(a.Rows)}, {"examples", fmt.Sprint(a.Examples)},
		{"tokens", fmt.Sprint(a.Tokens)}, {"trained tokens", fmt.Sprint(a.TrainedTokens)},
		{"longest", fmt.Sprintf("%d tokens, %s", a.Longest, a.LongestSource)}}
	for _, reason := range slices.Sorted(maps.Keys(a.Dropped)) {
		facts = append(facts, pageFact{"dropped", fmt.Sprintf("%d: %s", a.Dropped[reason], reason)})
	}
	for _, d := range a.DroppedRows {
		facts = append(facts, pageFact{"dropped", d.Source + ": " + d.Reason})
	}
	for _, note := range a.Notes() {
		facts = append(facts, pageFact{"note", note})
	}
	return facts
}

// machineFacts say what it was made with.
func (p *page) machineFacts() []pageFact {
	return []pageFact{{"program", "instruct " + p.Version}, {"its sha256", p.BinaryHash}, {"Go", p.Go},
		{"platform", p.Platform}, {"kernels", p.Kernels}, {"CPU features", strings.Join(p.CPUFeatures, " ")},
		{"threads", fmt.Sprint(p.Threads)}, {"time", (time.Duration(p.Seconds) * time.Second).String()},
		{"arguments", strings.Join(p.Arguments, " ")}}
}

// showRow is the mean of a row of an evaluation with its interval.
func showRow(r eval.Row) string {
	mean, interval := r.Show()
	return mean + " (" + interval + ")"
}

// percent writes a share.
func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }

// short is the beginning of a hash.
func short(hash string) string { return hash[:min(len(hash), 12)] }
