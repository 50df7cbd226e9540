package data

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"sort"
)

// Index knows where the rows of JSON Lines files lie, so that some of them can be read without the others. A row is a
// line that is not blank.
type Index struct {
	Rows   int
	Hashes map[string]string // sha256 of each file, by its name
	files  []indexedFile
	named  *format
	o      Options
}

// indexedFile is where some rows of a file lie: every 64th.
type indexedFile struct {
	path   string
	first  int // number of its first row, from 0
	rows   int
	places []rowPlace
}

// rowPlace is where a row begins.
type rowPlace struct {
	offset int64
	line   int // from 1
}

// placeRows is how many rows share a place.
const placeRows = 64

// NewIndex reads the files once, without looking at the rows. It is nil, without an error, for files of which single
// rows cannot be read: those of other types, packed ones, other shapes of JSON, trees, and where it takes the whole
// file to know its first rows (Most).
func NewIndex(ctx context.Context, names []string, o Options) (*Index, error) {
	x := &Index{Hashes: map[string]string{}, o: o}
	var err error
	if x.named, err = formatNamed(o.Format); err != nil {
		return nil, err
	}
	files, err := Expand(names)
	if err != nil || o.Most > 0 {
		return nil, err
	}
	for _, path := range files {
		s, err := sourceOf(path)
		if err != nil || s.extension != ".jsonl" && s.extension != ".ndjson" || !isRegular(path) {
			return nil, nil // what is wrong is said where the file is read
		}
	}
	for _, path := range files {
		f, err := x.file(ctx, path)
		if f == nil || err != nil {
			return nil, err
		}
		x.files = append(x.files, *f)
		x.Rows += f.rows
	}
	return x, nil
}

func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// file finds the rows of a file; nil: they cannot be found.
func (x *Index) file(ctx context.Context, path string) (*indexedFile, error) {
	sum := sha256.New()
	o := x.o
	o.Seen = func(part []byte) {
		sum.Write(part)
		if x.o.Seen != nil {
			x.o.Seen(part)
		}
	}
	in, err := open(path, o)
	if err != nil {
		return nil, err
	}
	defer in.close()
	f := &indexedFile{path: path, first: x.Rows}
	offset, plain := in.plainStart()
	if !plain {
		return nil, nil
	}
	for number := 1; ; number++ {
		line, err := in.line()
		if err == io.EOF && f.rows == 0 {
			return nil, nil
		}
		if err == io.EOF {
			x.Hashes[path] = hex.EncodeToString(sum.Sum(nil))
			return f, nil
		}
		if err == nil && number%1024 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("data: load %s: %w", path, err)
		}
		if len(line) == 0 || line[0] != '{' && len(bytes.TrimSpace(line)) == 0 {
			offset += int64(len(line)) + 1
			continue
		}
		if f.rows == 0 && spansLines(bytes.TrimSpace(line)) {
			return nil, nil
		}
		if f.rows%placeRows == 0 {
			f.places = append(f.places, rowPlace{offset, number})
		}
		f.rows++
		offset += int64(len(line)) + 1
	}
}

// plainStart gives where the text of a file begins; plain is false where it is not the bytes of the file.
func (in *input) plainStart() (offset int64, plain bool) {
	start := make([]byte, 6)
	n, _ := in.file.ReadAt(start, 0)
	start = start[:n]
	for _, p := range packings() {
		if bytes.HasPrefix(start, []byte(p.magic)) {
			return 0, false
		}
	}
	if bytes.HasPrefix(start, []byte("\xff\xfe")) || bytes.HasPrefix(start, []byte("\xfe\xff")) {
		return 0, false
	}
	if bytes.HasPrefix(start, []byte("\xef\xbb\xbf")) {
		return 3, true
	}
	return 0, true
}

// rowsOf reads rows by their numbers, which ascend. Each row knows its number. The error errWhole says that the file
// must be read as a whole after all.
func (x *Index) rowsOf(ctx context.Context, numbers []uint32) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for i := range x.files {
			f := &x.files[i]
			end := sort.Search(len(numbers), func(k int) bool { return int(numbers[k]) >= f.first+f.rows })
			mine := numbers[:end]
			numbers = numbers[end:]
			if len(mine) == 0 {
				continue
			}
			if err := x.read(ctx, f, mine, yield); err != nil {
				if err != errStopped {
					yield(Row{}, err)
				}
				return
			}
		}
	}
}

// errWhole says that there are rows that need the whole file.
var errWhole = errors.New("data: the file must be read as a whole")

