package kernel

import "instruct/model/kernel/exact"

// Rope holds the cosines and sines of rotary position embeddings (Su et al. 2021): row t of Cos and Sin, each Half
// wide, belongs to position t. The pairs are (i, i+Half), as in transformers' rotate_half; what of a vector lies behind
// them does not turn.
type Rope struct {
	Cos, Sin []float32
	Half     int
	Query    []float32 // scales of the queries by position (llama_4_scaling_beta of transformers); nil: all are 1
}

// NewRope makes the tables for positions 0 .. maxPos-1, with cosines and sines times amplitude. The angle is
// float32(position)·invFreq[i] in float32, as in transformers.
func NewRope(maxPos int, invFreq []float32, amplitude float64) *Rope {
	r := &Rope{Half: len(invFreq)}
	r.Cos = make([]float32, maxPos*r.Half)
	r.Sin = make([]float32, maxPos*r.Half)
	for t := range maxPos {
		for i, f := range invFreq {
			s, c := exact.SinCos(float64(float32(t) * f))
			r.Cos[t*r.Half+i], r.Sin[t*r.Half+i] = float32(amplitude*c), float32(amplitude*s)
		}
	}
	return r
}

// Rotate turns heads vectors of size d >= 2·r.Half in each of n rows, in place, by the angles of position pos[row]:
// vector (i, h) lies at x[i·stride+offset+h·d]; (a, b) becomes (a·cos - b·sin, b·cos + a·sin). inverse turns the
// other way, which is the backward.
func (p *Pool) Rotate(x []float32, pos []int32, r *Rope, n, stride, offset, heads, d int, inverse bool) {
	t := &p.ops.rotate
	*t = rotateTask{headShape{n, stride, offset, heads, d}, x, pos, r, inverse}
	t.check(x)
	if d < 2*r.Half {
		panic("kernel: Rotate wants d >= 2*Half")
	}
	if len(pos) < n {
		panic("kernel: slice is too short")
	}
	p.rows(n, heads*d, t)
}

type rotateTask struct {
	headShape
	x       []float32
	pos     []int32
	r       *Rope
	inverse bool
}

func (t *rotateTask) rows(_, lo, hi int) {
	f := t.r.Half
	for i := lo; i < hi; i++ {
		row := int(t.pos[i]) * f
		cos, sin := t.r.Cos[row:row+f], t.r.Sin[row:row+f]
		for h := range t.heads {
			at := i*t.stride + t.offset + h*t.d
			if t.inverse {
				rotateBack(t.x[at:at+f], t.x[at+f:at+2*f], cos, sin)
			} else {
				rotate(t.x[at:at+f], t.x[at+f:at+2*f], cos, sin)
			}
		}
	}
}

// ScaleQueries multiplies the first width numbers of each of n rows, which are stride apart, by r.Query of the row's
// position, in place; nothing where there is none.
func (p *Pool) ScaleQueries(x []float32, pos []int32, r *Rope, n, stride, width int) {
	if r.Query == nil {
		return
	}
	for i := range n {
		if s := r.Query[pos[i]]; s != 1 {
			scale(x[i*stride:i*stride+width], s)
		}
	}
}
