package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"instruct/model"
	"instruct/tokenizer/chat"
)

// request is what a client asks, of either kind.
type request struct {
	model        string
	messages     []chat.Message  // of a chat
	variables    json.RawMessage // of the chat template
	prompts      []prompt        // of completions
	addSpecial   bool            // the tokenizer's special tokens around prompts that are text
	n            int
	maxNew       int // -1: not said
	stop         []string
	stream       bool
	includeUsage bool
	logprobs     bool
	top          int
	echo         bool
	bias         map[int32]float32
	format       format
	tools        toolUse
	sampling     model.Sampling
}

// prompt is text, or ids where ids is not nil.
type prompt struct {
	text string
	ids  []int32
}

// endpoint is a kind of request; kinds can be put together.
type endpoint int

const (
	chats endpoint = 1 << iota
	completions
	both = chats | completions
)

// field is a field of requests. One with read is heeded. One without changes nothing where it has one of the values in
// harmless, and is refused otherwise, as the answer would not be what was asked for; "*" is any value. Null is as if
// the field were not there.
type field struct {
	name     string
	in       endpoint
	read     func(q *request, v value) error
	harmless string
}

// fields are all that are known.
func fields() []field {
	return []field{
		{"model", both, func(q *request, v value) error { return v.into(&q.model, "text") }, ""},
		{"messages", chats, readMessages, ""},
		{"prompt", completions, readPrompt, ""},
		{"stream", both, func(q *request, v value) error { return v.into(&q.stream, "true or false") }, ""},
		{"stream_options", both, readStreamOptions, ""},
		{"n", both, func(q *request, v value) error { return v.integer(&q.n, 1, maxChoices) }, ""},
		{"max_tokens", both, readMaxNew, ""},
		{"max_completion_tokens", chats, readMaxNew, ""},
		{"stop", both, readStop, ""},
		{"seed", both, readSeed, ""},
		{"temperature", both, readTemperature, ""},
		{"top_p", both, readTopP, ""},
		{"top_k", both, readTopK, ""},
		{"repetition_penalty", both, readPenalty, ""},
		{"logit_bias", both, readBias, ""},
		{"logprobs", chats, func(q *request, v value) error { return v.into(&q.logprobs, "true or false") }, ""},
		{"logprobs", completions, readLogprobs, ""},
		{"top_logprobs", chats, func(q *request, v value) error { return v.integer(&q.top, 0, maxTop) }, ""},
		{"echo", completions, func(q *request, v value) error { return v.into(&q.echo, "true or false") }, ""},
		{"add_special_tokens", completions, readAddSpecial, ""},
		{"chat_template_kwargs", chats, readVariables, ""},
		{"response_format", chats, readFormat, ""},
		{"tools", chats, readTools, ""},
		{"tool_choice", chats, readToolChoice, ""},
		{"parallel_tool_calls", chats, readParallel, ""},

		// What does not change the answer.
		{"user", both, nil, "*"},
		{"metadata", both, nil, "*"},
		{"store", both, nil, "*"},
		{"service_tier", both, nil, "*"},
		{"safety_identifier", both, nil, "*"},
		{"prompt_cache_key", both, nil, "*"},
		{"prompt_cache_retention", both, nil, "*"},
		{"cache_prompt", both, nil, "*"},
		{"timings_per_token", both, nil, "*"},
		{"return_progress", both, nil, "*"},
		{"reasoning_format", chats, nil, "*"},
		{"chat_id", chats, nil, "*"},
		{"session_id", chats, nil, "*"},
		{"id", chats, nil, "*"},
		{"background_tasks", chats, nil, "*"},

		// What would.
		{"functions", chats, nil, `[]`},
		{"function_call", chats, nil, `"none" "auto"`},
		{"modalities", chats, nil, `["text"]`},
		{"presence_penalty", both, nil, `0`},
		{"frequency_penalty", both, nil, `0`},
		{"min_p", both, nil, `0`},
		{"typical_p", both, nil, `1`},
		{"min_tokens", both, nil, `0`},
		{"length_penalty", both, nil, `1`},
		{"best_of", completions, nil, `1`},
		{"suffix", completions, nil, `""`},
		{"use_beam_search", both, nil, `false`},
		{"ignore_eos", both, nil, `false`},
		{"skip_special_tokens", both, nil, `true`},
		{"spaces_between_special_tokens", both, nil, `true`},
		{"include_stop_str_in_output", both, nil, `false`},
		{"add_generation_prompt", chats, nil, `true`},
		{"continue_final_message", chats, nil, `false`},
	}
}

// value is the JSON of a field.
type value struct {
	name string
	json json.RawMessage
}

