package train

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"testing"

	"instruct/train/schedule"
)

// A run has the same bits on every CPU: those of its losses and weights were stored on amd64.
func TestStoredBits(t *testing.T) {
	const (
		wantLosses  = "de2683e810ca32af610e63ca8f4c642b6369da050722ff25be54efc69e1bf2a4"
		wantWeights = "207b153bac7462254d55b9ba7912ac570fdd30bf956edb2666957b641016f730"
	)
	const config = `{"model_type":"qwen3","hidden_size":24,"num_hidden_layers":1,"num_attention_heads":3,` +
		`"num_key_value_heads":1,"head_dim":8,"intermediate_size":40,"max_position_embeddings":256,` +
		`"tie_word_embeddings":true,"rms_norm_eps":1e-5}`
	run := mustRun(t, set(t, small(t), "lesson_rows", "96", "lr_scheduler_type", "cosine", "model_config", config))
	sum := sha256.Sum256([]byte(strings.Join(run.steps, "\n")))
	if got := hex.EncodeToString(sum[:]); got != wantLosses {
		t.Errorf("the losses have changed: hash %s, want %s", got, wantLosses)
	}
	if run.WeightsHash != wantWeights {
		t.Errorf("the weights have changed: hash %s, want %s", run.WeightsHash, wantWeights)
	}
}

// So have the learning rates.
func TestScheduleBits(t *testing.T) {
	const want = "f670a1677adb754ac124b1f5fcf0f312bd2e6d0edb44c925aede917550008ddc"
	h := sha256.New()
	for _, kind := range []string{"linear", "cosine", "constant"} {
		for _, total := range []int{7, 30, 1000} {
			s, err := schedule.New(kind, 3e-4, total/10, total, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range total {
				h.Write(strconv.AppendUint(nil, math.Float64bits(s.Rate(i+1)), 16))
			}
		}
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("the rates have changed: hash %s, want %s", got, want)
	}
}
