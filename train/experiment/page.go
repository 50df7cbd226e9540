package experiment

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"instruct/train"
	"instruct/train/eval"
)

//go:embed page.html
var pageSource string

// pageChart is a picture of the page.
type pageChart struct {
	Title string
	SVG   template.HTML
}

// pageRun is a line of the list of runs.
type pageRun struct {
	Colour, Seed, Steps   int
	Name, Weights, Kernel string
	Figures               []string
}

// WriteHTML writes one self-contained page: the table, the curves of all runs over each other, and every run.
func (c *Comparison) WriteHTML(w io.Writer) error {
	table := c.Table()
	var runs []pageRun
	var names []string
	for _, f := range c.Figures() {
		names = append(names, f.Name)
	}
	for i, g := range c.Groups {
		for _, r := range g.Runs {
			one := Group{Runs: []Run{r}}
			p := pageRun{Colour: i, Seed: r.Recipe.Seed, Steps: r.Steps(), Name: r.Dir, Weights: r.Manifest.WeightsHash,
				Kernel: r.Manifest.Kernels}
			for _, f := range c.Figures() {
				p.Figures = append(p.Figures, one.Estimate(f.Of).text(f.Digits, 1))
			}
			runs = append(runs, p)
		}
	}
	page, err := template.New("page").Funcs(template.FuncMap{
		"colour": func(i int) string { return fmt.Sprintf("c%d", i%train.CurveColours()) }}).Parse(pageSource)
	if err != nil {
		return err
	}
	return page.Execute(w, map[string]any{"Style": eval.Style(), "Head": table[0], "Rows": table[1:],
		"Charts": c.charts(), "Figures": names, "Runs": runs, "Left": c.Left})
}

// charts are the pictures that have something to show.
func (c *Comparison) charts() (all []pageChart) {
	for _, x := range []struct {
		title string
		of    func([]train.Metric) [][2]float64
	}{{"held-out loss", train.EvalCurve}, {"training loss, smoothed", train.LossCurve}} {
		var curves []train.Curve
		for i, g := range c.Groups {
			for _, r := range g.Runs {
				if points := x.of(r.Rows); len(points) > 0 {
					curves = append(curves, train.Curve{Name: r.Dir, Group: i, Points: points})
				}
			}
		}
		if curves != nil {
			all = append(all, pageChart{x.title, template.HTML(train.CurvesChart(x.title, curves))})
		}
	}
	return all
}
