// Package doc breaks the comments of generated functions into lines.
package doc

import "strings"

const width = 117 // bytes of a line, without the slashes

// Lines gives the lines of a comment. Where the text has line breaks they stay.
func Lines(text string) []string {
	var lines []string
	for _, paragraph := range strings.Split(text, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			if line != "" && len(line)+1+len(word) > width {
				lines = append(lines, line)
				line = ""
			}
			line = strings.TrimSpace(line + " " + word)
		}
		lines = append(lines, line)
	}
	return lines
}
