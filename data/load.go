package data

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// Options say how files of rows are read.
type Options struct {
	// Format is the name of the rows' format, such as "messages" or "alpaca". Empty or "auto": found from the
	// keys of each row; that of a file's first row is kept where it fits.
	Format string
	// Columns names the column of a file that is read as a key of a format: prompt -> Customer. nil: each is its own.
	Columns map[string]string
	// SkipBadRows leaves out the rows that cannot be read, and tells Note how many.
	SkipBadRows bool
	// Note is told what the user should know of the reading, a sentence at a time; nil: nobody is.
	Note func(text string)
	// Most is how many rows of each file are given, the first ones; 0: all.
	Most int
	// Seen is told of every part of a file of text that is read, as it is on the disk; nil: nobody is.
	Seen func(part []byte)
	// Stdin is what the name - reads; nil: the standard input.
	Stdin io.Reader
}

// BadRow is the error of a row that cannot be read, while those after it can.
type BadRow struct{ error }

// Unwrap gives the reason, which names the row.
func (e *BadRow) Unwrap() error { return e.error }

// UserError reports that the mistake lies in the user's input.
func (*BadRow) UserError() bool { return true }

// Load reads the rows of the files that the paths stand for ([Expand]), in order. The type of a file follows from its
// extension (.jsonl, .json, .csv, .tsv, .parquet, .xlsx, .txt); text may be packed (.gz, .zst, .xz). The format is the
// named one or, when it is empty or "auto", found for each file from the keys of its first row; it is then required
// of every row. Errors name path:line.
func Load(ctx context.Context, paths []string, format string) ([]Row, error) {
	return LoadWith(ctx, paths, Options{Format: format})
}

// LoadWith is [Load] with all options. Rows that cannot be read are one error, which counts them and names the first.
func LoadWith(ctx context.Context, paths []string, o Options) ([]Row, error) {
	var rows []Row
	var bad badRows
	for row, err := range Rows(ctx, paths, o) {
		if b, ok := errors.AsType[*BadRow](err); ok {
			bad.add(b)
			continue
		}
		if err != nil {
			return nil, bad.before(err)
		}
		rows = append(rows, row)
	}
	if err := bad.error(); err != nil {
		return nil, err
	}
	return rows, nil
}

// Rows gives the rows of several files in order, while it reads them: no file is held in memory as a whole. After a
// [BadRow] more rows may follow, after any other error none.
func Rows(ctx context.Context, paths []string, o Options) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		named, err := formatNamed(o.Format)
		if err == nil && len(paths) == 0 {
			err = mistake("data: no data set is named")
		}
		if err == nil {
			err = checkColumns(o.Columns)
		}
		if err != nil {
			yield(Row{}, err)
			return
		}
		files, err := Expand(paths)
		if err == nil && count(files, stdin) > 1 {
			err = mistake("data: the standard input (-) can be read once only")
		}
		for part := 0; err == nil && part < len(paths); part++ {
			err = readPart(ctx, paths[part], named, o, func(row Row, err error) bool {
				row.part = part
				return yield(row, err)
			})
		}
		if err != nil && err != errStopped {
			yield(Row{}, err)
		}
	}
}

// readPart gives the rows of the files that one name stands for.
func readPart(ctx context.Context, name string, f *format, o Options, yield func(Row, error) bool) error {
	files, err := Expand([]string{name})
	for _, path := range files {
		if err == nil {
			err = readRows(ctx, path, f, o, yield)
		}
	}
	return err
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// errStopped ends the reading of a file whose rows nobody wants any more.
var errStopped = errors.New("stopped")

// readRows gives the rows of one file; f is nil when the format is to be detected.
func readRows(ctx context.Context, path string, f *format, o Options, yield func(Row, error) bool) error {
	in, err := open(path, o)
	if err != nil {
		return err
	}
	defer in.close()
	return in.rows(ctx, f, yield)
}

// rows gives the rows of an opened file.
func (in *input) rows(ctx context.Context, f *format, yield func(Row, error) bool) error {
	reading := in.newReading(f, yield)
	err := in.source.read(in, func(r *record) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("data: load %s: %w", in.path, err)
		}
		return reading.record(r)
	})
	if err == errEnough {
		return reading.noteSkipped()
	}
	if err != nil {
		return err
	}
	return reading.end()
}

