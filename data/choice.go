package data

// choice finds the format of each row of a file: the named one, or that of the first row as long as its keys say
// something, else the first format of the table whose keys do. Rows of several formats may stand in one file.
type choice struct {
	named, first *format
	trees        trees
}

// rows reads a record. Records that are messages of a tree give their rows at the end.
func (c *choice) rows(r *record) ([]Row, error) {
	f, err := c.format(r)
	if err != nil {
		return nil, err
	}
	row, err := f.row(r)
	if err != nil {
		return nil, err
	}
	if row.node != nil {
		c.trees.add(row.node)
		return nil, nil
	}
	return row.spread(), nil
}

func (c *choice) format(r *record) (*format, error) {
	switch {
	case c.named != nil:
		return c.named, nil
	case c.first != nil && c.first.fits(r):
		return c.first, nil
	}
	f := detect(r, (*format).fits)
	if f == nil && c.first != nil && c.first.has(r) {
		f = c.first // it says what is empty
	}
	if f == nil {
		f = detect(r, (*format).has)
	}
	if f == nil {
		return nil, r.errorf("no format has the keys %s; those of the known formats are %s", keyList(r.keys()), knownKeys())
	}
	if c.first == nil {
		c.first = f
	}
	return f, nil
}

// detect is the first format of the table that the record suits.
func detect(r *record, suits func(*format, *record) bool) *format {
	for _, f := range formats() {
		if suits(&f, r) {
			return &f
		}
	}
	return nil
}
