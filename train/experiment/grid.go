package experiment

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"instruct/train/recipe"
)

// Axis is a key of a recipe with the values that a grid has of it.
type Axis struct {
	Key    string
	Values []string
}

// ParseAxis reads KEY=VALUE,VALUE,...
func ParseAxis(text string) (Axis, error) {
	key, values, ok := strings.Cut(text, "=")
	a := Axis{Key: recipe.NearestKey(key)}
	switch {
	case !ok || key == "" || values == "":
		return a, mistake("--grid %q; expected KEY=VALUE,VALUE,..., as learning_rate=1e-4,3e-4", text)
	case !recipe.Knows(key):
		hint := ""
		if a.Key != "" {
			hint = fmt.Sprintf("; did you mean %q?", a.Key)
		}
		return a, mistake("--grid %q: a recipe has no key %q%s", text, key, hint)
	case slices.Contains([]string{"output_dir", "overwrite_output_dir", "resume_from_checkpoint", "threads", "stages"},
		a.Key):
		return a, mistake("--grid %q: %s is not one of what a sweep varies", text, a.Key)
	}
	for v := range strings.SplitSeq(values, ",") {
		if v = strings.TrimSpace(v); v == "" || slices.Contains(a.Values, v) {
			return a, mistake("--grid %q: a value is empty or stands there twice", text)
		}
		a.Values = append(a.Values, v)
	}
	return a, nil
}

// Point is one run of a grid.
type Point struct {
	Name   string // of its folder, made of its values
	Recipe recipe.Recipe
}

// maxPoints bounds a grid: more are a slip.
const maxPoints = 10_000

// Grid gives the runs of a grid over a recipe, in folders of dir: the values of the last axis change first. Every
// recipe is checked. notes say what was taken otherwise than it was written.
func Grid(r recipe.Recipe, axes []Axis, dir string) (points []Point, notes []string, err error) {
	total := 1
	for i, a := range axes {
		if slices.ContainsFunc(axes[:i], func(b Axis) bool { return a.Key == b.Key }) {
			return nil, nil, mistake("--grid: %s is given twice", a.Key)
		}
		if total *= len(a.Values); total > maxPoints {
			return nil, nil, mistake("the grid has more than %d runs", maxPoints)
		}
	}
	for n := range total {
		p := Point{Recipe: r}
		settings, names := make([]recipe.Setting, len(axes)), make([]string, len(axes))
		for i := len(axes) - 1; i >= 0; i-- {
			a := axes[i]
			v := a.Values[n%len(a.Values)]
			n /= len(a.Values)
			settings[i], names[i] = recipe.Setting{Key: a.Key, Value: v}, a.Key+"="+fileWord(v)
		}
		said, err := p.Recipe.SetAll(settings)
		if err != nil {
			return nil, nil, err
		}
		for _, note := range said {
			if !slices.Contains(notes, note) {
				notes = append(notes, note)
			}
		}
		if p.Name = strings.Join(names, "_"); p.Name == "" {
			p.Name = "run"
		}
		if slices.ContainsFunc(points, func(q Point) bool { return q.Name == p.Name }) {
			return nil, nil, mistake("the grid has two runs of the name %s; name files or folders that end differently", p.Name)
		}
		p.Recipe.OutputDir, p.Recipe.Overwrite, p.Recipe.Resume = filepath.Join(dir, p.Name), true, "auto"
		p.Recipe = p.Recipe.Resolved()
		if err := p.Recipe.Validate(); err != nil {
			return nil, nil, mistake("%s: %w", p.Name, err)
		}
		points = append(points, p)
	}
	return points, notes, nil
}

// fileWord is a value as a part of a folder's name: the last part of a path, with what a shell or a file system would
// take otherwise replaced.
func fileWord(v string) string {
	v = strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.ContainsRune(".+-", c) {
			return c
		}
		return '-'
	}, filepath.Base(v))
	if len(v) > 60 {
		v = v[len(v)-60:]
	}
	return v
}
