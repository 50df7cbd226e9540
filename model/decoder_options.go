package model

import (
	"cmp"
	"math"

	"instruct/model/ops"
)

// decoderOptions are what such decoders differ in. A family gives its own; what its files say of them is added when
// they are read.
type decoderOptions struct {
	norms       normPlaces         // where a layer has its norms
	plusOne     bool               // the weights of norms stand for 1 plus what checkpoints hold
	headNorm    headNormKind       // of queries and keys
	biases      biasPlaces         // which matrices have biases
	activation  ops.ActivationKind // of the MLP
	headDim     int                // head_dim where config.json has none; 0: C/H
	interleaved bool               // GGUF files hold the rows of q and k as interleaved rotary pairs
	fusedQKV    bool               // checkpoints hold q, k and v in one tensor
	fusedMLP    bool               // checkpoints hold gate and up in one tensor
	tied        bool               // tie_word_embeddings where config.json has none
	names       map[string]string  // what tensors are called where that is not Llama's name, by that
	keys        map[string]string  // the same of keys of config.json
	ropeNames   ropeNames

	embedScale     float64 // of the embedding's rows; 0: 1
	residualScale  float64 // of what a sublayer's matrix adds to the stream, with norms before only; 0: 1
	logitScale     float64 // of the logits; 0: 1
	attentionScale float64 // of the scores; 0: 1/sqrt(D)

	windows []int  // by layer: positions that a query sees, its own included, 0 for all before it; nil: all everywhere
	ropes   []Rope // by layer; nil: Config.Rope everywhere
	serial  bool   // GPT-NeoX: the MLP reads what attention has added
	taps    []int  // by layer: those of a short convolution in the place of attention, 0: attention; nil: all have that
}

// biasPlaces are matrices that have biases.
type biasPlaces uint8

const (
	biasQKV biasPlaces = 1 << iota
	biasOut
	biasMLP // gate, up and down

	biasAttention = biasQKV | biasOut
)

// normPlaces says where a layer has its norms; f is one of its two sublayers and x the stream.
type normPlaces uint8

const (
	normsBefore normPlaces = iota // x + f(norm x); Xiong et al. 2020, arXiv:2002.04745
	normsBehind                   // x + norm(f x); Liu et al. 2022, arXiv:2111.09883
	normsBoth                     // x + norm(f(norm x)); Ding et al. 2021, arXiv:2105.13290
)

func (n normPlaces) before() bool { return n != normsBehind }
func (n normPlaces) behind() bool { return n != normsBefore }

// headNormKind is the norm of queries and keys before they are rotated.
type headNormKind uint8

const (
	noHeadNorm   headNormKind = iota
	normEachHead              // over the D numbers of each head, with one weight for all
	normAllHeads              // over the H*D numbers of q and the K*D of k
)

// window is how many positions a query of layer l sees; 0: all before it.
func (o *decoderOptions) window(l int) int {
	if o.windows == nil {
		return 0
	}
	return o.windows[l]
}

// convTaps is how many taps the convolution of layer l has; 0: it has attention.
func (o *decoderOptions) convTaps(l int) int {
	if o.taps == nil {
		return 0
	}
	return o.taps[l]
}

// layerRope is the rotary positions of layer l.
func (c *Config) layerRope(l int) Rope {
	if c.options.ropes == nil {
		return c.Rope
	}
	return c.options.ropes[l]
}

// scoreScale is the scale of the attention's scores.
func (c *Config) scoreScale() float32 {
	return float32(cmp.Or(c.options.attentionScale, 1/math.Sqrt(float64(c.HeadDim))))
}
