package data

import "instruct/tokenizer/chat"

// readPreference reads {"prompt", "chosen", "rejected"} as prompt and chosen answer, for supervised tuning. In the
// place of the prompt may stand an instruction with its input; chosen may be a list of messages, with the prompt
// inside it where there is no other.
func readPreference(r *record) ([]chat.Message, string, error) {
	var system, instruction, input string
	if err := r.texts(map[string]*string{"system": &system, "instruction": &instruction, "input": &input}); err != nil {
		return nil, "", err
	}
	messages := systemMessages(system)
	_, hasPrompt := r.values["prompt"]
	_, hasInstruction := r.values["instruction"]
	if _, err := r.turns("rejected", "assistant"); err != nil {
		return nil, "", err
	}
	chosen, err := r.turns("chosen", "assistant")
	switch {
	case err != nil:
		return nil, "", err
	case hasPrompt:
		prompt, err := r.turns("prompt", "user")
		if err != nil {
			return nil, "", err
		}
		messages = append(messages, contextOnly(prompt)...)
	case hasInstruction:
		messages = append(messages, chat.Message{Role: "user", Content: withInput(instruction, input)})
	case len(chosen) < 2:
		return nil, "", r.errorf("a preference row needs a prompt: the key \"prompt\" or \"instruction\", " +
			"or chosen and rejected as whole conversations")
	default:
		// Only the last answer is what was chosen.
		contextOnly(chosen[:len(chosen)-1])
	}
	return append(messages, chosen...), "", nil
}
