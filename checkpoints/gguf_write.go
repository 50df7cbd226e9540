package checkpoints

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
)

// ggufAlignment is to what multiples tensors are placed in a GGUF file that does not say otherwise.
const ggufAlignment = 32

// GGUFTensor is a tensor of a GGUF file that is to be written. Type is the name of one of [GGUFTypes]; rows must have
// whole blocks of it. Fill gives the values in the order of Shape, which is row-major; it is called when they are
// written, one tensor at a time.
type GGUFTensor struct {
	Name  string
	Shape []int
	Type  string
	Fill  func(dst []float32)
}

// size is the number of values.
func (t *GGUFTensor) size() int {
	n, _ := mulShape(t.Shape, 8)
	return n
}

// GGUFTypes are the types of tensors that can be written.
func GGUFTypes() []string {
	var names []string
	for _, n := range slices.Sorted(maps.Keys(ggmlTypes)) {
		if t := ggmlTypes[n]; t.encode != nil {
			names = append(names, t.name)
		}
	}
	return names
}

// GGUFBlock is how many values of a row a type of tensors packs at a time; 0 where it cannot be written.
func GGUFBlock(name string) int {
	_, t := writtenType(name)
	return t.elems
}

// writtenType finds a type that can be written by its name.
func writtenType(name string) (uint32, blockType) {
	for n, t := range ggmlTypes {
		if t.name == name && t.encode != nil {
			return n, t
		}
	}
	return 0, blockType{}
}

// WriteGGUF writes a GGUF file of version 3. It appears whole or not at all, like [WriteFile]. A value that the type of
// its tensor cannot hold is an error.
func WriteGGUF(path string, meta *Metadata, tensors []GGUFTensor) error {
	head, err := ggufHead(meta, tensors)
	if err != nil {
		return fmt.Errorf("checkpoints: write %s: %w", path, err)
	}
	return writeAtomic(path, func(w io.Writer) error {
		b := bufio.NewWriterSize(w, chunkBytes)
		b.Write(head)
		for i := range tensors {
			if err := writeBlocks(b, &tensors[i]); err != nil {
				return mistake("tensor %q: %w", tensors[i].Name, err)
			}
		}
		return b.Flush() // the first error of all writing
	})
}

// ggufHead is everything up to the data of the tensors.
func ggufHead(meta *Metadata, tensors []GGUFTensor) ([]byte, error) {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("GGUF"), 3)
	b = le.AppendUint64(b, uint64(len(tensors)))
	b = le.AppendUint64(b, uint64(len(meta.keys)))
	for _, key := range meta.keys {
		v := meta.meta[key]
		b = le.AppendUint32(appendText(b, key), uint32(v.kind))
		b = v.append(b)
	}
	at, seen := uint64(0), map[string]bool{}
	for i := range tensors {
		t := &tensors[i]
		number, kind := writtenType(t.Type)
		switch {
		case kind.encode == nil:
			return nil, fmt.Errorf("tensor %q: type %q cannot be written, expected one of %s", t.Name, t.Type,
				strings.Join(GGUFTypes(), " "))
		case seen[t.Name] || len(t.Shape) == 0 || len(t.Shape) > 4:
			return nil, fmt.Errorf("tensor %q is there twice or has %d dimensions", t.Name, len(t.Shape))
		case t.Shape[len(t.Shape)-1]%kind.elems != 0:
			return nil, fmt.Errorf("tensor %q: rows of %d values, but %s packs %d at a time", t.Name,
				t.Shape[len(t.Shape)-1], t.Type, kind.elems)
		}
		seen[t.Name] = true
		b = le.AppendUint32(appendText(b, t.Name), uint32(len(t.Shape)))
		for _, d := range slices.Backward(t.Shape) {
			b = le.AppendUint64(b, uint64(d))
		}
		b = le.AppendUint64(le.AppendUint32(b, number), at)
		at += uint64(aligned(t.size() / kind.elems * kind.size))
	}
	return append(b, make([]byte, aligned(len(b))-len(b))...), nil
}

