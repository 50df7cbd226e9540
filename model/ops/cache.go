package ops

// Cache holds the keys and values of the positions that a decoding model has read. Which sequence a row belongs to is
// not known here.
type Cache struct {
	rows, width int
	k, v        [][]float32 // per layer (rows, width)
}

// NewCache makes a cache of rows for layers layers of width = K*D.
func NewCache(layers, rows, width int) *Cache {
	c := &Cache{width: width, k: make([][]float32, layers), v: make([][]float32, layers)}
	c.Grow(rows)
	return c
}

// Rows returns how many rows there are.
func (c *Cache) Rows() int { return c.rows }

// Grow makes it so many rows, and keeps what it holds.
func (c *Cache) Grow(rows int) {
	c.rows = rows
	for _, layers := range [][][]float32{c.k, c.v} {
		for l, old := range layers {
			layers[l] = make([]float32, rows*c.width)
			copy(layers[l], old)
		}
	}
}

// Move moves n rows; the old place and the new one may overlap.
func (c *Cache) Move(to, from, n int) {
	for _, layers := range [][][]float32{c.k, c.v} {
		for _, x := range layers {
			copy(x[to*c.width:(to+n)*c.width], x[from*c.width:])
		}
	}
}
