package data

import "instruct/tokenizer/chat"

// readAlpaca reads {"instruction", "input", "output"}.
func readAlpaca(r *record, row *Row) { row.Messages = r.dialogue(r.instruction(), r.text("output")) }

// instruction is what the user says: the instruction and, where there is an input, a line end and the input.
func (r *record) instruction() string {
	instruction, input := r.text("instruction"), r.text("input")
	if input == "" {
		return instruction
	}
	return instruction + "\n" + input
}

// dialogue is one question and its answer, after a system prompt if there is one.
func (r *record) dialogue(user, assistant string) []chat.Message {
	return append(r.system(),
		chat.Message{Role: "user", Content: user}, chat.Message{Role: "assistant", Content: assistant})
}

// system is the system prompt of a key of that name, if there is one.
func (r *record) system() []chat.Message {
	if text := r.text("system"); text != "" {
		return []chat.Message{{Role: "system", Content: text}}
	}
	return nil
}
