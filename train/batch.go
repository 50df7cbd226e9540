package train

import (
	"instruct/data"
	"instruct/model"
)

// batcher builds flat micro-batches and hands them to graphs in the model's terms, without copying the tokens.
type batcher struct {
	examples []data.Example
	batch    data.Batch
	segments []model.Segment
}

func newBatcher(examples []data.Example, share bool) batcher {
	return batcher{examples: examples, batch: data.Batch{Share: share}}
}

// build makes the micro-batch of the examples that idx names.
func (b *batcher) build(idx []int) (model.Batch, *data.Batch) {
	data.BuildBatch(&b.batch, b.examples, idx)
	b.segments = b.segments[:0]
	for _, s := range b.batch.Segments {
		b.segments = append(b.segments, model.Segment(s))
	}
	return model.Batch{Tokens: b.batch.Tokens, Positions: b.batch.Positions, Targets: b.batch.Targets, Weights: b.batch.Weights, Segments: b.segments}, &b.batch
}