// aligned is the next multiple of the alignment.
func aligned(n int) int { return (n + ggufAlignment - 1) / ggufAlignment * ggufAlignment }

// writeBlocks writes the data of a tensor.
func writeBlocks(w io.Writer, t *GGUFTensor) error {
	_, kind := writtenType(t.Type)
	values := make([]float32, t.size())
	t.Fill(values)
	step := chunkBytes / kind.size * kind.elems
	buf := make([]byte, chunkBytes)
	written := 0
	for part := range slices.Chunk(values, step) {
		p := buf[:len(part)/kind.elems*kind.size]
		if err := kind.encode(p, part); err != nil {
			return err
		}
		if _, err := w.Write(p); err != nil {
			return err
		}
		written += len(p)
	}
	_, err := w.Write(make([]byte, aligned(written)-written))
	return err
}

// appendText adds a text with its length before it.
func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}

// append adds the value's bytes.
func (v metaValue) append(b []byte) []byte {
	le := binary.LittleEndian
	switch {
	case v.kind == metaString:
		return appendText(b, v.text)
	case v.kind != metaArray:
		return append(b, le.AppendUint64(nil, v.bits)[:v.kind.size()]...)
	case v.elem == metaString:
		b = le.AppendUint64(le.AppendUint32(b, uint32(v.elem)), uint64(len(v.list)))
		for _, s := range v.list {
			b = appendText(b, s)
		}
		return b
	}
	b = le.AppendUint64(le.AppendUint32(b, uint32(v.elem)), uint64(len(v.raw)/v.elem.size()))
	return append(b, v.raw...)
}

// set gives a key a value, in the place of an earlier one.
func (g *Metadata) set(key string, v metaValue) {
	if g.meta == nil {
		g.meta = map[string]metaValue{}
	}
	if _, there := g.meta[key]; !there {
		g.keys = append(g.keys, key)
	}
	g.meta[key] = v
}

// Keys lists the keys in their order.
func (g *Metadata) Keys() []string { return slices.Clone(g.keys) }

// Show is the value of a key with its type, for people.
func (g *Metadata) Show(key string) string {
	v := g.value(key)
	switch v.kind {
	case metaTypes:
		return "absent"
	case metaFloat32:
		return fmt.Sprintf("%g (float32)", math.Float32frombits(uint32(v.bits)))
	case metaArray:
		return fmt.Sprintf("%s %x %q", v, v.raw, v.list)
	}
	return v.String()
}

// SetString gives a key a string, as the other setters do with values of theirs.
func (g *Metadata) SetString(key, value string) { g.set(key, metaValue{kind: metaString, text: value}) }

// SetUint32 sets a count or an id.
func (g *Metadata) SetUint32(key string, value uint32) {
	g.set(key, metaValue{kind: metaUint32, bits: uint64(value)})
}

// SetFloat32 sets a number.
func (g *Metadata) SetFloat32(key string, value float32) {
	g.set(key, metaValue{kind: metaFloat32, bits: uint64(math.Float32bits(value))})
}

// SetBool sets true or false.
func (g *Metadata) SetBool(key string, value bool) {
	v := metaValue{kind: metaBool}
	if value {
		v.bits = 1
	}
	g.set(key, v)
}

// SetStrings sets a list.
func (g *Metadata) SetStrings(key string, values []string) {
	g.set(key, metaValue{kind: metaArray, elem: metaString, list: slices.Clone(values)})
}

// SetInt32s sets a list.
func (g *Metadata) SetInt32s(key string, values []int32) {
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(v))
	}
	g.set(key, metaValue{kind: metaArray, elem: metaInt32, raw: raw})
}

// SetFloat32s sets a list.
func (g *Metadata) SetFloat32s(key string, values []float32) {
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	g.set(key, metaValue{kind: metaArray, elem: metaFloat32, raw: raw})
}
