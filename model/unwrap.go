package model

import (
	"slices"
	"strings"
)

// wrappers are what programs put before every name of a model's tensors: torch.compile, DataParallel and its relatives,
// and PEFT around a model whose adapters were merged.
var wrappers = []string{"_orig_mod.", "module.", "base_model.model."}

// Unwrap gives src without the wrappers that stand before all of its names, and the wrappers, "" where there are none.
func Unwrap(src Source) (inner Source, prefix string) {
	names := src.Names()
	for again := len(names) > 0; again; {
		again = false
		for _, w := range wrappers {
			if allBegin(names, prefix+w) {
				prefix += w
				again = true
			}
		}
	}
	if prefix == "" {
		return src, ""
	}
	return unwrapped{src, prefix}, prefix
}

func allBegin(names []string, prefix string) bool {
	for _, n := range names {
		if !strings.HasPrefix(n, prefix) {
			return false
		}
	}
	return true
}

// unwrapped is a source all of whose names have a prefix, without it.
type unwrapped struct {
	Source
	prefix string
}

func (u unwrapped) Names() []string {
	names := u.Source.Names()
	for i, n := range names {
		names[i] = n[len(u.prefix):]
	}
	return names
}

func (u unwrapped) Shape(name string) ([]int, bool) { return u.Source.Shape(u.prefix + name) }

func (u unwrapped) Read(name string, dst []float32) error { return u.Source.Read(u.prefix+name, dst) }

// HeadDiffers tells whether src has a head of its own for a model whose config.json says that it is the embedding.
func (m *Model) HeadDiffers(src Source) (bool, error) {
	head, ok := src.Shape(headName)
	if !m.Config.Tied || !ok {
		return false, nil
	}
	embed := m.Tensors()[0] // as in every family's table
	name, shape, ok := m.find(&embed, src, false)
	if !ok || name == headName {
		return false, nil
	}
	if len(head) != 2 || !slices.Equal(shape, head) {
		return true, nil
	}
	values := [2][]float32{}
	for i, n := range []string{name, headName} {
		values[i] = make([]float32, head[0]*head[1])
		if err := src.Read(n, values[i]); err != nil {
			return false, err
		}
	}
	return !slices.Equal(values[0], values[1]), nil
}
