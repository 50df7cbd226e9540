package data

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"
)

// encoded is a row with what became of it.
type encoded struct {
	row     Row
	example Example
	outcome Outcome
	err     error // of this row
	number  int   // of the row, from 0
	seen    seen
}

// seen is what a look at a row's text tells beside its tokens.
type seen struct {
	key  float64    // on which side of a split the row is
	sign *signature // nil: not wanted
}

// chunkRows is how many rows a thread takes at a time.
const chunkRows = 64

// chunk is rows on their way; done is closed when they are encoded.
type chunk struct {
	rows []encoded
	done chan struct{}
}

// stream reads rows, encodes them on the given number of threads (0: all cores) and gives them to take, in order and
// one at a time, which must not keep them; few of them are in memory at one time. It ends with the first error of rows
// or of take. What look does with a row is done on the threads too; it may be nil.
func (e *Encoder) stream(ctx context.Context, rows iter.Seq2[Row, error], threads int, look func(*encoded),
	take func(*encoded) error) error {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	todo := make(chan *chunk, 2*threads)    // what is to be encoded
	ordered := make(chan *chunk, 4*threads) // what is to be taken
	used := make(chan *chunk, 4*threads)    // whose memory is used again
	var wait sync.WaitGroup
	var readError error
	wait.Go(func() {
		defer close(ordered)
		defer close(todo)
		readError = chunks(ctx, rows, used, func(c *chunk) error {
			for _, to := range []chan *chunk{todo, ordered} {
				select {
				case to <- c:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	})
	for range threads {
		wait.Go(func() {
			var x encoding
			for c := range todo {
				for i := range c.rows {
					if ctx.Err() != nil {
						break // nobody waits for it any more
					}
					r := &c.rows[i]
					r.example, r.outcome, r.err = e.encodeRow(&r.row, &x)
					if look != nil {
						look(r)
					}
				}
				close(c.done)
			}
		})
	}
	err := takeChunks(ctx, ordered, used, take)
	stop()
	wait.Wait()
	if err != nil {
		return err
	}
	return readError
}

// newChunk is an empty chunk, one of those that were used where there is one.
func newChunk(used <-chan *chunk) *chunk {
	c := &chunk{}
	select {
	case c = <-used:
		clear(c.rows)
		c.rows = c.rows[:0]
	default:
	}
	c.done = make(chan struct{})
	return c
}

// chunks gives rows in chunks.
func chunks(ctx context.Context, rows iter.Seq2[Row, error], used <-chan *chunk, send func(*chunk) error) error {
	c := newChunk(used)
	number := 0
	for row, err := range rows {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			if sent := send(c); sent != nil { // rows before it are looked at first
				return sent
			}
			return err
		}
		c.rows = append(c.rows, encoded{row: row, number: number})
		number++
		if len(c.rows) == chunkRows {
			if err := send(c); err != nil {
				return err
			}
			c = newChunk(used)
		}
	}
	return send(c)
}

// takeChunks gives the rows of chunks on, each when it is encoded.
func takeChunks(ctx context.Context, ordered <-chan *chunk, used chan<- *chunk, take func(*encoded) error) error {
	for c := range ordered {
		<-c.done
		if err := ctx.Err(); err != nil { // not all of it may be encoded
			return fmt.Errorf("data: encode: %w", err)
		}
		for i := range c.rows {
			if err := take(&c.rows[i]); err != nil {
				return err
			}
		}
		select {
		case used <- c:
		default:
		}
	}
	return nil
}

// good gives the rows that can be read. At the end it gives one error of those that cannot; behind the first of them
// rows are only counted.
func good(rows iter.Seq2[Row, error]) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		var bad badRows
		for row, err := range rows {
			if b, ok := errors.AsType[*BadRow](err); ok {
				bad.add(b)
				continue
			}
			if err != nil {
				yield(Row{}, bad.before(err))
				return
			}
			if bad.count == 0 && !yield(row, nil) {
				return
			}
		}
		if err := bad.error(); err != nil {
			yield(Row{}, err)
		}
	}
}

// RowsOf gives rows that are in memory, as [Rows] gives those of files.
func RowsOf(rows []Row) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}
