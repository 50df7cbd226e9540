package train

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

// outlier is a loss of 1 but for one step.
func outlier(step int) float64 {
	if step == 50 {
		return 30
	}
	return 1
}

// TestLossChart: pictures of few and many steps, near and far losses, and none, are XML, have a title, colours for dark
// pages, and every point inside.
func TestLossChart(t *testing.T) {
	for _, x := range []struct {
		name        string
		steps       int
		loss        func(step int) float64
		logarithmic bool
	}{
		{"nothing", 0, nil, false},
		{"one step", 1, func(int) float64 { return 2 }, false},
		{"near", 300, func(s int) float64 { return 2 + 1/float64(s) }, false},
		{"far", 5000, func(s int) float64 { return 6 * math.Exp(-float64(s)/900) }, true},
		{"zero", 20, func(int) float64 { return 0 }, false},
		{"an outlier", 200, outlier, false},
		{"not a number", 9, func(int) float64 { return math.NaN() }, false},
	} {
		var rows []Metric
		for s := 1; s <= x.steps; s++ {
			loss := x.loss(s)
			rows = append(rows, Metric{Step: s, Loss: &loss})
			if s%100 == 0 {
				rows = append(rows, Metric{Step: s, EvalLoss: &loss})
			}
		}
		picture := string(lossChart(`a <run> & "more"`, rows))
		d := xml.NewDecoder(strings.NewReader(picture))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v\n%s", x.name, err, picture)
			}
		}
		for _, want := range []string{"<title>a &lt;run&gt; &amp; ", "prefers-color-scheme: dark"} {
			if !strings.Contains(picture, want) {
				t.Errorf("%s: no %q", x.name, want)
			}
		}
		if strings.Contains(picture, "NaN") || strings.Contains(picture, "Inf") || len(picture) > 80_000 {
			t.Errorf("%s: %d bytes", x.name, len(picture))
		}
		if got := strings.Contains(picture, "logarithmic"); got != x.logarithmic {
			t.Errorf("%s: logarithmic is %v", x.name, got)
		}
	}
}
