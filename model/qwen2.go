package model

// qwen2Family is Qwen2 and Qwen2.5: Llama with biases on q, k and v.
//
// Yang et al. 2024, arXiv:2407.10671; reference: transformers models/qwen2/modeling_qwen2.py.
func qwen2Family() family {
	return llamaLike{
		name: "qwen2", architecture: "Qwen2ForCausalLM", gguf: "qwen2", options: decoderOptions{biases: biasQKV},
	}.family()
}
