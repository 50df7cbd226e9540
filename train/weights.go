package train

import (
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"slices"

	"instruct/checkpoints"
	"instruct/model/pretrained"
)

// TensorDifference is what two models have of a tensor of one name.
type TensorDifference struct {
	Name    string
	Shapes  [2][]int // nil where a model has no such tensor, or it is a scalar
	Values  int      // how many there are
	Differ  int      // how many have other bits; 0 where the shapes differ
	First   Element  // the first of them
	Largest Element  // the one that is furthest apart; of equals the first
}

// Element is a value of two tensors of one shape.
type Element struct {
	At     int // row-major
	Values [2]float32
}

// apart is how far the values are from each other; no number is infinitely far from any other bits.
func (p Element) apart() float64 {
	d := math.Abs(float64(p.Values[0]) - float64(p.Values[1]))
	if math.IsNaN(d) {
		return math.Inf(1)
	}
	return d
}

// Apart is the largest difference of two values of the tensor.
func (d *TensorDifference) Apart() float64 { return d.Largest.apart() }

// Same tells whether the tensors have the same shape and bits.
func (d *TensorDifference) Same() bool {
	return d.Differ == 0 && slices.Equal(d.Shapes[0], d.Shapes[1])
}

// DiffWeights compares the weights of two model folders, or of two adapters, tensor by tensor: those of b in their
// order, then those that only a has. It ends after an error, which names the folder.
func DiffWeights(a, b string) iter.Seq2[TensorDifference, error] {
	return func(yield func(TensorDifference, error) bool) {
		x, err := openWeights(a)
		if err != nil {
			yield(TensorDifference{}, err)
			return
		}
		defer x.Close()
		y, err := openWeights(b)
		if err != nil {
			yield(TensorDifference{}, err)
			return
		}
		defer y.Close()
		for _, name := range y.Names() {
			d, err := diffTensor(x, y, name)
			if !yield(d, err) || err != nil {
				return
			}
		}
		for _, name := range x.Names() {
			if _, both := y.Shape(name); both {
				continue
			}
			shape, _ := x.Shape(name)
			if !yield(TensorDifference{Name: name, Shapes: [2][]int{shape}}, nil) {
				return
			}
		}
	}
}

// diffTensor compares one tensor of y with that of x.
func diffTensor(x, y checkpoints.Source, name string) (TensorDifference, error) {
	d := TensorDifference{Name: name}
	was, both := x.Shape(name)
	shape, _ := y.Shape(name)
	d.Shapes = [2][]int{was, shape}
	d.Values = 1
	for _, n := range shape {
		d.Values *= n
	}
	if !both || !slices.Equal(was, shape) {
		return d, nil
	}
	a, b := make([]float32, d.Values), make([]float32, d.Values)
	if err := x.Read(name, a); err != nil {
		return d, err
	}
	if err := y.Read(name, b); err != nil {
		return d, err
	}
	for i := range b {
		if math.Float32bits(a[i]) == math.Float32bits(b[i]) {
			continue
		}
		at := Element{i, [2]float32{a[i], b[i]}}
		if d.Differ == 0 {
			d.First, d.Largest = at, at
		}
		if at.apart() > d.Largest.apart() {
			d.Largest = at
		}
		d.Differ++
	}
	return d, nil
}

// openWeights opens the weights of a model folder or an adapter's.
func openWeights(dir string) (checkpoints.Source, error) {
	if pretrained.IsAdapter(dir) {
		return checkpoints.OpenSafetensors(filepath.Join(dir, "adapter_model.safetensors"))
	}
	return checkpoints.OpenFolder(dir)
}

// Index is where an element of a shape lies along each axis, as [2,7].
func Index(shape []int, at int) string {
	text := ""
	for _, n := range slices.Backward(shape) {
		text = fmt.Sprintf(",%d%s", at%n, text)
		at /= n
	}
	if text == "" {
		return "[]"
	}
	return "[" + text[1:] + "]"
}
