package model

import (
	"crypto/sha256"
	"encoding/hex"
	"unsafe"
)

// WeightsHash is the sha256 of all parameters in order, as little-endian float32.
func (m *Model) WeightsHash() string {
	h := sha256.New()
	for _, x := range m.Tensors() {
		if len(x.Data) > 0 {
			h.Write(unsafe.Slice((*byte)(unsafe.Pointer(&x.Data[0])), 4*len(x.Data)))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
