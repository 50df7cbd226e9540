package model

import (
	"math"
	"strings"
	"testing"

	"instruct/model/kernel/rng"
)

// TestFold: an adapter that is put on a model with weights is the parent at no share of it, adds the share of what it
// would add, and is gone when it is folded, with everything trainable as before.
func TestFold(t *testing.T) {
	pool := testPool(t)
	for name, c := range brief(testConfigs(t)) {
		m := testModel(t, c)
		parent, names := lossOf(t, m), len(m.Params)
		a := adapterConfig()
		a.Targets = m.LinearsFrom(1)
		if err := m.Beside(a); err != nil {
			t.Fatal(err)
		}
		fresh := lossOf(t, m)
		for i, p := range m.Trained() {
			if !strings.HasPrefix(p.Name, "layers.") || strings.HasPrefix(p.Name, "layers.0.") {
				t.Errorf("%s: %s is trained", name, p.Name)
			}
			r := rng.NewRand(3, "b", uint64(i), 0)
			for j := range p.Value {
				if strings.HasSuffix(p.Name, ".lora_B") {
					p.Value[j] = float32(0.1 * r.Normal())
				}
			}
		}
		m.ScaleAdapter(0)
		none := lossOf(t, m)
		m.ScaleAdapter(0.5)
		half, merged := lossOf(t, m), lossOf(t, mergedModel(t, m))
		m.Fold(pool)
		folded := lossOf(t, m)
		if fresh != parent || none != parent || half == parent || !near(half, merged, math.Abs(merged)) ||
			!near(folded, merged, math.Abs(merged)) {
			t.Errorf("%s: loss %v, with a fresh adapter %v, at no share %v, at half %v, merged %v, folded %v", name, parent,
				fresh, none, half, merged, folded)
		}
		if len(m.Params) != names || len(m.byName) != names || len(m.specs) != names || len(m.Trained()) != names {
			t.Errorf("%s: %d parameters, %d of them trained, of %d", name, len(m.Params), len(m.Trained()), names)
		}
		if err := m.Beside(a); err != nil { // and again, as the next round does
			t.Error(err)
		}
	}
}

// TestBesideOnce refuses what it cannot take back.
func TestBesideOnce(t *testing.T) {
	m := testModel(t, testConfigs(t)["mistral"])
	dora := adapterConfig()
	dora.DoRA = true
	if m.Beside(dora) == nil {
		t.Error("DoRA was put on a model")
	}
	if err := m.Beside(adapterConfig()); err != nil {
		t.Fatal(err)
	}
	if m.Beside(adapterConfig()) == nil {
		t.Error("two adapters were put on a model")
	}
}
