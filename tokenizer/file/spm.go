package file

import (
	"errors"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// spmModel is a SentencePiece tokenizer.model (google/sentencepiece, src/sentencepiece_model.proto).
type spmModel struct {
	pieces             []spmPiece
	kind               uint64 // 1 unigram, 2 BPE
	byteFallback       bool
	unk, bos, eos, pad int32 // ids; -1: none
	charsmap           []byte
}

// spmPiece is a token.
type spmPiece struct {
	text  string
	score float32
	kind  uint64 // as in GGUF: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
}

// Models of a SentencePiece file.
const (
	spmUnigram = 1
	spmBPE     = 2
)

// parseSPM reads a tokenizer.model.
func parseSPM(data []byte) (*spmModel, error) {
	m := &spmModel{kind: spmUnigram, bos: 1, eos: 2, pad: -1}
	err := eachField(data, func(n protowire.Number, value uint64, part []byte) error {
		switch n {
		case 1:
			piece := spmPiece{kind: 1}
			err := eachField(part, func(n protowire.Number, value uint64, part []byte) error {
				switch n {
				case 1:
					piece.text = string(part)
				case 2:
					piece.score = math.Float32frombits(uint32(value))
				case 3:
					piece.kind = value
				}
				return nil
			})
			if !utf8.ValidString(piece.text) {
				err = errors.New("a piece that is not UTF-8")
			}
			if s := float64(piece.score); math.IsNaN(s) || math.IsInf(s, 0) {
				err = errors.New("a score that is not a number")
			}
			m.pieces = append(m.pieces, piece)
			return err
		case 2:
			return eachField(part, m.trainerField)
		case 3:
			return eachField(part, func(n protowire.Number, _ uint64, part []byte) error {
				if n == 2 {
					m.charsmap = part
				}
				return nil
			})
		}
		return nil
	})
	if err == nil && len(m.pieces) == 0 {
		err = errors.New("no pieces")
	}
	if err != nil {
		return nil, mistake("tokenizer.model is not a SentencePiece model: %w", err)
	}
	if m.kind != spmUnigram && m.kind != spmBPE {
		return nil, mistake("tokenizer.model: model_type %d is not supported (known: 1 unigram, 2 BPE)", m.kind)
	}
	for _, id := range []int32{m.unk, m.bos, m.eos, m.pad} {
		if int(id) >= len(m.pieces) {
			return nil, mistake("tokenizer.model: the special id %d is outside the %d pieces", id, len(m.pieces))
		}
	}
	return m, nil
}

// trainerField takes a field of the trainer_spec.
func (m *spmModel) trainerField(n protowire.Number, value uint64, _ []byte) error {
	switch n {
	case 3:
		m.kind = value
	case 35:
		m.byteFallback = value != 0
	case 40:
		m.unk = int32(value)
	case 41:
		m.bos = int32(value)
	case 42:
		m.eos = int32(value)
	case 43:
		m.pad = int32(value)
	}
	return nil
}

// eachField gives the fields of a protobuf message: a number or bytes.
func eachField(data []byte, take func(n protowire.Number, value uint64, part []byte) error) error {
	for len(data) > 0 {
		n, kind, w := protowire.ConsumeTag(data)
		if w < 0 {
			return protowire.ParseError(w)
		}
		data = data[w:]
		var value uint64
		var part []byte
		switch kind {
		case protowire.VarintType:
			value, w = protowire.ConsumeVarint(data)
		case protowire.Fixed32Type:
			var v uint32
			v, w = protowire.ConsumeFixed32(data)
			value = uint64(v)
		case protowire.Fixed64Type:
			value, w = protowire.ConsumeFixed64(data)
		case protowire.BytesType:
			part, w = protowire.ConsumeBytes(data)
		default:
			w = protowire.ConsumeFieldValue(n, kind, data)
		}
		if w < 0 {
			return protowire.ParseError(w)
		}
		data = data[w:]
		if err := take(n, value, part); err != nil {
			return err
		}
	}
	return nil
}

// text gives the piece of an id, or "".
func (m *spmModel) text(id int32) string {
	if id < 0 {
		return ""
	}
	return m.pieces[id].text
}

// merges gives every pair of pieces that makes a piece, in the order of the ids of what they make and then the shorter
// left part first, as transformers' generate_merges has it.
func (m *spmModel) merges() [][2]string {
	known := make(map[string]bool, len(m.pieces))
	for _, p := range m.pieces {
		known[p.text] = true
	}
	list := [][2]string{}
	for _, p := range m.pieces {
		for k := range p.text {
			if k > 0 && known[p.text[:k]] && known[p.text[k:]] {
				list = append(list, [2]string{p.text[:k], p.text[k:]})
			}
		}
	}
	return list
}
