package data

// Example is one encoded row.
type Example struct {
	// IDs are the token ids of the whole row, T of them.
	IDs []int32
	// Mask[i] says that token i is trained as a target. Mask[0] is always false: nothing stands before it.
	Mask []bool
	// Straddling are the indices of the tokens that lie across the border of a trained span. They are trained.
	Straddling []int
	// Row is the index of the row in the list given to EncodeAll.
	Row int
	// Source and Kind are those of the row.
	Source, Kind string
	// Withheld says that nothing of the example is trained, while it keeps its slot in the order and in its batch: a row
	// that drop_rows names. The mask stays what would be trained.
	Withheld bool
}

// Inputs is the number of positions that the example takes in a batch: every token before its last trained one.
func (e *Example) Inputs() int {
	for i := len(e.Mask) - 1; i > 0; i-- {
		if e.Mask[i] {
			return i
		}
	}
	return 0
}

// Trained is the number of trained tokens.
func (e *Example) Trained() int {
	n := 0
	for i := 1; i < len(e.Mask); i++ {
		if e.Mask[i] {
			n++
		}
	}
	return n
}

// Lengths gives Inputs of every example, which is what NewPlan takes.
func Lengths(examples []Example) []int32 {
	lengths := make([]int32, len(examples))
	for i := range examples {
		lengths[i] = int32(examples[i].Inputs())
	}
	return lengths
}

// Members appends to dst the indices of the examples of groups, of which each has so many.
func Members(dst, groups []int, size int) []int {
	for _, g := range groups {
		for i := range size {
			dst = append(dst, g*size+i)
		}
	}
	return dst
}

// Segment is one row inside a flat batch. Positions [Start,End) attend causally to themselves and to all of
// [PrefixStart,PrefixEnd), a prefix shared with other rows, which is empty (0,0) where nothing is shared. The prefix is
// a segment before this one, and may have a prefix of its own, up to maxPrefixes.
type Segment struct{ PrefixStart, PrefixEnd, Start, End int }

// Soft are, for each of N positions, K tokens with probabilities that sum to 1, or to 0 where the target counts.
type Soft struct {
	K     int
	IDs   []int32   // (N, K)
	Probs []float32 // (N, K)
}

// Batch is a flat micro-batch of N positions: whole rows one after the other, no padding.
type Batch struct {
	// Tokens (N) are the inputs.
	Tokens []int32
	// Positions (N) restart at 0 in every segment.
	Positions []int32
	// Targets (N) are the next token of the same row.
	Targets []int32
	// Weights (N) are 1 where the target is trained, promptWeight where it is of a prompt that is wanted too, and 0
	// elsewhere.
	Weights []float32
	// Soft are distributions in the place of targets. BuildBatch makes none.
	Soft Soft
	// Hidden (N, C) are what the layers below gave, for a graph of those above. BuildBatch makes none.
	Hidden []float32
	// Segments are the bounds of the rows.
	Segments []Segment
	// Rows are the indices of the examples, one a segment; -1 for the segment of a shared prefix.
	Rows []int
	// TrainedTokens is the number of positions of weight 1.
	TrainedTokens int
	// WithheldTokens is the number of positions that would have weight 1 and have 0, as their examples are withheld.
	WithheldTokens int
	// RowTokens is the number of positions that the rows have together, shared ones counted for each row.
	RowTokens int
	// Share says that BuildBatch lets rows share the prefix that they have in common. It stands in the batch once, as
	// a segment before theirs, and every row's segment names it.
	Share bool
	// Group says that so many rows at a time share their prefix: the answers to one prompt. What all rows of the batch
	// have in common stands once before the prefixes. 0: all rows together.
	Group int
	// Nested says that neighbours, in groups of any number, share what they have in common, and those of a group that have
	// more in common share that, and so on. Rows that begin alike then stand side by side, see [Group].
	Nested bool
	// Prompts says that the log-probabilities of the prompt are wanted of the first row of each group: of the tokens
	// before its first trained one, but for the very first.
	Prompts bool
}

// promptWeight marks the positions that predict the tokens of a prompt, see [Batch].Prompts. What they count is up to
// who asked for them.
const promptWeight = 2

// OfPrompt tells whether position i predicts a token of a prompt that is wanted.
func (b *Batch) OfPrompt(i int) bool { return b.Weights[i] == promptWeight }

// BuildBatch fills dst with the examples that idx names, in that order, reusing dst's memory.
//
// The shift by one happens here and nowhere else: position i holds token i and predicts token i+1. Positions from a
// row's last trained token on predict nothing that is trained, and are not put in. An example without trained tokens
// gives no segment.
func BuildBatch(dst *Batch, examples []Example, idx []int) {
	*dst = Batch{
		Tokens: dst.Tokens[:0], Positions: dst.Positions[:0], Targets: dst.Targets[:0], Weights: dst.Weights[:0],
		Segments: dst.Segments[:0], Rows: dst.Rows[:0], Share: dst.Share, Group: dst.Group, Nested: dst.Nested,
		Prompts: dst.Prompts,
	}
	if dst.Nested {
		dst.nest(examples, idx, Segment{}, 0)
		return
	}
	var root Segment // what all rows have in common, where they are more than a group
	if dst.Share && dst.rooted(len(idx)) {
		root = dst.prefix(examples, idx, Segment{})
	}
	for len(idx) > 0 {
		n := dst.next(len(idx))
		dst.group(examples, idx[:n], root)
		idx = idx[n:]
	}
}

