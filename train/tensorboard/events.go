// Package tensorboard writes the event files that TensorBoard reads: scalars over steps. A file is a sequence of
// records of TFRecord (tensorflow/core/lib/io/record_writer.cc), each an Event of tensorflow/core/util/event.proto:
//
//	uint64 length | uint32 masked CRC-32C of it | length bytes | uint32 masked CRC-32C of them     (little-endian)
package tensorboard

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Event is what one step was, or, with Version, the first record of a file.
type Event struct {
	Time    float64 // seconds since 1970
	Step    int64
	Version string
	Scalars []Scalar
}

// Scalar is a value under a name such as train/loss.
type Scalar struct {
	Tag   string
	Value float32
}

// version is what the first record of a file says.
const version = "brain.Event:2"

// Numbers of fields in event.proto and summary.proto.
const (
	eventTime, eventStep, eventVersion, eventSummary = 1, 2, 3, 5
	summaryValue                                     = 1
	valueTag, valueSimple                            = 1, 2
)

// encode is the event as protobuf.
func (e *Event) encode() []byte {
	b := protowire.AppendTag(nil, eventTime, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(e.Time))
	b = protowire.AppendTag(b, eventStep, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(e.Step))
	if e.Version != "" {
		b = protowire.AppendTag(b, eventVersion, protowire.BytesType)
		return protowire.AppendString(b, e.Version)
	}
	var summary []byte
	for _, s := range e.Scalars {
		value := protowire.AppendTag(nil, valueTag, protowire.BytesType)
		value = protowire.AppendString(value, s.Tag)
		value = protowire.AppendTag(value, valueSimple, protowire.Fixed32Type)
		value = protowire.AppendFixed32(value, math.Float32bits(s.Value))
		summary = protowire.AppendTag(summary, summaryValue, protowire.BytesType)
		summary = protowire.AppendBytes(summary, value)
	}
	b = protowire.AppendTag(b, eventSummary, protowire.BytesType)
	return protowire.AppendBytes(b, summary)
}

// decode reads an event; ok is false where b is none. Fields that are not written here are passed over.
func decode(b []byte) (e Event, ok bool) {
	ok = fields(b, func(n protowire.Number, v value) bool {
		switch n {
		case eventTime:
			e.Time = math.Float64frombits(v.number)
		case eventStep:
			e.Step = int64(v.number)
		case eventVersion:
			e.Version = string(v.bytes)
		case eventSummary:
			return fields(v.bytes, func(n protowire.Number, v value) bool {
				if n != summaryValue {
					return true
				}
				var s Scalar
				ok := fields(v.bytes, func(n protowire.Number, v value) bool {
					switch n {
					case valueTag:
						s.Tag = string(v.bytes)
					case valueSimple:
						s.Value = math.Float32frombits(uint32(v.number))
					}
					return true
				})
				e.Scalars = append(e.Scalars, s)
				return ok
			})
		}
		return true
	})
	return e, ok
}

// value is that of a field: a number, or bytes.
type value struct {
	number uint64
	bytes  []byte
}

// fields shows the fields of a message to f, which tells whether they are well.
func fields(b []byte, f func(protowire.Number, value) bool) bool {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return false
		}
		b = b[n:]
		var v value
		var x uint32
		switch kind {
		case protowire.VarintType:
			v.number, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			v.number, n = protowire.ConsumeFixed64(b)
		case protowire.Fixed32Type:
			x, n = protowire.ConsumeFixed32(b)
			v.number = uint64(x)
		case protowire.BytesType:
			v.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = -1
		}
		if n < 0 || !f(number, v) {
			return false
		}
		b = b[n:]
	}
	return true
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the CRC-32C of bytes as TFRecord stores it, so that a sum of bytes that hold sums is none of those.
func masked(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// appendRecord appends data as a record.
func appendRecord(b, data []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, masked(b[start:]))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, masked(data))
}

// cutRecord cuts the first record off b; ok is false where there is no whole one.
func cutRecord(b []byte) (data, rest []byte, ok bool) {
	const head, tail = 12, 4
	if len(b) < head+tail || binary.LittleEndian.Uint32(b[8:]) != masked(b[:8]) {
		return nil, nil, false
	}
	n := binary.LittleEndian.Uint64(b)
	if n > uint64(len(b)-head-tail) {
		return nil, nil, false
	}
	data, rest = b[head:head+n], b[head+n:]
	if binary.LittleEndian.Uint32(rest) != masked(data) {
		return nil, nil, false
	}
	return data, rest[tail:], true
}

// Decode reads the events of a file, up to the first record that is damaged or cut.
func Decode(b []byte) (events []Event) {
	for {
		data, rest, ok := cutRecord(b)
		if !ok {
			return events
		}
		e, ok := decode(data)
		if !ok {
			return events
		}
		events, b = append(events, e), rest
	}
}
