package ops

// gain is the weights of a norm as kernels take them.
type gain struct {
	w    *Param
	plus []float32 // 1 + w, made at each run; nil: w itself
}

// gainOf gives the weights w, or 1 + w: the form in which Gemma's norms are kept, near zero.
func (g *Graph) gainOf(w *Param, plusOne bool) gain {
	if !plusOne {
		return gain{w: w}
	}
	return gain{w, buffer[float32](g, w.Size())}
}

func (x *gain) values() []float32 {
	if x.plus == nil {
		return x.w.Value
	}
	for i, v := range x.w.Value {
		x.plus[i] = 1 + v
	}
	return x.plus
}
