package data

import "strings"

// readText reads {"text"}: a plain text of which everything is trained.
func readText(r *record, row *Row) {
	row.Text = r.text("text")
	if strings.TrimSpace(row.Text) == "" {
		r.fail("the text is empty: remove the row")
	}
}
