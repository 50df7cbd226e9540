package model

import (
	"strings"
	"testing"

	"instruct/model/kernel"
)

// types is a BlockSource of types alone, by the ends of tensors' names.
type types map[string]string

func (s types) BlockType(name string) string {
	for end, typ := range s {
		if strings.HasSuffix(name, end) {
			return typ
		}
	}
	return "F16"
}

func (types) ReadBlocks(string) ([]byte, error) { panic("only types are asked for") }

// TestStored: in 4 bits weights have the format of the file where all tensors of a matrix share one, 8 bits where they
// have several, and else Q4_0, but 8 bits of the head. Every other format is what was asked for.
func TestStored(t *testing.T) {
	c := testConfigs(t)["qwen3"]
	for _, tt := range []struct {
		file                types
		qkv, out, down, emb kernel.DType
	}{
		{types{}, kernel.Q4_0, kernel.Q4_0, kernel.Q4_0, kernel.Q8_0},
		{types{"attn_q.weight": "Q4_1", "attn_k.weight": "Q4_1", "attn_v.weight": "Q4_1", "attn_output.weight": "Q8_0",
			"ffn_down.weight": "Q6_K", "token_embd.weight": "Q4_0"}, kernel.Q4_1, kernel.Q8_0, kernel.Q4_0, kernel.Q4_0},
		{types{"attn_q.weight": "Q4_0", "attn_k.weight": "Q4_0", "attn_v.weight": "Q4_1", "attn_output.weight": "Q4_1"},
			kernel.Q8_0, kernel.Q4_1, kernel.Q4_0, kernel.Q8_0},
		{types{"attn_q.weight": "Q4_0", "attn_k.weight": "Q4_0"}, kernel.Q4_0, kernel.Q4_0, kernel.Q4_0, kernel.Q8_0},
	} {
		for _, frozen := range []bool{false, true} {
			m, err := Outline(c)
			if err != nil {
				t.Fatal(err)
			}
			m.Stored(tt.file)
			in := kernel.Q4_0
			if frozen {
				if err := m.Adapt(AdapterConfig{R: 2, Alpha: 2}, in); err != nil {
					t.Fatal(err)
				}
				in = kernel.F32
			}
			if err := m.AllocateIn(in); err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]kernel.DType{"layers.0.qkv": tt.qkv, "layers.1.out": tt.out,
				"layers.0.down": tt.down, "embed": tt.emb} {
				if got := m.byName[name].Reduced.DType; got != want {
					t.Errorf("%v: %s is kept as %v, want %v", tt.file, name, got, want)
				}
			}
			if got, want := m.WeightBytes(), m.ValueBytes(in); got < want || got > want+64 {
				t.Errorf("%v: the weights take %d bytes, said were %d", tt.file, got, want)
			}
			m.Close()
		}
		m, err := Outline(c)
		if err != nil {
			t.Fatal(err)
		}
		m.Stored(tt.file)
		if err := m.AllocateIn(kernel.Q8_0); err != nil {
			t.Fatal(err)
		}
		if got := m.byName["layers.0.qkv"].Reduced.DType; got != kernel.Q8_0 {
			t.Errorf("asked for q8_0, and kept as %v", got)
		}
		m.Close()
	}
}
