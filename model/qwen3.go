package model

// qwen3Family is Qwen3: Llama with a norm of each query and key head, whose size need not be that of the width's share.
//
// Yang et al. 2025, arXiv:2505.09388; reference: transformers models/qwen3/modeling_qwen3.py.
func qwen3Family() family {
	return llamaLike{
		name: "qwen3", architecture: "Qwen3ForCausalLM", gguf: "qwen3",
		options: decoderOptions{headNorm: normEachHead, headDim: 128},
	}.family()
}
