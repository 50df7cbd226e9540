package data

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkLoad reads the same rows from a file of each type; the bytes are those of the file.
func BenchmarkLoad(b *testing.B) {
	const rows = 100_000
	for _, c := range []struct{ name, start, row, separator, end string }{
		{"r.jsonl", "", `{"instruction":"%d: %s","input":"","output":"%[2]s"}`, "\n", "\n"},
		{"messages.jsonl", "",
			`{"messages":[{"role":"user","content":"%d: %s"},{"role":"assistant","content":"%[2]s"}]}`, "\n", "\n"},
		{"r.json", "[", `{"instruction":"%d: %s","input":"","output":"%[2]s"}`, ",\n", "]"},
		{"r.csv", "instruction,input,output\n", `"%d: %s",,"%[2]s"`, "\n", "\n"},
		{"r.tsv", "instruction\tinput\toutput\n", "%d: %s\t\t%[2]s", "\n", "\n"},
	} {
		var text strings.Builder
		text.WriteString(c.start)
		for i := range rows {
			if i > 0 {
				text.WriteString(c.separator)
			}
			fmt.Fprintf(&text, c.row, i, strings.Repeat("a cat sat on a mat, and it was happy. ", 6))
		}
		text.WriteString(c.end)
		path := write(b, c.name, text.String())
		b.Run("file="+c.name, func(b *testing.B) {
			b.SetBytes(int64(text.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if n := len(load(b, path)); n != rows {
					b.Fatal(n)
				}
			}
		})
	}
}
