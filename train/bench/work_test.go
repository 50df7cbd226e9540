package bench

import (
	"math"
	"strings"
	"testing"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/train"
)

// TestStepWork: what the kinds of ops do is all that a step does, and each kind is one that a profile has.
func TestStepWork(t *testing.T) {
	for _, p := range presets() {
		_, c, err := findPreset(p.name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := model.Outline(c)
		if err != nil {
			t.Fatal(err)
		}
		const tokens, seq = 128, 64
		sum := 0.0
		for name, w := range stepWork(m, tokens, seq) {
			if !strings.HasSuffix(name, ".again") { // with gradient checkpointing only
				sum += w.flops
			}
		}
		want := tokens * (train.BodyFLOPs(m, seq) + train.HeadFLOPs(m))
		if math.Abs(sum-want) > 1e-9*want {
			t.Errorf("%s: the ops do %g operations, a step %g", p.name, sum, want)
		}
	}
}

// TestDecodeWork: a step of decoding reads every weight of a product once, in the format that it is kept in.
func TestDecodeWork(t *testing.T) {
	for _, d := range []kernel.DType{kernel.F32, kernel.Q4_0} {
		o := Options{Preset: "lessons-1m", DType: d}
		m, _, err := o.load()
		if err != nil {
			t.Fatal(err)
		}
		const values = 4 * (128*128*4 + 128*344*3) // of the layers
		want := map[kernel.DType]float64{kernel.F32: 4 * (values + 260*128),
			kernel.Q4_0: values*18/32. + 4*(11-344/32.)*128*18 + 272*128*34/32.}[d] // whole blocks, whole panels
		got := 0.0
		for _, w := range decodeWork(m) {
			got += w.bytes
		}
		if got != want {
			t.Errorf("%v: a step reads %g bytes, want %g", d, got, want)
		}
		m.Close()
	}
}

// TestProfileKinds: a measured profile has a speed for every product, and none above its peak where one is known.
func TestProfileKinds(t *testing.T) {
	res, err := Steps(t.Context(), Options{Preset: "lessons-1m", Batch: 1, Seq: 8, Steps: 1, Threads: 1, Profile: true})
	if err != nil {
		t.Fatal(err)
	}
	fast := map[string]bool{}
	for _, op := range res.Profile {
		fast[op.Name] = op.GFLOPS > 0 || op.GBPerSec > 0
	}
	for _, name := range []string{"qkv", "out", "gateup", "down", "attention", "loss"} {
		if !fast[name] || name != "loss" && !fast[name+".backward"] {
			t.Errorf("%s has no speed: %+v", name, res.Profile)
		}
	}
	if !fast[updateName] || fast["graph"] {
		t.Errorf("%+v", res.Profile)
	}
}
