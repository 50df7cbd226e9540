package train

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"slices"
)

// The picture's size and margins in pixels of its own.
const (
	chartWidth, chartHeight                      = 760, 360
	chartLeft, chartRight, chartTop, chartBottom = 56, 16, 56, 40
	logarithmicFrom                              = 8 // highest loss over lowest, for a logarithmic axis
)

// chartStyle makes the picture readable on light and on dark pages.
const chartStyle = `<style>
 .page { fill: #fff } .grid { stroke: #e4e4e4 } .text { fill: #555 } .title { fill: #222; font-size: 14px }
 .each { stroke: #bcd2ee } .train { stroke: #1f5fa8 } .held { stroke: #c2410c } polyline { fill: none }
 text.train { fill: #1f5fa8; stroke: none } text.held, circle.held { fill: #c2410c; stroke: none }
 @media (prefers-color-scheme: dark) {
  .page { fill: #1b1b1b } .grid { stroke: #3a3a3a } .text { fill: #aaa } .title { fill: #eee }
  .each { stroke: #2f4a6b } .train { stroke: #7db3ee } .held { stroke: #f59467 }
  text.train { fill: #7db3ee } text.held, circle.held { fill: #f59467 }
 }
</style>
`

// chart is a picture on its way: lines of losses over steps.
type chart struct {
	bytes.Buffer
	steps       float64 // at the right end
	low, high   float64 // losses at the bottom and the top
	logarithmic bool
}

// lossChart draws the training loss (every step, and smoothed) and the held-out loss over the steps as an SVG picture.
// The axis of losses begins at 0, or is logarithmic where they lie far apart.
func lossChart(title string, rows []Metric) []byte {
	var train, held [][2]float64
	for _, m := range rows {
		if m.Loss != nil && finite(*m.Loss) {
			train = append(train, [2]float64{float64(m.Step), *m.Loss})
		}
		if m.EvalLoss != nil && finite(*m.EvalLoss) {
			held = append(held, [2]float64{float64(m.Step), *m.EvalLoss})
		}
	}
	mean := smooth(train)
	c := newChart(slices.Concat(train, held), slices.Concat(mean, held))
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
<title>%s</title>
%s<rect class="page" width="%[1]d" height="%[2]d"/>
<text class="title" x="%[5]d" y="22">%[3]s</text>
`, chartWidth, chartHeight, html.EscapeString(title), chartStyle, chartLeft)
	c.axes()
	c.line(thin(train), "each", 1)
	c.line(thin(mean), "train", 1.8)
	c.line(held, "held", 1.8)
	for _, p := range held {
		fmt.Fprintf(c, `<circle class="held" cx="%.1f" cy="%.1f" r="3"/>`+"\n", c.x(p[0]), c.y(p[1]))
	}
	fmt.Fprintf(c, `<text class="train" x="%d" y="44">training loss</text>`, chartLeft)
	if len(held) > 0 {
		fmt.Fprintf(c, `<text class="held" x="%d" y="44">held-out loss</text>`, chartLeft+110)
	}
	c.WriteString("\n</svg>\n")
	return c.Bytes()
}

// newChart chooses the axes for points, and the kind of the axis of losses by those that are drawn boldly.
func newChart(points, bold [][2]float64) *chart {
	c := &chart{steps: 1}
	lowest := math.Inf(1)
	for _, p := range points {
		c.steps, c.high = math.Max(c.steps, p[0]), math.Max(c.high, p[1])
	}
	highest := 0.0
	for _, p := range bold {
		lowest, highest = math.Min(lowest, p[1]), math.Max(highest, p[1])
	}
	if c.logarithmic = lowest > 0 && highest >= logarithmicFrom*lowest; c.logarithmic {
		c.low, c.high = niceBelow(lowest), niceStep(c.high)
		return c
	}
	tick := niceStep(c.high / 5)
	c.high = math.Max(tick, math.Ceil(c.high/tick)*tick)
	return c
}

func (c *chart) x(step float64) float64 {
	return chartLeft + float64(step/c.steps*(chartWidth-chartLeft-chartRight))
}

func (c *chart) y(loss float64) float64 {
	share := (loss - c.low) / (c.high - c.low)
	if c.logarithmic {
		share = math.Log(math.Max(loss, c.low)/c.low) / math.Log(c.high/c.low)
	}
	return chartHeight - chartBottom - float64(share*(chartHeight-chartTop-chartBottom))
}

// ticks are the losses that the axis names.
func (c *chart) ticks() (values []float64) {
	if c.logarithmic {
		for v := c.low; v <= c.high*1.001; v = niceStep(v * 1.5) {
			values = append(values, v)
		}
		return values
	}
	tick := niceStep((c.high - c.low) / 5)
	for v := c.low; v <= c.high+float64(tick/2); v += tick {
		values = append(values, v)
	}
	return values
}

func (c *chart) axes() {
	for _, v := range c.ticks() {
		fmt.Fprintf(c, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, chartLeft, chartWidth-chartRight, c.y(v),
			c.y(v))
		fmt.Fprintf(c, `<text class="text" x="%d" y="%.1f" text-anchor="end">%.4g</text>`+"\n", chartLeft-8, c.y(v)+4, v)
	}
	step := math.Max(1, niceStep(c.steps/6))
	for v := 0.0; v <= c.steps; v += step {
		fmt.Fprintf(c, `<text class="text" x="%.1f" y="%d" text-anchor="middle">%.0f</text>`+"\n", c.x(v),
			chartHeight-chartBottom+18, v)
	}
	name := "step"
	if c.logarithmic {
		name += " (the axis of losses is logarithmic)"
	}
	middle := (chartLeft + chartWidth - chartRight) / 2
	fmt.Fprintf(c, `<text class="text" x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", middle, chartHeight-6, name)
}

func (c *chart) line(points [][2]float64, class string, width float64) {
	if len(points) == 0 {
		return
	}
	fmt.Fprintf(c, `<polyline class="%s" stroke-width="%g" points="`, class, width)
	for _, p := range points {
		fmt.Fprintf(c, "%.1f,%.1f ", c.x(p[0]), c.y(p[1]))
	}
	c.WriteString("\"/>\n")
}

// smooth is a moving mean over a fortieth of the points.
func smooth(points [][2]float64) [][2]float64 {
	w := max(1, len(points)/40)
	out := make([][2]float64, len(points))
	sum := 0.0
	for i, p := range points {
		sum += p[1]
		if i >= w {
			sum -= points[i-w][1]
		}
		out[i] = [2]float64{p[0], sum / float64(min(i+1, w))}
	}
	return out
}

// thin keeps at most about 800 points: more than the picture can show.
func thin(points [][2]float64) [][2]float64 {
	every := len(points)/800 + 1
	var out [][2]float64
	for i, p := range points {
		if i%every == 0 || i == len(points)-1 {
			out = append(out, p)
		}
	}
	return out
}

// niceStep rounds up to 1, 2 or 5 times a power of ten.
func niceStep(v float64) float64 {
	if !(v > 0) {
		return 1
	}
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*p {
			return m * p
		}
	}
	return 10 * p
}

// niceBelow rounds down to 1, 2 or 5 times a power of ten.
func niceBelow(v float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{5, 2} {
		if v >= m*p {
			return m * p
		}
	}
	return p
}
