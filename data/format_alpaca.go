package data

import "instruct/tokenizer/chat"

// readAlpaca reads {"instruction", "input", "output"}: the user says the instruction and, where there is an input,
// a line end and the input.
func readAlpaca(r *record) ([]chat.Message, string, error) {
	var system, instruction, input, output string
	err := r.texts(map[string]*string{"system": &system, "instruction": &instruction, "input": &input, "output": &output})
	return dialogue(system, withInput(instruction, input), output), "", err
}

// withInput puts instruction and input together.
func withInput(instruction, input string) string {
	if input == "" {
		return instruction
	}
	return instruction + "\n" + input
}

// dialogue is one question and its answer, after a system prompt if there is one.
func dialogue(system, user, assistant string) []chat.Message {
	return append(systemMessages(system),
		chat.Message{Role: "user", Content: user}, chat.Message{Role: "assistant", Content: assistant})
}

func systemMessages(system string) []chat.Message {
	if system == "" {
		return nil
	}
	return []chat.Message{{Role: "system", Content: system}}
}