// rooted tells whether so many rows are more than a group, and may have a prefix that all groups share.
func (b *Batch) rooted(rows int) bool { return !b.Prompts && b.Group > 0 && rows > b.Group }

// next is the number of rows of a group, of those that are left.
func (b *Batch) next(left int) int {
	if b.Group > 0 {
		return min(b.Group, left)
	}
	return left
}

// shortest is the length from which on it is worth sharing what comes behind a prefix of n positions.
func (b *Batch) shortest(n int) int {
	if b.Nested && n > 0 {
		return minNested
	}
	return minShared
}

// prefix adds what the examples have in common behind outer, which they have in common too, and returns the segment of
// it, or outer where there is nothing that is worth sharing.
func (b *Batch) prefix(examples []Example, idx []int, outer Segment) Segment {
	from := b.length(outer)
	n, first := sharedPrefix(examples, idx)
	if n < from+b.shortest(from) {
		return outer
	}
	s := Segment{PrefixStart: outer.Start, PrefixEnd: outer.End, Start: len(b.Tokens), End: len(b.Tokens) + n - from}
	b.append(&examples[first], from, n, b.Prompts)
	b.Segments = append(b.Segments, s)
	b.Rows = append(b.Rows, -1)
	return s
}

// length is how many positions a row has up to the end of a prefix.
func (b *Batch) length(prefix Segment) int {
	if prefix.End == 0 {
		return 0
	}
	return int(b.Positions[prefix.End-1]) + 1
}

// group adds examples that may share more of their beginning than root.
func (b *Batch) group(examples []Example, idx []int, root Segment) {
	prompt := b.Prompts // of the example at hand is wanted
	prefix := root
	if b.Share {
		prefix = b.prefix(examples, idx, root)
	}
	for _, i := range idx {
		b.row(examples, i, prefix, prompt)
		prompt = prompt && examples[i].Inputs() == 0
	}
}

// row adds what an example has behind a prefix; with prompt that of its prompt is wanted.
func (b *Batch) row(examples []Example, i int, prefix Segment, prompt bool) {
	example := &examples[i]
	n := example.Inputs()
	if n == 0 {
		return
	}
	row := Segment{PrefixStart: prefix.Start, PrefixEnd: prefix.End, Start: len(b.Tokens)}
	b.append(example, b.length(prefix), n, prompt)
	row.End = len(b.Tokens)
	b.Segments = append(b.Segments, row)
	b.Rows = append(b.Rows, i)
	b.RowTokens += n
}

// append adds the positions [from,to) of an example; with prompt those before its first trained token are wanted.
func (b *Batch) append(example *Example, from, to int, prompt bool) {
	b.Tokens = append(b.Tokens, example.IDs[from:to]...)
	b.Targets = append(b.Targets, example.IDs[from+1:to+1]...)
	for i := from; i < to; i++ {
		b.Positions = append(b.Positions, int32(i))
		weight := float32(0)
		switch {
		case example.Mask[i+1] && example.Withheld:
			b.WithheldTokens++
		case example.Mask[i+1]:
			weight = 1
			prompt = false
			b.TrainedTokens++
		case prompt:
			weight = promptWeight
		}
		b.Weights = append(b.Weights, weight)
	}
}

// The shortest prefix worth sharing, in tokens, and what is worth sharing behind one where nothing hangs on the order
// of the sums of gradients.
const (
	minShared = 8
	minNested = 2
)

// sharedPrefix returns how many tokens all the examples have in common at their beginning, none of whose positions
// predicts a trained token, and an example that has them. It is 0 for fewer than two examples and where sharing is not
// worth its trouble.
func sharedPrefix(examples []Example, idx []int) (n, first int) {
	segments := 0
	for _, i := range idx {
		e := &examples[i]
		if e.Inputs() == 0 {
			continue
		}
		if segments == 0 {
			first = i
			n = len(e.IDs)
		}
		segments++
		n = min(n, e.Untrained(), commonLength(e.IDs, examples[first].IDs))
	}
	if segments < 2 || n < minShared {
		return 0, first
	}
	return n, first
}

// Shared returns how many positions sharing prefixes saves in a micro-batch of the examples, or would if it did. Of b
// Group, Nested and Prompts say what is shared.
func (b *Batch) Shared(examples []Example, idx []int) int {
	if b.Nested {
		return b.nested(examples, idx, 0, 0)
	}
	saved, root := 0, 0
	if b.rooted(len(idx)) {
		root, _ = sharedPrefix(examples, idx)
	}
	for at := 0; len(idx) > 0; at++ {
		if at > 0 {
			saved += root // the first group has it
		}
		n := b.next(len(idx))
		shared, _ := sharedPrefix(examples, idx[:n])
		if shared < root+b.shortest(root) {
			shared = root
		}
		saved += shared * (n - 1)
		idx = idx[n:]
	}
	return saved
}