// into reads the value as JSON does.
func (v value) into(dst any, expected string) error {
	if err := json.Unmarshal(v.json, dst); err != nil {
		return v.wrong(expected)
	}
	return nil
}

// wrong says what was expected of the value.
func (v value) wrong(expected string) error {
	return invalid(v.name, "%s is %s; expected %s", v.name, brief(v.json), expected)
}

// brief is JSON for a message.
func brief(src []byte) string {
	if len(src) > 60 {
		return strings.ToValidUTF8(string(src[:57]), "") + "..."
	}
	return string(src)
}

func (v value) number(dst *float64, low, high float64) error {
	expected := fmt.Sprintf("a number from %g to %g", low, high)
	if err := v.into(dst, expected); err != nil {
		return err
	}
	if !(*dst >= low && *dst <= high) {
		return v.wrong(expected)
	}
	return nil
}

func (v value) integer(dst *int, low, high int) error {
	expected := fmt.Sprintf("a whole number from %d to %d", low, high)
	if high == math.MaxInt {
		expected = fmt.Sprintf("a whole number of at least %d", low)
	}
	if err := v.into(dst, expected); err != nil {
		return err
	}
	if *dst < low || *dst > high {
		return v.wrong(expected)
	}
	return nil
}

// parse reads a request of a kind. q holds what is so where the request does not say.
func (q *request) parse(body []byte, kind endpoint) error {
	object, err := objectOf(body)
	if err != nil {
		return err
	}
	known := fields()
	for _, name := range sortedKeys(object) {
		i := slices.IndexFunc(known, func(f field) bool { return f.name == name && f.in&kind != 0 })
		if i < 0 && !isNull(object[name]) {
			return refusedField(name, object[name], "")
		}
	}
	for _, f := range known {
		src, given := object[f.name]
		if !given || f.in&kind == 0 || isNull(src) {
			continue
		}
		v := value{f.name, src}
		switch {
		case f.read != nil:
			if err := f.read(q, v); err != nil {
				return err
			}
		case f.harmless == "*":
		case !slices.Contains(harmless(f.harmless), compact(src)):
			return refusedField(f.name, src, f.harmless)
		}
	}
	return q.fits(kind)
}

// refusedField is the error of a field that would change the answer.
func refusedField(name string, src []byte, instead string) error {
	but := "leave it out"
	if instead != "" {
		but += " or give " + strings.ReplaceAll(instead, `" "`, `" or "`)
	}
	e := invalid(name, "%s: %s is not supported by this server; %s", name, brief(src), but)
	e.code = "unsupported_parameter"
	return e
}

// fits checks what several fields say together.
func (q *request) fits(kind endpoint) error {
	switch {
	case kind == chats && len(q.messages) == 0:
		return invalid("messages", "messages are missing: a list of {\"role\", \"content\"} with at least one")
	case kind == completions && len(q.prompts) == 0:
		return invalid("prompt", "the prompt is missing: text, a list of texts, token ids or a list of those")
	case kind == chats && q.top > 0 && !q.logprobs:
		return invalid("top_logprobs", "top_logprobs is %d without logprobs: true", q.top)
	case len(q.prompts)*q.n > maxChoices:
		return invalid("prompt", "%d prompts with %d answers each are asked for; the most are %d answers in one request",
			len(q.prompts), q.n, maxChoices)
	case kind == chats && q.maxNew == 0:
		return invalid("max_tokens", "max_tokens is 0; expected at least 1")
	case q.maxNew == 0 && !q.echo:
		return invalid("max_tokens", "max_tokens is 0 without echo: nothing would be answered")
	case q.echo && q.stream && q.maxNew == 0:
		return invalid("stream", "there is nothing to stream with max_tokens 0")
	}
	if err := q.sampling.Validate(); err != nil {
		return invalid("", "%v", err)
	}
	return q.tools.check(q.format)
}

// objectOf reads the fields of a JSON object, and nothing behind it.
func objectOf(body []byte) (map[string]json.RawMessage, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil || object == nil {
		reason := ""
		if err != nil {
			reason = ": " + strings.TrimPrefix(err.Error(), "json: ")
		}
		e := invalid("", "the request is no JSON object%s", reason)
		e.code = "invalid_json"
		return nil, e
	}
	return object, nil
}

func sortedKeys(m map[string]json.RawMessage) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func isNull(src []byte) bool { return string(bytes.TrimSpace(src)) == "null" }

// harmless splits values at spaces; none has one inside.
func harmless(values string) []string { return strings.Fields(values) }

// compact is JSON without spaces; numbers are written in one way.
func compact(src []byte) string {
	var x any
	if json.Unmarshal(src, &x) != nil {
		return string(src)
	}
	text, err := json.Marshal(x)
	if err != nil {
		return string(src)
	}
	return string(text)
}
