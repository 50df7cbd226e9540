package checkpoints

import "encoding/binary"

// Safetensors is one open safetensors file. It implements [Source].
type Safetensors struct {
	tensorFile
	data     int64 // where the data begins
	metadata map[string]string
}

// OpenSafetensors opens a file and checks its whole header: size limits, JSON, dtypes, shapes, and that the tensors
// fill the data without gap or overlap. F32, F16, BF16 and F64 tensors can be Read.
func OpenSafetensors(path string) (*Safetensors, error) {
	return openTensors(path, newSafetensors)
}

func newSafetensors(f tensorFile, size int64) (*Safetensors, error) {
	var prefix [8]byte
	if size < 8 {
		return nil, badFile(f.path, "not a safetensors file: %d bytes, expected at least 8", size)
	}
	if err := readFull(f.r, prefix[:], 0); err != nil {
		return nil, fileError("read", f.path, err)
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > maxHeader {
		return nil, badFile(f.path, "not a safetensors file: header of %d bytes, the limit is %d", n, maxHeader)
	}
	if int64(n) > size-8 {
		return nil, badFile(f.path, "truncated: the header takes bytes 8 to %d, the file has %d; copy or download it again",
			8+n, size)
	}
	header := make([]byte, n)
	if err := readFull(f.r, header, 8); err != nil {
		return nil, fileError("read", f.path, err)
	}
	f.tensors = map[string]stored{}
	f.refusal = "dtype %s cannot be read as numbers, expected F32, F16, BF16 or F64"
	s := &Safetensors{tensorFile: f, data: 8 + int64(n)}
	if err := s.parseHeader(header); err != nil {
		return nil, badFile(f.path, "%v", err)
	}
	length, err := s.layout()
	if err != nil {
		return nil, badFile(f.path, "%v", err)
	}
	end := s.data + length
	if size < end {
		return nil, badFile(f.path, "truncated: expected %d bytes, found %d; copy or download it again", end, size)
	}
	if size > end {
		return nil, badFile(f.path, "expected %d bytes, found %d: the header does not account for the last %d",
			end, size, size-end)
	}
	return s, nil
}
