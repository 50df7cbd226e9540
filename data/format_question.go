package data

// readQuestion reads {"question", "answer"}, the columns of tables of questions.
func readQuestion(r *record, row *Row) {
	row.Messages = r.dialogue(r.text("question"), r.text("answer"))
}
