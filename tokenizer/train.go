package tokenizer

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"

	"instruct/tokenizer/file"
)

// TrainOptions says how TrainBPE makes a vocabulary.
type TrainOptions struct {
	VocabSize    int      // tokens in all: special tokens, 256 bytes, merges; merges stop earlier when no pair is left
	MinFrequency int      // a pair seen less often is not merged; HF's trainer has 0
	Special      []string // special tokens, which get the first ids
	// Pattern splits words: "gpt2" (also ""), "smollm2" (gpt2 with every digit on its own), "llama3" or "qwen2".
	Pattern string
}

// TrainBPE trains byte-level BPE on texts and gives the tokens, ids and merges of HF's BpeTrainer with the alphabet of
// ByteLevel: special tokens first, then the alphabet by code point, then merges by count, ties to the pair of lower
// ids.
func TrainBPE(ctx context.Context, texts iter.Seq[string], opts TrainOptions) (*Tokenizer, error) {
	known := file.Patterns()
	pre, ok := known[cmp.Or(opts.Pattern, "gpt2")]
	if !ok {
		return nil, mistake("tokenizer: train: pattern %q is not known (known: %s)",
			opts.Pattern, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	alphabet := trainAlphabet(opts.Special)
	if opts.VocabSize < len(alphabet) {
		return nil, mistake("tokenizer: train: a vocabulary of %d is too small for 256 bytes and %d special tokens",
			opts.VocabSize, len(alphabet)-256)
	}
	base, err := assemble(alphabet, nil, opts.Special, pre)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: train: %w", err)
	}
	words, counts, err := base.countWords(ctx, texts)
	if err != nil {
		return nil, err
	}
	tr := trainer{
		words: words, counts: counts, tokens: slices.Clone(base.tokens), ids: base.vocab,
		pairs: make(map[[2]int32]int64), where: make(map[[2]int32][]int32),
	}
	if err := tr.train(ctx, opts); err != nil {
		return nil, err
	}
	t, err := assemble(tr.tokens, tr.mergeTexts(), opts.Special, pre)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: train: %w", err)
	}
	return t, nil
}

// trainAlphabet is the vocabulary before any merge.
func trainAlphabet(specials []string) []string {
	var v []string
	for _, s := range specials {
		if s != "" && !slices.Contains(v, s) {
			v = append(v, s)
		}
	}
	a := newAlphabet().runes
	for _, r := range slices.Sorted(slices.Values(a[:])) {
		if !slices.Contains(v, string(r)) {
			v = append(v, string(r))
		}
	}
	return v
}

// countWords splits the texts and counts their words, given as symbols.
func (t *Tokenizer) countWords(
	ctx context.Context, texts iter.Seq[string],
) (words [][]int32, counts []int64, err error) {
	index := make(map[string]int32)
	m := t.model.(*bpe) // made by assemble
	sc := t.scratch.New().(*scratch)
	for text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, nil, fmt.Errorf("tokenizer: train: %w", err)
		}
		p := t.normalize(sc, sc.fixed.repair(text), t.normalizers)
		t.preTokenize(sc, 0, p, func(p piece) {
			word := p.s
			if i, ok := index[word]; ok {
				counts[i]++
				return
			}
			index[strings.Clone(word)] = int32(len(words))
			symbols, _ := m.symbols(sc.syms[:0], word)
			ids := make([]int32, len(symbols))
			for i, s := range symbols {
				ids[i] = s.id
			}
			words, counts, sc.syms = append(words, ids), append(counts, 1), symbols
		})
	}
	return words, counts, nil
}

// trainer is byte pair encoding at work. It does what tokenizers/src/models/bpe/trainer.rs does, in the same order, so
// that ties and the rare token that two different merges make come out the same.
type trainer struct {
	words  [][]int32
	counts []int64
	tokens []string
	ids    map[string]int32
	pairs  map[[2]int32]int64   // how often each pair occurs
	where  map[[2]int32][]int32 // the words in which pairs have appeared since the queue was last filled, ascending
	queue  candidates
	merges [][2]int32
}

