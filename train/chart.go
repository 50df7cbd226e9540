package train

import (
	"bytes"
	"fmt"
	"math"
	"slices"
)

// lossChart draws the training loss (every step, and smoothed) and the held-out loss over the steps as an SVG picture.
func lossChart(rows []Metric) []byte {
	const width, height, left, right, top, bottom = 760, 360, 56, 16, 36, 40
	var train, eval [][2]float64
	for _, m := range rows {
		if m.Loss != nil && finite(*m.Loss) {
			train = append(train, [2]float64{float64(m.Step), *m.Loss})
		}
		if m.EvalLoss != nil && finite(*m.EvalLoss) {
			eval = append(eval, [2]float64{float64(m.Step), *m.EvalLoss})
		}
	}
	maxX := 1.0
	maxY := 0.0
	for _, p := range slices.Concat(train, eval) {
		maxX = math.Max(maxX, p[0])
		maxY = math.Max(maxY, p[1])
	}
	tick := niceStep(maxY / 5)
	maxY = math.Max(tick, math.Ceil(maxY/tick)*tick)
	x := func(v float64) float64 { return left + float64(v/maxX*(width-left-right)) }
	y := func(v float64) float64 { return height - bottom - float64(v/maxY*(height-top-bottom)) }
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
<rect width="%[1]d" height="%[2]d" fill="white"/>
`, width, height)
	for v := 0.0; v <= maxY+float64(tick/2); v += tick {
		fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#e4e4e4"/>`, left, width-right, y(v), y(v))
		fmt.Fprintf(&b, `<text x="%d" y="%.1f" text-anchor="end" fill="#555">%.4g</text>`+"\n", left-8, y(v)+4, v)
	}
	step := math.Max(1, niceStep(maxX/6))
	for v := 0.0; v <= maxX; v += step {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#555">%.0f</text>`+"\n", x(v), height-bottom+18, v)
	}
	middle := (left + width - right) / 2
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle" fill="#555">step</text>`+"\n", middle, height-6)
	line := func(points [][2]float64, colour string, w float64) {
		if len(points) == 0 {
			return
		}
		fmt.Fprintf(&b, `<polyline fill="none" stroke="%s" stroke-width="%g" points="`, colour, w)
		for _, p := range points {
			fmt.Fprintf(&b, "%.1f,%.1f ", x(p[0]), y(p[1]))
		}
		b.WriteString("\"/>\n")
	}
	line(thin(train), "#bcd2ee", 1)
	line(thin(smooth(train)), "#1f5fa8", 1.8)
	line(eval, "#c2410c", 1.8)
	for _, p := range eval {
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="#c2410c"/>`+"\n", x(p[0]), y(p[1]))
	}
	fmt.Fprintf(&b, `<text x="%d" y="22" fill="#1f5fa8">training loss</text>`, left)
	if len(eval) > 0 {
		fmt.Fprintf(&b, `<text x="%d" y="22" fill="#c2410c">held-out loss</text>`, left+110)
	}
	b.WriteString("\n</svg>\n")
	return b.Bytes()
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
