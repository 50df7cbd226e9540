package data

// systems counts the system prompts of rows.
type systems struct {
	rows   int
	counts map[string]int
}

// mostSystems is how many prompts are counted, the first ones: one that begins nearly all rows is among them.
const mostSystems = 1000

func (c *systems) add(row *Row) {
	c.rows++
	if len(row.Messages) == 0 || row.Messages[0].Role != "system" {
		return
	}
	text := row.Messages[0].Content
	n, ok := c.counts[text]
	if !ok && len(c.counts) == mostSystems {
		return
	}
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[text] = n + 1
}

// common is the system prompt of at least 19 of 20 rows; "" where there is none.
func (c *systems) common() string {
	for text, n := range c.counts {
		if 20*n >= 19*c.rows {
			return text
		}
	}
	return ""
}
