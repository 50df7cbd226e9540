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
		c    Config
		want string
	}{
		{"10000", Config{RopeTheta: 10000, HeadDim: 64}, "38ab62459db92b9e"},
		{"million", Config{RopeTheta: 1e6, HeadDim: 128}, "a0b753a77668922d"},
		{"linear", Config{RopeTheta: 100000, HeadDim: 64, RopeScaling: RopeScaling{Type: "linear", Factor: 3}}, "38d2ea2605da34fc"},
		{"llama3", Config{RopeTheta: 500000, HeadDim: 128, RopeScaling: RopeScaling{Type: "llama3", Factor: 32, LowFreqFactor: 1, HighFreqFactor: 4, OriginalLength: 8192}}, "877925a66c7362bb"},
	}
	for _, tt := range tests {
		h := sha256.New()
		for i, f := range tt.c.invFreq() {
			if want := math.Pow(tt.c.RopeTheta, -float64(2*i)/float64(tt.c.HeadDim)); tt.c.RopeScaling.Type == "" && math.Abs(float64(f)-want) > 1e-7*want {
				t.Errorf("%s: frequency %d is %g, want %g", tt.name, i, f, want)
			}
			h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(f)))
		}
		if got := hex.EncodeToString(h.Sum(nil)[:8]); got != tt.want {
			t.Errorf("%s: the bits have changed: hash %s, want %s", tt.name, got, tt.want)
		}
	}
}
