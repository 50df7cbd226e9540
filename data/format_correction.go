package data

// readCorrection reads a [Correction]: a preference row whose paraphrases are asked beside the prompt.
func readCorrection(r *record, row *Row) {
	readPreference(r, row)
	list, ok := r.values["paraphrases"].([]any)
	if v := r.values["paraphrases"]; v != nil && !ok {
		r.fail("key %q must be a list of strings, found %s", "paraphrases", jsonType(v))
	}
	for i, item := range list {
		text, ok := item.(string)
		if !ok {
			r.fail("key %q, item %d: expected a string, found %s", "paraphrases", i+1, jsonType(item))
		}
		row.paraphrases = append(row.paraphrases, text)
	}
	prompt, _ := r.values["prompt"].([]any)
	if len(prompt) == 0 {
		r.fail("key %q must be a list of messages", "prompt")
	}
}

// spread gives the row, and behind it one for each way in which its last question is asked too.
func (row Row) spread() []Row {
	rows := []Row{row}
	rows[0].paraphrases = nil
	asked := 0
	for i, m := range row.Messages {
		if m.Role == "user" {
			asked = i
		}
	}
	for _, p := range row.paraphrases {
		other := rows[0]
		other.Messages = append(paraphrased(row.Messages[:asked+1], p), row.Messages[asked+1:]...)
		rows = append(rows, other)
	}
	return rows
}
