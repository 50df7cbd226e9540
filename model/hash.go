package model

import (
	"crypto/sha256"
	"encoding/hex"
	"unsafe"
)

// WeightsHash is the sha256 of all parameters in order, as little-endian float32; of a model with an adapter those of
// the adapter and of its modules to save.
func (m *Model) WeightsHash() string {
	h := sha256.New()
	tensors := m.Tensors()
	if m.adapter != nil {
		tensors = m.AdapterTensors()
	}
	for _, x := range tensors {
		if len(x.Data) > 0 {
			h.Write(unsafe.Slice((*byte)(unsafe.Pointer(&x.Data[0])), 4*len(x.Data)))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
