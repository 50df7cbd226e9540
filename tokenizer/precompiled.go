package tokenizer

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"instruct/tokenizer/pattern"
)

// precompiled is the normalizer of a SentencePiece model: a double-array trie (Darts) of texts with their replacements,
// applied as the Rust crate spm_precompiled does, by grapheme clusters of at most five bytes and else by runes. What
// begins with an entry is replaced whole by the replacement of the shortest such entry.
type precompiled struct {
	units []uint32
	texts string          // replacements, each ended by a zero byte
	plain [128]bool       // ASCII that stands for itself when it stands alone
	marks []pattern.Range // that extend a cluster and uniseg does not know
}

// precompiled reads a precompiled_charsmap: the size of the trie in bytes, the trie, the replacements.
func (b *builder) precompiled(src string) *precompiled {
	n := &precompiled{marks: pattern.NewerMarks()}
	data, err := base64.StdEncoding.DecodeString(src)
	if err != nil {
		b.fail("tokenizer.json: precompiled_charsmap: %w", err)
		return n
	}
	if len(data) < 8 {
		b.fail("tokenizer.json: precompiled_charsmap has %d bytes, too few", len(data))
		return n
	}
	size := binary.LittleEndian.Uint32(data)
	data = data[4:]
	if size < 4 || int64(size) > int64(len(data)) {
		b.fail("tokenizer.json: precompiled_charsmap: a trie of %d bytes in %d bytes", size, len(data))
		return n
	}
	n.units, n.texts = make([]uint32, size/4), string(data[size/4*4:])
	for i := range n.units {
		n.units[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	if !utf8.ValidString(n.texts) {
		b.fail("tokenizer.json: precompiled_charsmap: the replacements are not UTF-8")
	}
	for i := range n.plain {
		_, found := n.lookup(string(rune(i)))
		n.plain[i] = !found && i != '\r'
	}
	return n
}

// lookup gives the replacement of the shortest entry that s begins with.
func (n *precompiled) lookup(s string) (string, bool) {
	at := offset(n.units[0])
	for i := range len(s) {
		c := uint32(s[i])
		at ^= c
		if c == 0 || int64(at) >= int64(len(n.units)) {
			return "", false
		}
		unit := n.units[at]
		if unit&(1<<31|0xFF) != c {
			return "", false
		}
		at ^= offset(unit)
		if unit>>8&1 == 1 {
			if int64(at) >= int64(len(n.units)) {
				return "", false
			}
			text := int64(n.units[at] & math.MaxInt32)
			if text > int64(len(n.texts)) {
				return "", false
			}
			s, _, _ := strings.Cut(n.texts[text:], "\x00")
			return s, true
		}
	}
	return "", false
}

// offset is the place of a unit's children relative to it.
func offset(unit uint32) uint32 { return unit >> 10 << (unit & (1 << 9) >> 6) }

func (n *precompiled) apply(p piece, out *buffer) piece {
	var changes []change
	modified := false
	s := p.s
	for s != "" {
		if k := n.plainPrefix(s); k > 0 {
			if !modified && k == len(p.s) {
				return p
			}
			for i := range k {
				changes = append(changes, change{r: rune(s[i])})
			}
			s = s[k:]
			continue
		}
		var cluster string
		cluster, s = n.graphemeCluster(s)
		if len(cluster) < 6 {
			if to, ok := n.lookup(cluster); ok {
				modified = true
				changes = replaceRunes(changes, utf8.RuneCountInString(cluster), to)
				continue
			}
		}
		for _, r := range cluster {
			if to, ok := n.lookup(string(r)); ok {
				modified = true
				changes = replaceRunes(changes, 1, to)
			} else {
				changes = append(changes, change{r: r})
			}
		}
	}
	if !modified {
		return p
	}
	out.reset()
	out.transform(p, 0, changes)
	return out.piece()
}

// graphemeCluster cuts the first grapheme cluster off s, by the rules of Unicode 17 as far as they concern clusters
// that begin alike: the marks that it adds to uniseg's Unicode 15 extend what a mark can extend.
func (n *precompiled) graphemeCluster(s string) (cluster, rest string) {
	cluster, rest, _, _ = uniseg.FirstGraphemeClusterInString(s, -1)
	for rest != "" {
		r, _ := utf8.DecodeRuneInString(rest)
		if r < 0x897 || !pattern.InRanges(n.marks, r) {
			break
		}
		if with, _, _, _ := uniseg.FirstGraphemeClusterInString(cluster+"\u0301", -1); with == cluster {
			break
		}
		more, _, _, _ := uniseg.FirstGraphemeClusterInString(rest, -1)
		end := len(cluster) + len(more)
		cluster, rest = s[:end], s[end:]
	}
	return cluster, rest
}

// plainPrefix gives how many bytes of s are ASCII that stands for itself and in no cluster with others.
func (n *precompiled) plainPrefix(s string) int {
	k := 0
	for k < len(s) && s[k] < utf8.RuneSelf && n.plain[s[k]] {
		k++
	}
	if k > 0 && k < len(s) && s[k] >= utf8.RuneSelf {
		k--
	}
	return k
}

// replaceRunes appends the runes of to in the place of old runes, as tokenizers/src/normalizers/precompiled.rs counts
// the changes.
func replaceRunes(changes []change, old int, to string) []change {
	added := 0
	for _, r := range to {
		changes = append(changes, change{r: r})
		added++
	}
	if added > old {
		for i := range added - old {
			changes[len(changes)-1-i].change = 1
		}
	} else if added < old && len(changes) > 0 {
		changes[len(changes)-1].change += added - old
	}
	return changes
}
