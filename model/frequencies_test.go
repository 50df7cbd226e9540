package model

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"
)

// The rotary frequencies have the same bits everywhere; the hashes were stored on amd64.
func TestFrequencyBits(t *testing.T) {
	tests := []struct {
		name string
		r    Rope
		d    int
		want string
	}{
		{"10000", Rope{Theta: 10000}, 64, "38ab62459db92b9e"},
		{"million", Rope{Theta: 1e6}, 128, "a0b753a77668922d"},
		{"linear", Rope{Theta: 100000, Scaling: RopeScaling{Type: "linear", Factor: 3}}, 64, "38d2ea2605da34fc"},
		{"llama3", Rope{Theta: 500000, Scaling: RopeScaling{Type: "llama3", Factor: 32, LowFreqFactor: 1,
			HighFreqFactor: 4, OriginalLength: 8192}}, 128, "877925a66c7362bb"},
		{"yarn", Rope{Theta: 1000000, Scaling: RopeScaling{Type: "yarn", Factor: 16, OriginalLength: 16384}}, 128,
			"c2b08e287524c083"},
		{"part", Rope{Theta: 10000, Dims: 96}, 128, "656884a3942e08c9"},
	}
	for _, tt := range tests {
		h := sha256.New()
		for i, f := range tt.r.invFreq(tt.d) {
			want := math.Pow(tt.r.Theta, -float64(2*i)/float64(tt.r.dims(tt.d)))
			if tt.r.Scaling.Type == "" && math.Abs(float64(f)-want) > 1e-7*want {
				t.Errorf("%s: frequency %d is %g, want %g", tt.name, i, f, want)
			}
			h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(f)))
		}
		if got := hex.EncodeToString(h.Sum(nil)[:8]); got != tt.want {
			t.Errorf("%s: the bits have changed: hash %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestLlama3FromDivisors finds the scaling of published models from the divisors of their GGUF files, which llama.cpp's
// converter computes in float32.
func TestLlama3FromDivisors(t *testing.T) {
	for _, x := range []struct {
		name   string
		d      int
		factor float64
	}{{"Llama 3.1 8B", 128, 8}, {"Llama 3.2 1B", 64, 32}, {"Llama 3.2 3B", 128, 32}} {
		plain := Rope{Theta: 500000, Scaling: RopeScaling{Type: "default"}}
		want := llama3Scaling(x.factor, 8192)
		scaled := Rope{Theta: plain.Theta, Scaling: want}
		var divisors []float64
		inv := scaled.invFreq(x.d)
		for i, f := range plain.invFreq(x.d) {
			divisors = append(divisors, float64(f/inv[i]))
		}
		got, ok := fitLlama3(plain, divisors, x.d)
		if !ok || got != scaled {
			t.Errorf("%s: found %+v (%v), want %+v", x.name, got, ok, scaled)
		}
		divisors[3] *= 1.001
		if got, ok := fitLlama3(plain, divisors, x.d); ok {
			t.Errorf("%s: other divisors give %+v", x.name, got)
		}
	}
}
