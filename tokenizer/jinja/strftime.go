package jinja

import (
	"fmt"
	"strings"
	"time"
)

// strftime formats a time by the directives of C that chat templates use.
func strftime(t time.Time, layout string) (string, error) {
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
			return "", fmt.Errorf("the format %q ends in %%", layout)
		}
		s := ""
		switch layout[i] {
		case 'a':
			s = t.Format("Mon")
		case 'A':
			s = t.Format("Monday")
		case 'b', 'h':
			s = t.Format("Jan")
		case 'B':
			s = t.Format("January")
		case 'd':
			s = t.Format("02")
		case 'e':
			s = t.Format("_2")
		case 'm':
			s = t.Format("01")
		case 'y':
			s = t.Format("06")
		case 'Y':
			s = t.Format("2006")
		case 'H':
			s = t.Format("15")
		case 'I':
			s = t.Format("03")
		case 'M':
			s = t.Format("04")
		case 'S':
			s = t.Format("05")
		case 'f':
			s = fmt.Sprintf("%06d", t.Nanosecond()/1000)
		case 'p':
			s = t.Format("PM")
		case 'j':
			s = fmt.Sprintf("%03d", t.YearDay())
		case 'z':
			s = t.Format("-0700")
		case 'Z':
			s = t.Format("MST")
		case 'F':
			s = t.Format("2006-01-02")
		case 'T':
			s = t.Format("15:04:05")
		case 'D':
			s = t.Format("01/02/06")
		case '%':
			s = "%"
		default:
			return "", fmt.Errorf("the directive %%%c of the format %q is not supported", layout[i], layout)
		}
		if short {
			s = strings.TrimLeft(s, "0")
			if s == "" {
				s = "0"
			}
		}
		b.WriteString(s)
	}
	return b.String(), nil
}