// errEnough ends the reading of a file of which no more rows are wanted.
var errEnough = errors.New("enough")

func (in *input) newReading(f *format, yield func(Row, error) bool) *reading {
	return &reading{in: in, choice: choice{named: f}, columns: newColumnMap(in.options.Columns), yield: yield}
}

// reading is a file whose records become rows.
type reading struct {
	in      *input
	choice  choice
	columns *columnMap
	yield   func(Row, error) bool
	records int
	rows    int // given
	skipped badRows
}

// record gives the rows of a record on.
func (g *reading) record(r *record) error {
	g.records++
	rows, err := g.rowsOf(r)
	if err != nil && g.in.options.SkipBadRows {
		g.skipped.add(err)
		return nil
	}
	if _, ok := errors.AsType[*BadRow](err); err != nil && !ok {
		return err
	}
	if err != nil {
		return goOn(g.yield(Row{}, err))
	}
	return g.give(rows)
}

// give gives rows on, as many as are wanted.
func (g *reading) give(rows []Row) error {
	for _, row := range rows {
		if g.rows++; !g.yield(row, nil) {
			return errStopped
		}
		if g.rows == g.in.options.Most {
			return errEnough
		}
	}
	return nil
}

func goOn(wanted bool) error {
	if wanted {
		return nil
	}
	return errStopped
}

// rowsOf makes rows of a record. The error is a [BadRow], except where no format is known yet.
func (g *reading) rowsOf(r *record) ([]Row, error) {
	if r.values == nil {
		r.fail("expected an object, found null") // where it is not an error already
	}
	if r.err != nil {
		return nil, &BadRow{r.err}
	}
	g.columns.rename(r)
	known := g.choice.named != nil || g.choice.first != nil
	rows, err := g.choice.rows(r)
	switch {
	case err == nil:
		return rows, nil
	case known || g.choice.first != nil:
		return nil, &BadRow{err}
	}
	return nil, cmp.Or(g.columns.missing(g.in.path), err)
}

// end looks back on the whole file.
func (g *reading) end() error {
	if g.records == 0 {
		return mistake("data: %s has no rows", g.in.path)
	}
	if err := g.noteSkipped(); err != nil {
		return err
	}
	trees, err := g.choice.trees.rows()
	if err == nil {
		err = g.give(trees)
	}
	if err == errEnough {
		return nil
	}
	return cmp.Or(err, g.columns.missing(g.in.path))
}

// noteSkipped says how many rows were left out. It is a mistake when those are all.
func (g *reading) noteSkipped() error {
	switch n := g.skipped.count; {
	case n > 0 && n == g.records:
		return mistake("data: %s has no row that can be read:%s", g.in.path, g.skipped.list())
	case n > 0:
		g.in.note("%d of %d rows cannot be read and are left out:%s", n, g.records, g.skipped.list())
	}
	return nil
}

// badRows are the rows that could not be read: how many, and the first of them.
type badRows struct {
	count int
	first []error
}

// shownBadRows is how many are named.
const shownBadRows = 10

func (b *badRows) add(err error) {
	b.count++
	if len(b.first) < shownBadRows {
		b.first = append(b.first, err)
	}
}

// error is one message of all; nil without any.
func (b *badRows) error() error {
	switch b.count {
	case 0:
		return nil
	case 1:
		return b.first[0]
	}
	return mistake("data: %d rows cannot be read; skip_bad_rows leaves them out:%s", b.count, b.list())
}

// before is the error that ended the reading after these rows.
func (b *badRows) before(err error) error {
	if b.count == 0 {
		return err
	}
	return mistake("%w\nbefore it, %d rows cannot be read:%s", err, b.count, b.list())
}

// list is a line for each row that is named.
func (b *badRows) list() string {
	var text strings.Builder
	for _, err := range b.first {
		fmt.Fprintf(&text, "\n  %s", strings.TrimPrefix(err.Error(), "data: "))
	}
	if more := b.count - len(b.first); more > 0 {
		fmt.Fprintf(&text, "\n  and %d more", more)
	}
	return text.String()
}

func sourceLine(path string, line int) string { return fmt.Sprintf("%s:%d", path, line) }
