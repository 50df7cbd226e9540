package train

import "testing"

// TestFamiliesResume stops runs of families whose checkpoints hold other numbers than Llama's (norm weights less one, a
// convolution of three dimensions, stacked tensors, layers of several types), and goes on with other threads and with
// gradient checkpointing: every bit is that of the whole run.
func TestFamiliesResume(t *testing.T) {
	const size = `"hidden_size":16,"num_hidden_layers":2,"num_attention_heads":2,"num_key_value_heads":1,"head_dim":8,` +
		`"intermediate_size":24,"max_position_embeddings":256`
	for name, keys := range map[string]string{
		"gemma3_text": `"sliding_window":20,"layer_types":["sliding_attention","full_attention"],"query_pre_attn_scalar":8`,
		"lfm2":        `"layer_types":["conv","full_attention"],"block_auto_adjust_ff_dim":false`,
		"phi3":        `"partial_rotary_factor":0.5`,
	} {
		t.Run(name, func(t *testing.T) {
			config := `{"model_type":"` + name + `",` + keys + `,` + size + `}`
			r := set(t, small(t), "model_config", config, "lesson_rows", "24", "save_steps", "100")
			whole := mustRun(t, r)
			r = set(t, r, "output_dir", t.TempDir())
			sameBits(t, mustResume(t, r, len(whole.steps)/2, "threads", "1"), whole)
			r = set(t, r, "output_dir", t.TempDir(), "gradient_checkpointing", "true")
			sameBits(t, mustRun(t, r), whole)
		})
	}
}
