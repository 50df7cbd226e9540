package data

// CommonSystem is the system prompt of at least 19 of 20 conversations among the rows; "" where there is none.
func CommonSystem(rows []Row) string {
	counts := map[string]int{}
	for _, row := range rows {
		if len(row.Messages) > 0 && row.Messages[0].Role == "system" {
			counts[row.Messages[0].Content]++
		}
	}
	for text, n := range counts {
		if 20*n >= 19*len(rows) {
			return text
		}
	}
	return ""
}
