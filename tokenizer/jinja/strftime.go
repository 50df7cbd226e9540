package jinja

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// timeLayouts are Go's layouts for the directives of C that chat templates use.
var timeLayouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January", 'd': "02", 'e': "_2", 'm': "01", 'y': "06",
	'Y': "2006", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM", 'z': "-0700", 'Z': "MST", 'F': "2006-01-02",
	'T': "15:04:05", 'D': "01/02/06",
}

// strftime formats a time by the directives of C.
func (c *call) strftime(t time.Time, layout string) string {
	var b strings.Builder
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' {
			b.WriteByte(layout[i])
			continue
		}
		i++
		short := i < len(layout) && layout[i] == '-' // %-d: without the leading zero
		if short {
			i++
		}
		if i >= len(layout) {
			panic(c.errorf("the format %q ends in %%", layout))
		}
		s, known := timeLayouts[layout[i]]
		switch {
		case known:
			s = t.Format(s)
		case layout[i] == 'f':
			s = fmt.Sprintf("%06d", t.Nanosecond()/1000)
		case layout[i] == 'j':
			s = fmt.Sprintf("%03d", t.YearDay())
		case layout[i] == '%':
			s = "%"
		default:
			panic(c.errorf("the directive %%%c of the format %q is not supported", layout[i], layout))
		}
		if short {
			s = cmp.Or(strings.TrimLeft(s, "0"), "0")
		}
		b.WriteString(s)
	}
	return b.String()
}
