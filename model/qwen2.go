package model

// qwen2Family is Qwen2 and Qwen2.5: Llama with biases on q, k and v.
//
// Yang et al. 2024, arXiv:2407.10671; reference: transformers models/qwen2/modeling_qwen2.py.
func qwen2Family() family {
	return decoderFamily("qwen2", "Qwen2ForCausalLM", decoderOptions{qkvBias: true})
}
