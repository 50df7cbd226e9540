package data

import (
	"encoding/binary"
	"slices"
	"sync"
)

// Store is examples that may be more than fit in memory: their tokens are in memory while they are few, and in a file
// that has no name beyond that. Of each example it keeps 12 bytes. The zero value, and nil, has no examples.
type Store struct {
	// Dir is the folder of the file; "" is that of the system.
	Dir string
	// Memory is how many bytes of tokens stay in memory; 0 means 16 MB.
	Memory int

	spool  spool
	ends   []int64 // of each example, in bytes
	inputs []int32
	record []byte

	withheld map[int]bool
	reading  sync.Mutex // of Batch and Example
	loaded   []Example  // of the last batch
	local    []int
}

// Add appends an example: its tokens, mask and source.
func (s *Store) Add(e *Example) error {
	s.spool.dir = s.Dir
	most := s.Memory
	if most == 0 {
		most = spoolMemory
	}
	s.record = appendExample(s.record[:0], e)
	if err := s.spool.write(s.record, most); err != nil {
		return err
	}
	s.ends = append(s.ends, s.spool.size)
	s.inputs = append(s.inputs, int32(e.Inputs()))
	if e.Withheld {
		if s.withheld == nil {
			s.withheld = map[int]bool{}
		}
		s.withheld[len(s.ends)-1] = true
	}
	return nil
}

// appendExample writes an example: the number of its tokens, each with its bit of the mask, and the source.
func appendExample(b []byte, e *Example) []byte {
	b = binary.AppendUvarint(b, uint64(len(e.IDs)))
	for i, id := range e.IDs {
		v := uint64(uint32(id)) << 1
		if e.Mask[i] {
			v |= 1
		}
		b = binary.AppendUvarint(b, v)
	}
	return append(b, e.Source...)
}

// readExample is the contrary of appendExample. It uses the memory of e, and gives the source, which few need.
func readExample(e *Example, b []byte) (source []byte) {
	n, at := binary.Uvarint(b)
	e.IDs, e.Mask = slices.Grow(e.IDs[:0], int(n)), slices.Grow(e.Mask[:0], int(n))
	for range n {
		v, size := binary.Uvarint(b[at:])
		at += size
		e.IDs, e.Mask = append(e.IDs, int32(uint32(v>>1))), append(e.Mask, v&1 != 0)
	}
	return b[at:]
}

// Len is the number of examples.
func (s *Store) Len() int {
	if s == nil {
		return 0
	}
	return len(s.ends)
}

// Lengths gives Inputs of every example, which is what NewPlan takes. It must not be changed.
func (s *Store) Lengths() []int32 {
	if s == nil {
		return nil
	}
	return s.inputs
}

// Example reads an example. Row and Kind are not kept.
func (s *Store) Example(i int) (Example, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	var e Example
	source, err := s.read(&e, i)
	e.Source = string(source)
	return e, err
}

// read reads an example but for its source, which is given until the next one is read.
func (s *Store) read(e *Example, i int) (source []byte, err error) {
	start := int64(0)
	if i > 0 {
		start = s.ends[i-1]
	}
	s.record = slices.Grow(s.record[:0], int(s.ends[i]-start))[:s.ends[i]-start]
	if err := s.spool.readAt(s.record, start); err != nil {
		return nil, err
	}
	e.Withheld = s.withheld[i]
	return readExample(e, s.record), nil
}

// Withheld is the number of examples that are withheld.
func (s *Store) Withheld() int {
	if s == nil {
		return 0
	}
	return len(s.withheld)
}

// load reads the examples that idx names into loaded, and sets local to their indices there.
func (s *Store) load(idx []int) error {
	s.local = s.local[:0]
	for len(s.loaded) < len(idx) {
		s.loaded = append(s.loaded, Example{})
	}
	for k, i := range idx {
		s.local = append(s.local, k)
		if _, err := s.read(&s.loaded[k], i); err != nil {
			return err
		}
	}
	return nil
}

// Batch is [BuildBatch] of the examples that idx names. Several goroutines may call it, and Example.
func (s *Store) Batch(dst *Batch, idx []int) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	if err := s.load(idx); err != nil {
		return err
	}
	BuildBatch(dst, s.loaded, s.local)
	for k, row := range dst.Rows {
		if row >= 0 {
			dst.Rows[k] = idx[row]
		}
	}
	return nil
}

// Shared is [Batch.Shared] of b for all the micro-batches.
func (s *Store) Shared(b *Batch, batches [][]int) (saved int, err error) {
	for _, idx := range batches {
		if err := s.load(idx); err != nil {
			return 0, err
		}
		saved += b.Shared(s.loaded, s.local)
	}
	return saved, nil
}

// grouped is how many examples are looked at together to find those that begin alike.
const grouped = 4096

// Group is [Group] of the examples that idx names, some thousands at a time.
func (s *Store) Group(idx []int, capacity int) (batches [][]int, positions int, err error) {
	for window := range slices.Chunk(idx, grouped) {
		if err := s.load(window); err != nil {
			return nil, 0, err
		}
		found, most := Group(s.loaded[:len(window)], capacity)
		for _, members := range found {
			for k, i := range members {
				members[k] = window[i]
			}
		}
		batches, positions = append(batches, found...), max(positions, most)
	}
	return batches, positions, nil
}

// GroupLengths gives the positions that each group of so many examples takes, which share their prefix or do not.
func (s *Store) GroupLengths(size int, share bool) ([]int32, error) {
	if size == 1 {
		return s.Lengths(), nil
	}
	lengths := make([]int32, 0, s.Len()/size)
	var group []int
	for g := range s.Len() / size {
		group = Members(group[:0], []int{g}, size)
		n := sum(s.inputs[g*size : (g+1)*size])
		if share {
			saved, err := s.Shared(&Batch{}, [][]int{group})
			if err != nil {
				return nil, err
			}
			n -= saved
		}
		lengths = append(lengths, int32(n))
	}
	return lengths, nil
}

// Close gives memory and file back.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	return s.spool.close()
}
