package pattern

import (
	"slices"
	"strconv"
	"strings"
)

// Range is a range of code points, both ends included.
type Range struct{ lo, hi rune }

// ranges reads a table: code points and ranges of them, such as "7fd 898-89f".
func ranges(table string) (list []Range) {
	for item := range strings.FieldsSeq(table) {
		first, last, isRange := strings.Cut(item, "-")
		if !isRange {
			last = first
		}
		lo, _ := strconv.ParseInt(first, 16, 32)
		hi, _ := strconv.ParseInt(last, 16, 32)
		list = append(list, Range{rune(lo), rune(hi)})
	}
	return list
}

// InRanges reports whether r is in one of the ranges, which are ascending.
func InRanges(ranges []Range, r rune) bool {
	_, ok := slices.BinarySearchFunc(ranges, r, func(c Range, r rune) int {
		switch {
		case c.hi < r:
			return -1
		case c.lo > r:
			return 1
		}
		return 0
	})
	return ok
}

// punctuationChanges are the code points beyond ASCII on which Go's Unicode 15 and the older tables of the Rust crate
// unicode_categories, which the Punctuation pre-tokenizer goes by, do not agree.
func punctuationChanges() []Range {
	return ranges("61d 9fd a76 c77 c84 166d 1b7d-1b7e 2e43-2e4f 2e52-2e5d 10ead 10f55-10f59 10f86-10f89 111c9 " +
		"1144b-1144f 1145a-1145b 1145d 11660-1166c 116b9 1183b 11944-11946 119e2 11a3f-11a46 11a9a-11a9c 11a9e-11aa2 " +
		"11b00-11b09 11c41-11c45 11c70-11c71 11ef7-11ef8 11f43-11f4f 11fff 12ff1-12ff2 16e97-16e9a 16fe2 1e95e-1e95f")
}

// MarkChanges are the code points on which Go's Unicode 15 and the Rust crate unicode-normalization-alignments, which
// the normalizers go by, do not agree about combining marks.
func MarkChanges() []Range {
	return ranges("7fd 898-89f 8ca-8d3 9fe afa-aff b55 c04 c3c cf3 d00 d3b-d3c d81 eba ece 1715 180f 1abf-1ace " +
		"1cf2-1cf3 1cf7 1df6-1dfa a82c a8ff 10d24-10d27 10eab-10eac 10efd-10eff 10f46-10f50 10f82-10f85 11070 11073-11074 " +
		"110c2 11145-11146 111c9 111ce-111cf 11241 1133b 1145e 1182c-1183a 11930-11935 11937-11938 1193b-1193e 11940 " +
		"11942-11943 119d1-119d7 119da-119e0 119e4 11a01-11a0a 11a33-11a39 11a3b-11a3e 11a47 11a51-11a5b 11a8a-11a99 " +
		"11d31-11d36 11d3a 11d3c-11d3d 11d3f-11d45 11d47 11d8a-11d8e 11d90-11d91 11d93-11d97 11ef3-11ef6 11f00-11f01 " +
		"11f03 11f34-11f3a 11f3e-11f42 13440 13447-13455 16f4f 16f7f-16f87 16fe4 16ff0-16ff1 1cf00-1cf2d 1cf30-1cf46 " +
		"1e08f 1e130-1e136 1e2ae 1e2ec-1e2ef 1e4ec-1e4ef")
}

// Undecomposed are the code points that Go's Unicode 15 decomposes, canonically or for compatibility, and the tables of
// unicode-normalization-alignments do not.
func Undecomposed() []Range {
	return ranges("32ff a7f2-a7f4 ab69 10781-107ba 11938 1e030-1e06d 1f16c 1fbf0-1fbf9")
}
