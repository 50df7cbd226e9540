package train

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"instruct/data"
	"instruct/model/kernel"
)

// Losses measures the summed losses of rows, set by set. Two micro-batches run side by side, each in a lane with half
// of the threads: threads that share a micro-batch wait for each other at the end of every kernel, lanes only at the
// end of a pass.
type Losses struct {
	examples *data.Store
	sets     [][][]int // the micro-batches of each set
	lanes    []*lane
}

// lane is a graph with threads of its own.
type lane struct {
	feed
	pool  *kernel.Pool
	batch data.Batch
}

// lossPositions is how many positions a micro-batch of [Losses] has at most, unless a row has more.
const lossPositions = 2048

// NewLosses makes the graphs for some sets of rows, which are measured in the order that takes the least: rows that
// begin alike together. The caller closes it.
func (p *Past) NewLosses(sets [][]int) (*Losses, error) {
	l := &Losses{examples: &p.rows.train.Store}
	most, threads := 1, p.Pool.Threads()
	for _, rows := range sets {
		batches, positions, err := l.examples.Group(rows, lossPositions)
		if err != nil {
			return nil, err
		}
		most = max(most, positions)
		if threads > 1 {
			batches = halves(batches)
		}
		l.sets = append(l.sets, batches)
	}
	for _, n := range []int{(threads + 1) / 2, threads / 2} {
		if n == 0 {
			break
		}
		a := &lane{pool: kernel.NewPool(n), batch: data.Batch{Nested: true}}
		l.lanes = append(l.lanes, a)
		g, err := p.Model.NewEvaluation(a.pool, most, nil)
		if err != nil {
			l.Close()
			return nil, err
		}
		a.feed = feed{graph: g, objective: MaskedMean{}}
	}
	return l, nil
}

// halves divides the last two micro-batches, so that at the end of a pass no lane waits long for the other.
func halves(batches [][]int) [][]int {
	whole := max(0, len(batches)-2)
	out := slices.Clone(batches[:whole])
	for _, rows := range batches[whole:] {
		if half := len(rows) / 2; half > 0 {
			out = append(out, rows[:half])
			rows = rows[half:]
		}
		out = append(out, rows)
	}
	return out
}

// Close gives the memory of the graphs back.
func (l *Losses) Close() {
	for _, a := range l.lanes {
		if a.graph != nil {
			a.graph.Close()
		}
		a.pool.Close()
	}
}

// Batches is the number of micro-batches of all sets, after each of which seen is called.
func (l *Losses) Batches() (n int) {
	for _, batches := range l.sets {
		n += len(batches)
	}
	return n
}

// Measure gives the summed loss, in nats, of each row's trained tokens under the model's weights; 0 of a row that is
// withheld, or not of the set.
func (l *Losses) Measure(ctx context.Context, set int, seen func()) ([]float64, error) {
	losses, failed, batches := make([]float64, l.examples.Len()), make([]error, len(l.lanes)), l.sets[set]
	var (
		next    atomic.Int64
		running sync.WaitGroup
		counts  sync.Mutex // of seen
	)
	for k, a := range l.lanes {
		running.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(batches)); i = next.Add(1) - 1 {
				err := ctx.Err()
				if err == nil {
					err = a.measure(l.examples, batches[i], losses)
				}
				if err != nil {
					failed[k] = err
					next.Store(int64(len(batches))) // for all
					return
				}
				counts.Lock()
				seen()
				counts.Unlock()
			}
		})
	}
	running.Wait()
	return losses, cmp.Or(failed...)
}

// measure sets the losses of the rows of a micro-batch.
func (a *lane) measure(examples *data.Store, rows []int, losses []float64) error {
	if err := examples.Batch(&a.batch, rows); err != nil {
		return err
	}
	if _, _, err := a.run(&a.batch); err != nil || a.batch.TrainedTokens == 0 {
		return err
	}
	for row, loss := range rowLosses(&a.batch, a.graph.Logprobs()) {
		if !finite(loss) {
			return fmt.Errorf("explain: the loss of %s is %v", sources(examples, []int{row}), loss)
		}
		losses[row] = loss
	}
	return nil
}
