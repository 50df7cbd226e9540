package ops

// Cache holds the keys and values of the positions that a decoding model has read, or what other layers keep of them.
// Which sequence a row belongs to is not known here.
type Cache struct {
	rows int
	k, v []cached // by layer
}

// cached is rows of some width.
type cached struct {
	width int
	x     []float32 // (rows, width)
}

// NewCache makes a cache of rows with the widths that layers have for keys and for values.
func NewCache(rows int, keys, values []int) *Cache {
	c := &Cache{}
	for l := range keys {
		c.k, c.v = append(c.k, cached{width: keys[l]}), append(c.v, cached{width: values[l]})
	}
	c.Grow(rows)
	return c
}

// Rows returns how many rows there are.
func (c *Cache) Rows() int { return c.rows }

// Grow makes it so many rows, and keeps what it holds.
func (c *Cache) Grow(rows int) {
	c.rows = rows
	for _, layers := range [][]cached{c.k, c.v} {
		for l := range layers {
			old := layers[l].x
			layers[l].x = make([]float32, rows*layers[l].width)
			copy(layers[l].x, old)
		}
	}
}

// Move moves n rows; the old place and the new one may overlap.
func (c *Cache) Move(to, from, n int) {
	for _, layers := range [][]cached{c.k, c.v} {
		for _, l := range layers {
			copy(l.x[to*l.width:(to+n)*l.width], l.x[from*l.width:])
		}
	}
}