// candidate is a pair that may be merged, as it was counted when it was queued.
type candidate struct {
	pair  [2]int32
	count int64
	words []int32
}

// candidates is a heap, the most frequent pair first, ties to the lower ids.
type candidates []candidate

func (c candidates) Len() int      { return len(c) }
func (c candidates) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c candidates) Less(i, j int) bool {
	if c[i].count != c[j].count {
		return c[i].count > c[j].count
	}
	if c[i].pair[0] != c[j].pair[0] {
		return c[i].pair[0] < c[j].pair[0]
	}
	return c[i].pair[1] < c[j].pair[1]
}

// Push is heap.Interface's.
func (c *candidates) Push(x any) { *c = append(*c, x.(candidate)) }

// Pop is heap.Interface's.
func (c *candidates) Pop() any {
	last := len(*c) - 1
	x := (*c)[last]
	*c = (*c)[:last]
	return x
}

// change notes that a pair occurs by times more in a word.
func (tr *trainer) change(pair [2]int32, word int32, times int64) {
	tr.pairs[pair] += times * tr.counts[word]
	if times > 0 {
		list := tr.where[pair]
		if len(list) == 0 || list[len(list)-1] != word {
			tr.where[pair] = append(list, word)
		}
	}
}

// enqueue moves the pairs noted by change into the queue.
func (tr *trainer) enqueue() {
	for pair, words := range tr.where {
		if n := tr.pairs[pair]; n > 0 {
			heap.Push(&tr.queue, candidate{pair, n, words})
		}
	}
	clear(tr.where)
}

func (tr *trainer) train(ctx context.Context, opts TrainOptions) error {
	for w, word := range tr.words {
		for i := range len(word) - 1 {
			tr.change([2]int32{word[i], word[i+1]}, int32(w), 1)
		}
	}
	tr.enqueue()
	least := int64(max(opts.MinFrequency, 1))
	for len(tr.tokens) < opts.VocabSize && len(tr.queue) > 0 {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("tokenizer: train: %w", err)
		}
		top := tr.queue[0]
		if n := tr.pairs[top.pair]; n != top.count {
			tr.queue[0].count = n
			heap.Fix(&tr.queue, 0)
			continue
		}
		if top.count < least {
			break
		}
		heap.Pop(&tr.queue)
		text := tr.tokens[top.pair[0]] + tr.tokens[top.pair[1]]
		id, ok := tr.ids[text]
		if !ok {
			if len(tr.tokens) == math.MaxInt32 {
				break
			}
			id = int32(len(tr.tokens))
			tr.tokens = append(tr.tokens, text)
			tr.ids[text] = id
		}
		tr.merges = append(tr.merges, top.pair)
		for _, w := range top.words {
			tr.merge(w, top.pair, id)
		}
		tr.enqueue()
	}
	return nil
}

// merge joins a pair in a word and notes the pairs that go and come.
func (tr *trainer) merge(w int32, pair [2]int32, id int32) {
	word := tr.words[w]
	n := 0
	for i := 0; i < len(word); i++ {
		if word[i] != pair[0] || i+1 == len(word) || word[i+1] != pair[1] {
			word[n] = word[i]
			n++
			continue
		}
		if n > 0 {
			tr.change([2]int32{word[n-1], pair[0]}, w, -1)
			tr.change([2]int32{word[n-1], id}, w, 1)
		}
		word[n] = id
		n++
		i++
		if i+1 < len(word) {
			tr.change([2]int32{pair[1], word[i+1]}, w, -1)
			tr.change([2]int32{id, word[i+1]}, w, 1)
		}
	}
	tr.words[w] = word[:n]
}

// mergeTexts gives the merges as texts, each where it last occurs.
func (tr *trainer) mergeTexts() [][2]string {
	seen := make(map[[2]int32]bool, len(tr.merges))
	out := make([][2]string, 0, len(tr.merges))
	for _, pair := range slices.Backward(tr.merges) {
		if !seen[pair] {
			seen[pair] = true
			out = append(out, [2]string{tr.tokens[pair[0]], tr.tokens[pair[1]]})
		}
	}
	slices.Reverse(out)
	return out
}
