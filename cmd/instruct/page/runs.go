package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Files of a run that are read; no other one of the folder is.
const (
	metricsFile  = "metrics.jsonl"
	manifestFile = "run.json"
)

const (
	mostRuns  = 300     // that are listed
	mostDepth = 6       // of folders below the one that was given
	mostRead  = 4 << 20 // bytes of metrics in one answer
)

// shownRun is a run for the page.
type shownRun struct {
	Path     string   `json:"path"` // below the folder of runs; "." is that folder
	Model    string   `json:"model"`
	Started  string   `json:"started"`
	Finished string   `json:"finished"` // "" while it runs, and where it was stopped
	Changed  string   `json:"changed"`  // when its last row was written
	Steps    int      `json:"steps"`    // planned
	Seconds  float64  `json:"seconds"`
	Size     int64    `json:"size"` // of its metrics, in bytes
	Last     row      `json:"last"` // its last row with a loss
	EvalLoss *float64 `json:"eval_loss"`
}

// row is what is drawn of a row of metrics.jsonl.
type row struct {
	Step     int      `json:"step"`
	Loss     *float64 `json:"loss,omitempty"`
	EvalLoss *float64 `json:"eval_loss,omitempty"`
	Rate     *float64 `json:"learning_rate,omitempty"`
	Norm     *float64 `json:"grad_norm,omitempty"`
}

// showRuns lists the folders with metrics, the one that changed last first.
func (p *Page) showRuns(w http.ResponseWriter, _ *http.Request) error {
	if p.runs == nil {
		return failed(http.StatusNotFound, "no runs are shown here; instruct serve --runs DIR shows them")
	}
	list := []shownRun{}
	err := fs.WalkDir(p.runs.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // a folder that cannot be read, or has just gone, has no runs to show
		case d.IsDir() && name != "." && skipped(name):
			return fs.SkipDir
		case d.Name() != metricsFile || !d.Type().IsRegular():
			return nil
		}
		if run, err := p.run(path.Dir(name)); err == nil {
			list = append(list, run)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b shownRun) int { return strings.Compare(b.Changed, a.Changed) })
	return reply(w, struct {
		Folder string     `json:"folder"`
		Runs   []shownRun `json:"runs"`
		All    int        `json:"all"`
	}{p.options.Runs, list[:min(len(list), mostRuns)], len(list)})
}

// skipped tells whether a folder is not looked into.
func skipped(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "checkpoint-") || strings.Count(name, "/") >= mostDepth
}

// run reads what is known of a run.
func (p *Page) run(dir string) (shownRun, error) {
	x := shownRun{Path: dir}
	info, err := p.runs.Stat(path.Join(dir, metricsFile))
	if err != nil {
		return x, err
	}
	x.Changed, x.Size = info.ModTime().UTC().Format(time.RFC3339), info.Size()
	const end = 4096 // bytes: some rows
	text, err := p.readFrom(path.Join(dir, metricsFile), max(0, x.Size-end))
	if err != nil {
		return x, err
	}
	for _, r := range rowsOf(text) {
		if r.Loss != nil {
			x.Last = r
		}
		if r.EvalLoss != nil {
			x.EvalLoss = r.EvalLoss
		}
	}
	var manifest struct {
		Model    string   `json:"model"`
		Started  string   `json:"started"`
		Finished string   `json:"finished"`
		Steps    int      `json:"steps"`
		Seconds  float64  `json:"seconds"`
		EvalLoss *float64 `json:"eval_loss"`
	}
	text, err = p.readFrom(path.Join(dir, manifestFile), 0)
	if err != nil || json.Unmarshal(text, &manifest) != nil {
		return x, nil // it has its curves all the same
	}
	x.Model, x.Started, x.Finished = filepath.Base(manifest.Model), manifest.Started, manifest.Finished
	x.Steps, x.Seconds = manifest.Steps, manifest.Seconds
	if manifest.EvalLoss != nil {
		x.EvalLoss = manifest.EvalLoss
	}
	return x, nil
}

// readFrom reads a file of the folder of runs from a byte on, up to the most that one answer has.
func (p *Page) readFrom(name string, from int64) ([]byte, error) {
	f, err := p.runs.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.NewSectionReader(f, from, mostRead))
}

// rowsOf reads rows; what is none is left out: the end of a row that is being written, or the beginning of one.
func rowsOf(text []byte) []row {
	rows := []row{}
	for line := range bytes.Lines(text) {
		var r row
		if json.Unmarshal(line, &r) == nil {
			rows = append(rows, r)
		}
	}
	return rows
}

// showMetrics gives the rows of a run from a byte on, which an earlier answer named.
func (p *Page) showMetrics(w http.ResponseWriter, r *http.Request) error {
	dir, from := r.URL.Query().Get("run"), int64(0)
	if text := r.URL.Query().Get("from"); text != "" {
		var err error
		if from, err = strconv.ParseInt(text, 10, 64); err != nil || from < 0 {
			return failed(http.StatusBadRequest, "from is %q; it must be a number of bytes", text)
		}
	}
	if p.runs == nil || !fs.ValidPath(dir) {
		return failed(http.StatusNotFound, "there is no run %q", dir)
	}
	name := path.Join(dir, metricsFile)
	info, err := p.runs.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return failed(http.StatusNotFound, "there is no run %q", dir)
	}
	again := info.Size() < from // it was begun anew
	if again {
		from = 0
	}
	text, err := p.readFrom(name, from)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	return reply(w, struct {
		Rows  []row `json:"rows"`
		Next  int64 `json:"next"`
		Again bool  `json:"again"` // the rows begin anew
		More  bool  `json:"more"`  // there are more of them now
	}{rowsOf(text[:whole]), from + int64(whole), again, whole > 0 && from+int64(len(text)) < info.Size()})
}
