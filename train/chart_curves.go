package train

import (
	"fmt"
	"html"
	"math"
)

// Curve is a line of a picture: losses over steps.
type Curve struct {
	Name   string
	Group  int          // lines of one group have one colour
	Points [][2]float64 // step, loss
}

// curveColours are those of the groups, on light and on dark pages; more groups begin again. They are told apart by
// people who see few colours too (Okabe and Ito 2008), but for the first, a blue.
var curveColours = [][2]string{{"#1f5fa8", "#7db3ee"}, {"#c2410c", "#f59467"}, {"#009e73", "#4fd0aa"},
	{"#aa3f8a", "#e59fce"}, {"#8a6d00", "#e3c84f"}, {"#56758a", "#a9c4d6"}, {"#7c4dff", "#b7a0ff"}, {"#444444", "#cccccc"}}

// CurvesChart draws losses of several runs over each other as an SVG picture. Each line has its name as a title, which
// shows where the mouse rests on it.
func CurvesChart(title string, curves []Curve) []byte {
	var all [][2]float64
	for i := range curves {
		curves[i].Points = finitePoints(curves[i].Points)
		all = append(all, curves[i].Points...)
	}
	c := newChart(all, all)
	c.closeUp(all)
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
<title>%s</title>
%s<style>
`, chartWidth, chartHeight, html.EscapeString(title), chartStyle)
	for i, colour := range curveColours {
		fmt.Fprintf(c, " .c%d { stroke: %s; fill: none }\n", i, colour[0])
		fmt.Fprintf(c, " @media (prefers-color-scheme: dark) { .c%d { stroke: %s } }\n", i, colour[1])
	}
	fmt.Fprintf(c, `</style>
<rect class="page" width="%d" height="%d"/>
<text class="title" x="%d" y="22">%s</text>
`, chartWidth, chartHeight, chartLeft, html.EscapeString(title))
	c.axes()
	for _, line := range curves {
		colour := line.Group % len(curveColours)
		fmt.Fprintf(c, "<g><title>%s</title>\n", html.EscapeString(line.Name))
		c.line(thin(line.Points), fmt.Sprintf("c%d", colour), 1.6)
		if len(line.Points) == 1 {
			fmt.Fprintf(c, `<circle class="c%d" cx="%.1f" cy="%.1f" r="3"/>`+"\n", colour, c.x(line.Points[0][0]),
				c.y(line.Points[0][1]))
		}
		c.WriteString("</g>\n")
	}
	c.WriteString("</svg>\n")
	return c.Bytes()
}

// closeUp begins the axis of losses just below the points, where it would begin at 0: what differs is of interest.
func (c *chart) closeUp(points [][2]float64) {
	if c.logarithmic || len(points) == 0 {
		return
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		low, high = math.Min(low, p[1]), math.Max(high, p[1])
	}
	tick := niceStep((high - low) / 5)
	c.low, c.high = float64(math.Floor(low/tick)*tick), float64(math.Ceil(high/tick)*tick)
	if c.high <= c.low {
		c.high = c.low + tick
	}
}

// finitePoints leaves out the points that are no numbers.
func finitePoints(points [][2]float64) (out [][2]float64) {
	for _, p := range points {
		if finite(p[1]) {
			out = append(out, p)
		}
	}
	return out
}

// LossCurve is the training loss of rows of metrics.jsonl, smoothed over a fortieth of the steps.
func LossCurve(rows []Metric) (points [][2]float64) {
	for _, m := range rows {
		if m.Loss != nil && finite(*m.Loss) {
			points = append(points, [2]float64{float64(m.Step), *m.Loss})
		}
	}
	return smooth(points)
}

// EvalCurve is the held-out loss of rows of metrics.jsonl.
func EvalCurve(rows []Metric) (points [][2]float64) {
	for _, m := range rows {
		if m.EvalLoss != nil {
			points = append(points, [2]float64{float64(m.Step), *m.EvalLoss})
		}
	}
	return points
}

// CurveColours is how many colours there are for groups; the class of the n-th is c and n.
func CurveColours() int { return len(curveColours) }
