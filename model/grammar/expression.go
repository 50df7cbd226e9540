package grammar

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// kind is what an expression is.
type kind uint8

const (
	nothing kind = iota // no text
	empty               // the empty text
	bytes               // one byte of a set
	literal             // a text
	seq                 // a, then b
	either              // one of several
	repeat              // a, from low to high times
	except              // a, but not b
	rule                // what the rule says
)

// unbounded is a repetition without an upper bound.
const unbounded = math.MaxInt32

// expression is a set of texts. Equal ones are the same value as long as the forge that made them keeps them.
type expression struct {
	kind      kind
	id        int
	nullable  bool // the empty text is one of them
	set       [4]uint64
	text      string
	a, b      *expression // seq, repeat, except
	of        []*expression
	low, high int
	rule      *ruleBody

	next *[256]*expression // by byte; nil where it was not asked for
	mask []uint64
}

// ruleBody is what a rule stands for, which is never empty text. It may name the rule itself.
type ruleBody struct {
	where string // for messages
	is    *expression
	heads []*ruleBody // rules that it may begin with
}

// key makes equal expressions equal.
type key struct {
	kind      kind
	set       [4]uint64
	text      string
	a, b      int
	low, high int
	rule      *ruleBody
}

// forge makes expressions, each once, and keeps what was worked out about them within a bound.
type forge struct {
	made    map[key]*expression
	count   int
	kept    int // bytes of what was worked out
	bound   int
	nothing *expression
	empty   *expression
}

func newForge(bound int) *forge {
	f := &forge{made: map[key]*expression{}, bound: bound}
	f.nothing = f.intern(key{kind: nothing}, expression{})
	f.empty = f.intern(key{kind: empty}, expression{nullable: true})
	return f
}

// intern gives the one expression of a key.
func (f *forge) intern(k key, e expression) *expression {
	if old, ok := f.made[k]; ok {
		return old
	}
	f.count++
	e.kind, e.id = k.kind, f.count
	n := &e
	f.made[k] = n
	f.kept += 256
	return n
}

// forget lets go of all that was worked out, where it has become too much. Expressions that are in use stay as they
// are; only that they equal later ones is not seen any more.
func (f *forge) forget() {
	if f.kept <= f.bound {
		return
	}
	for _, e := range f.made {
		e.next, e.mask = nil, nil
	}
	clear(f.made)
	f.kept = 0
	f.made[key{kind: nothing}], f.made[key{kind: empty}] = f.nothing, f.empty
}

// class is one byte of those from and to name, in pairs.
func (f *forge) class(ranges ...byte) *expression {
	var set [4]uint64
	for i := 0; i < len(ranges); i += 2 {
		for b := int(ranges[i]); b <= int(ranges[i+1]); b++ {
			set[b/64] |= 1 << (b % 64)
		}
	}
	return f.intern(key{kind: bytes, set: set}, expression{set: set})
}

func (f *forge) literal(text string) *expression {
	if text == "" {
		return f.empty
	}
	return f.intern(key{kind: literal, text: text}, expression{text: text})
}

// seq is one after the other.
func (f *forge) seq(parts ...*expression) *expression {
	out := f.empty
	for _, p := range slices.Backward(parts) {
		out = f.pair(p, out)
	}
	return out
}

func (f *forge) pair(a, b *expression) *expression {
	switch {
	case a == f.nothing || b == f.nothing:
		return f.nothing
	case a == f.empty:
		return b
	case b == f.empty:
		return a
	case a.kind == seq: // to the right, so that equal ones look alike
		return f.pair(a.a, f.pair(a.b, b))
	}
	return f.intern(key{kind: seq, a: a.id, b: b.id}, expression{a: a, b: b, nullable: a.nullable && b.nullable})
}

// either is one of them.
func (f *forge) either(parts ...*expression) *expression {
	var all []*expression
	for _, p := range parts {
		switch p.kind {
		case nothing:
		case either:
			all = append(all, p.of...)
		default:
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *expression) int { return cmp.Compare(a.id, b.id) })
	all = slices.Compact(all)
	switch len(all) {
	case 0:
		return f.nothing
	case 1:
		return all[0]
	}
	var ids []byte
	nullable := false
	for _, e := range all {
		ids = binary.AppendUvarint(ids, uint64(e.id))
		nullable = nullable || e.nullable
	}
	return f.intern(key{kind: either, text: string(ids)}, expression{of: all, nullable: nullable})
}

func (f *forge) optional(e *expression) *expression { return f.either(f.empty, e) }

// repeat is e from low to high times; e is not nullable.
func (f *forge) repeat(e *expression, low, high int) *expression {
	switch {
	case high == 0 || e == f.nothing && low == 0:
		return f.empty
	case e == f.nothing:
		return e
	case low == 1 && high == 1:
		return e
	}
	return f.intern(key{kind: repeat, a: e.id, low: low, high: high},
		expression{a: e, low: low, high: high, nullable: low == 0})
}

// except is what is in a and not in b. It must be that a can go on from every text that b can go on from, or a text
// that was begun might have no end.
func (f *forge) except(a, b *expression) *expression {
	switch {
	case b == f.nothing || a == f.nothing:
		return a
	case a == f.empty && b.nullable:
		return f.nothing
	case a == f.empty:
		return a
	}
	return f.intern(key{kind: except, a: a.id, b: b.id}, expression{a: a, b: b, nullable: a.nullable && !b.nullable})
}

// ref is what a rule says.
func (f *forge) ref(r *ruleBody) *expression {
	return f.intern(key{kind: rule, rule: r}, expression{rule: r})
}

// step is what may follow on e once byte c was said.
func (f *forge) step(e *expression, c byte) *expression {
	if e.next == nil {
		e.next = new([256]*expression)
		f.kept += 8 * 256
	}
	if e.next[c] == nil {
		e.next[c] = f.derive(e, c)
	}
	return e.next[c]
}

// derive works a derivative out.
func (f *forge) derive(e *expression, c byte) *expression {
	switch e.kind {
	case bytes:
		if e.set[c/64]>>(c%64)&1 == 1 {
			return f.empty
		}
	case literal:
		if e.text[0] == c {
			return f.literal(e.text[1:])
		}
	case seq:
		after := f.pair(f.derive(e.a, c), e.b)
		if e.a.nullable {
			after = f.either(after, f.derive(e.b, c))
		}
		return after
	case either:
		parts := make([]*expression, len(e.of))
		for i, p := range e.of {
			parts[i] = f.derive(p, c)
		}
		return f.either(parts...)
	case repeat:
		first := f.step(e.a, c) // kept: what is repeated comes again with other bounds
		if first == f.nothing {
			return first
		}
		high := e.high
		if high != unbounded {
			high--
		}
		return f.pair(first, f.repeat(e.a, max(0, e.low-1), high))
	case except:
		return f.except(f.derive(e.a, c), f.derive(e.b, c))
	case rule:
		return f.derive(e.rule.is, c)
	}
	return f.nothing
}