// read gives rows of one file.
func (x *Index) read(ctx context.Context, f *indexedFile, numbers []uint32, yield func(Row, error) bool) error {
	in, err := open(f.path, x.o)
	if err != nil {
		return err
	}
	defer in.close()
	var number uint32
	g := in.newReading(x.named, func(row Row, err error) bool {
		row.number = number
		return yield(row, err)
	})
	c := rowCursor{in: in, file: f, at: -1}
	if err := g.findFormat(&c); err != nil {
		return err
	}
	for _, number = range numbers {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("data: load %s: %w", f.path, err)
		}
		r, err := c.record(int(number) - f.first)
		if err == nil {
			err = g.record(r)
		}
		if err == nil && len(g.choice.trees.nodes) > 0 {
			err = errWhole
		}
		if err != nil {
			return err
		}
	}
	if n := g.skipped.count; n > 0 {
		in.note("%d of %d rows cannot be read and are left out:%s", n, g.records, g.skipped.list())
	}
	return nil
}

// findFormat reads the first rows, up to the one whose keys decide the format of the file.
func (g *reading) findFormat(c *rowCursor) error {
	for i := 0; g.choice.named == nil && g.choice.first == nil && i < c.file.rows; i++ {
		r, err := c.record(i)
		if err != nil {
			return err
		}
		if _, err := g.rowsOf(r); err != nil && g.choice.first == nil && !g.in.options.SkipBadRows {
			return err
		}
	}
	return nil
}

// rowCursor reads rows of a file, which it need not read from its beginning.
type rowCursor struct {
	in   *input
	file *indexedFile
	at   int // row that comes next; -1: none yet
	line int // that comes next
}

// record reads row i, the fastest where it follows the one before.
func (c *rowCursor) record(i int) (*record, error) {
	if at := i / placeRows; c.at < 0 || i < c.at || at > (c.at+placeRows-1)/placeRows {
		p := c.file.places[at]
		c.in.text = bufio.NewReaderSize(io.NewSectionReader(c.in.file, p.offset, c.in.size-p.offset), readBuffer)
		c.at, c.line = at*placeRows, p.line
	}
	for {
		line, err := c.in.line()
		if err == io.EOF {
			err = mistake("data: %s was changed while it was read", c.in.path)
		}
		if err != nil {
			return nil, err
		}
		number := c.line
		c.line++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if c.at++; c.at > i {
			return c.in.jsonRecord(sourceLine(c.in.path, number), line, number, 1), nil
		}
	}
}

// Beginning encodes the first rows of the first epoch that an index and a plan give, as many as it takes to have so
// many to train on. Which rows are held out is decided as by [Encoder.Sets], of the rows that were read. order is the
// order of those to train on. Without an error, no sets say that an epoch has no more rows than are needed, or that
// the files must be read as a whole.
func (e *Encoder) Beginning(ctx context.Context, x *Index, plan PlanOptions, need int, o SetOptions,
) (train, heldOut *Set, order []int, err error) {
	s, err := e.newSets(o, true)
	if err != nil || need >= x.Rows {
		return nil, nil, nil, err
	}
	walk := ordered[uint32](x.Rows, 0, plan)
	for read := 0; s.train.Len() < need && read < len(walk) && err == nil; {
		more := float64(float64(need-s.train.Len())/(1-o.Fraction)*1.05) + placeRows
		n := min(len(walk)-read, int(more))
		var part []int
		part, err = s.readOrdered(ctx, x, walk[read:read+n])
		order = append(order, part...)
		read += n
	}
	if errors.Is(err, errWhole) || err == nil && s.train.Len() < need {
		s.train.Close()
		s.heldOut.Close()
		return nil, nil, nil, nil
	}
	train, heldOut, err = s.end(err)
	return train, heldOut, order, err
}

// readOrdered reads rows in the order of the files, and gives those to train on in the order of walk.
func (s *sets) readOrdered(ctx context.Context, x *Index, walk []uint32) (order []int, err error) {
	numbers := slices.Clone(walk)
	slices.Sort(numbers)
	type examples struct{ first, count int32 }
	found := make([]examples, len(numbers)) // by place in numbers
	at := 0
	s.placed = func(heldOut bool, row *Row) {
		for numbers[at] != row.number {
			at++
		}
		if heldOut {
			return
		}
		if found[at].count == 0 {
			found[at].first = int32(s.train.Len())
		}
		found[at].count++
	}
	if err := s.read(ctx, x.rowsOf(ctx, numbers)); err != nil {
		return nil, err
	}
	for _, number := range walk {
		at, _ := slices.BinarySearch(numbers, number)
		for k := range found[at].count {
			order = append(order, int(found[at].first+k))
		}
	}
	return order, nil
}
