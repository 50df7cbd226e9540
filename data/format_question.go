package data

import "instruct/tokenizer/chat"

// readQuestion reads {"question", "answer"}, the columns of tables of questions.
func readQuestion(r *record) ([]chat.Message, string, error) {
	var system, question, answer string
	err := r.texts(map[string]*string{"system": &system, "question": &question, "answer": &answer})
	return dialogue(system, question, answer), "", err
}
