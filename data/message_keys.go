package data

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"instruct/tokenizer/chat"
)

// messageKey says what becomes of a key of a message. Of several that are read into the same place the first that says
// something counts. A key that is not in the table, or does not count, is counted as ignored.
type messageKey struct {
	name  string
	place string                                               // keys of one place stand for each other
	read  func(m *messageReader, key string, to *chat.Message) // nil: it was read before the others
}

// trainPlace is the place of keys that say whether the turn is trained; all of them have to agree.
const trainPlace = "train"

// messageKeys is the table of them; those of one place stand together.
var messageKeys = sync.OnceValue(func() []messageKey {
	const train = trainPlace
	return []messageKey{
		{"role", "role", nil}, {"from", "role", nil},
		{"content", "content", readContent}, {"value", "content", readContent}, {"text", "content", readContent},
		{"reasoning_content", "reasoning", readReasoning}, {"thinking", "reasoning", readReasoning},
		{"reasoning", "reasoning", readReasoning},
		{"name", "name", func(m *messageReader, key string, to *chat.Message) { to.Name = m.text(key) }},
		{"tool_call_id", "id", func(m *messageReader, key string, to *chat.Message) { to.ToolCallID = m.text(key) }},
		{"tool_calls", "calls", readToolCalls}, {"function_call", "calls", readFunctionCall},
		// Whether the turn is trained, as this program, axolotl, ms-swift and others write it.
		{"train", train, readFlag}, {"trainable", train, readFlag}, {"training", train, readFlag},
		{"train_on_turn", train, readFlag}, {"loss", train, readFlag}, {"loss_mask", train, readWeight},
		{"weight", train, readWeight}, {"loss_weight", train, readWeight},
		// To read past these would train what was not meant, or on an answer to what is not there.
		{"mask", "", refuse(`"mask" says in some data what is trained and in other data what is not: ` +
			`write "train": true or false`)},
		{"train_detail", "", refuse("parts of a turn cannot be left untrained: cut the text, or divide the turn")},
		{"image", "", noText}, {"images", "", noText}, {"audio", "", noText}, {"audios", "", noText},
		{"video", "", noText}, {"videos", "", noText},
	}
})

// messageReader reads one message of the list under a key; the record keeps its first error.
type messageReader struct {
	*record
	key    string
	index  int
	object map[string]any
}

func (m *messageReader) fail(format string, args ...any) {
	m.record.fail("key %q, message %d: %s", m.key, m.index+1, fmt.Sprintf(format, args...))
}

// text reads a string.
func (m *messageReader) text(key string) string {
	text, ok := m.object[key].(string)
	if v := m.object[key]; v != nil && !ok {
		m.fail("key %q must be a string, found %s", key, jsonType(v))
	}
	return text
}

// isPair says that the object is a question with its answer.
func (m *messageReader) isPair() bool {
	return nothing(m.object["role"]) && nothing(m.object["from"]) &&
		!nothing(m.object["input"]) && !nothing(m.object["output"])
}

func (m *messageReader) message() (out chat.Message) {
	calling := m.role(&out)
	var room [8]int
	known, others := m.keys(room[:0])
	place := ""
	for _, i := range known {
		k := &messageKeys()[i]
		switch again := k.place != "" && k.place == place; {
		case again && k.place != trainPlace:
			others = append(others, k.name)
			continue
		case again && out.Train != nil:
			flag := *out.Train
			k.read(m, k.name, &out)
			if *out.Train != flag {
				m.fail("key %q says otherwise than another key of the message", k.name)
			}
		case k.read != nil:
			k.read(m, k.name, &out)
		}
		place = k.place
	}
	if calling {
		m.callsInText(&out)
	}
	slices.Sort(others)
	for _, key := range others {
		m.ignore(m.key + "." + key)
	}
	return out
}

// messageKeyIndex finds keys in the table.
var messageKeyIndex = sync.OnceValue(func() map[string]int {
	index := map[string]int{}
	for i, k := range messageKeys() {
		index[k.name] = i
	}
	return index
})

// keys are those of the message that say something: the places in the table of those that are in it, in its order, and
// the others. known is in room where it fits.
func (m *messageReader) keys(room []int) (known []int, others []string) {
	known = room
	for key, v := range m.object {
		if nothing(v) {
			continue
		}
		if i, ok := messageKeyIndex()[key]; ok {
			known = append(known, i)
		} else {
			others = append(others, key)
		}
	}
	slices.Sort(known)
	return known, others
}

// ignore counts a key of messages as ignored, once a row.
func (m *messageReader) ignore(key string) {
	if !slices.Contains(m.ignored, key) {
		m.ignored = append(m.ignored, key)
	}
}

// roles translates the role of a message: those of chat templates and, in small letters, what other data call them. The
// role call is an assistant's whose text is the JSON of calls.
var roles = map[string]string{
	"system": "system", "developer": "developer", "user": "user", "assistant": "assistant", "tool": "tool",
	"human": "user", "gpt": "assistant", "observation": "tool", // ShareGPT
	"prompter": "user", "chatgpt": "assistant", "bing": "assistant", "bard": "assistant", "bot": "assistant",
	"chatbot": "assistant", "model": "assistant", "ai": "assistant",
	"function": "tool", "function_response": "tool", "tool_response": "tool", "ipython": "tool",
	"function_call": "call", "tool_call": "call",
}

// role reads the role, and tells whether the text is a call.
func (m *messageReader) role(out *chat.Message) (calling bool) {
	key := "role"
	if !nothing(m.object["from"]) {
		key = "from"
	}
	if nothing(m.object[key]) {
		m.fail("the key %q says nothing: a message needs a role and its text", key)
	}
	name := m.text(key)
	role, ok := roles[strings.ToLower(name)]
	if !ok && name != "" {
		m.fail("the role %q is unknown; the known ones are system, developer, user, assistant and tool, and what "+
			"other data call them: %s", name, strings.Join(slices.Sorted(maps.Keys(roles)), ", "))
	}
	calling = role == "call"
	if calling {
		role = "assistant"
	}
	out.Role = role
	if name != role && name != "human" && name != "gpt" {
		if text := name + " as " + role; !slices.Contains(m.mapped, text) {
			m.mapped = append(m.mapped, text)
		}
	}
	return calling
}

func readReasoning(m *messageReader, key string, to *chat.Message) { to.Reasoning = m.text(key) }

// readFlag reads true or false: the loss of the turn counts, or not.
func readFlag(m *messageReader, key string, to *chat.Message) {
	train, ok := m.object[key].(bool)
	if !ok {
		m.fail("key %q must be true or false, found %s", key, jsonType(m.object[key]))
	}
	to.Train = &train
}

// readWeight reads 0 or 1, or false or true. A 1 says nothing: what is trained by default stays so.
func readWeight(m *messageReader, key string, to *chat.Message) {
	switch v := m.object[key]; v {
	case 1.0, true:
	case 0.0, false:
		to.Train = new(false)
	default:
		m.fail("key %q must be 0 or 1, found %v: a turn is trained or not, never in part", key, v)
	}
}

// refuse makes a mistake of a key, with the reason.
func refuse(reason string) func(*messageReader, string, *chat.Message) {
	return func(m *messageReader, key string, _ *chat.Message) { m.fail("key %q: %s", key, reason) }
}

func noText(m *messageReader, key string, _ *chat.Message) {
	m.fail("key %q: this program reads text only; remove the row, or the key where the answer does not need it", key)
}
