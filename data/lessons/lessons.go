// Package lessons is the embedded default data set: short instructions with exact answers, made from a seed by this
// code and a word list of its own. They ask for the form of an answer more than for knowledge (change the case,
// repeat, spell, sort, add, answer in JSON, obey or decline as the system prompt says, change the last answer), so a
// model of a million parameters can learn them in minutes and an exact match says whether it has.
//
// Words and pairs of numbers are divided once into a training and a held-out part. A held-out instruction therefore
// speaks of words that the model has never read in any case, order or spelling: it must have learned the instruction.
package lessons

import (
	"fmt"

	"instruct/data"
	"instruct/model/kernel/rng"
	"instruct/tokenizer/chat"
)

// Options are the choices of Generate.
type Options struct {
	Seed    uint64 // another seed gives other rows over the same words
	Rows    int    // training rows
	HeldOut int    // held-out rows, the kinds in turn
}

// Default returns the options of the embedded recipe, which takes them from here.
func Default() Options { return Options{Seed: 1, Rows: 90000, HeldOut: 500} }

// copyingRows is the length of the beginning in which lessons that copy letters in order are the more frequent. The
// heads that copy form there; everything else builds on them.
const copyingRows = 6000

// echoRows is the length of the very beginning, in which all lessons are echoes.
const echoRows = 4000

// Generate makes the training rows, in the order in which they are to be learned, and the held-out rows. Row i of a
// split depends on the seed, the split and i alone.
func Generate(o Options) (train, heldOut []data.Row) {
	return generate(o.Seed, Train, o.Rows), generate(o.Seed, HeldOut, o.HeldOut)
}

func generate(seed uint64, split Split, n int) []data.Row {
	words := newVocabulary(split)
	rows := make([]data.Row, n)
	for i := range rows {
		rows[i] = row(seed, split, words, i)
	}
	return rows
}

// row makes row i of the split; its last message is the answer that counts.
func row(seed uint64, split Split, words *vocabulary, i int) data.Row {
	d := &draw{split: split, words: words, rand: rng.NewRand(seed, "lessons", uint64(split), uint64(i))}
	k := kinds[i%len(kinds)]
	if split == Train {
		k = d.kind(i)
	}
	r := data.Row{Source: fmt.Sprintf("lessons (%s):%d", split, i+1), Kind: k.name}
	for _, t := range k.make(d) {
		r.Messages = append(r.Messages, chat.Message{Role: t.role, Content: t.text})
	}
	return r
}

// kind draws the kind of training row i by the shares of the table.
func (d *draw) kind(i int) kind {
	if i < echoRows {
		return kinds[0]
	}
	copying := d.intn(copyingRows) >= i-echoRows
	total := 0
	for _, k := range kinds {
		if k.copy || !copying {
			total += k.share
		}
	}
	x := d.intn(total)
	for _, k := range kinds {
		if !k.copy && copying {
			continue
		}
		x -= k.share
		if x < 0 {
			return k
		}
	}
	panic("lessons: unreachable: the shares do not add up")
}
