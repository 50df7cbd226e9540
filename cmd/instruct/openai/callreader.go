package openai

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// toolCall is a call of a function in an answer.
type toolCall struct {
	Index    *int         `json:"index,omitempty"` // in a stream
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Function functionCall `json:"function"`
}

type functionCall struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"` // JSON
}

// callReader takes calls out of an answer that comes in parts. What only looks like a call stays text.
type callReader struct {
	form   *callForm
	held   string // what is not decided
	inside bool   // behind Open
	begun  bool   // something came
	after  bool   // directly behind a call, where white space is no text
	count  int
}

// push takes the next part, and gives the text and the calls that are certain.
func (r *callReader) push(part string) (text string, calls []toolCall) {
	r.held += part
	for {
		before, more, wait := r.advance()
		text += before
		calls = append(calls, more...)
		if wait {
			return text, calls
		}
	}
}

// end gives what is left when nothing more comes: a call that was not ended is text.
func (r *callReader) end() (text string, calls []toolCall) {
	if r.form.Open == "" && r.inside {
		body := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(r.held), r.form.prefix))
		if calls, rest, err := r.read(body); err == nil && len(calls) > 0 {
			r.held, r.inside = "", false
			r.count += len(calls)
			return strings.TrimSpace(rest), calls
		}
	}
	text = r.held
	if r.inside {
		text = r.form.Open + text
	}
	if r.after && strings.TrimSpace(text) == "" {
		text = ""
	}
	r.held, r.inside = "", false
	return text, nil
}

// advance makes one step; wait says that more has to come first.
func (r *callReader) advance() (text string, calls []toolCall, wait bool) {
	switch {
	case r.form.Open == "":
		return r.bare()
	case r.inside:
		return r.body()
	}
	if r.after {
		r.held = strings.TrimLeft(r.held, " \t\r\n")
	}
	before, held, found := cut(r.held, []string{r.form.Open})
	if before != "" {
		r.after = false
	}
	if !found {
		r.held = held
		return before, nil, true
	}
	r.held = r.held[len(before)+len(r.form.Open):]
	r.inside = true
	return before, nil, false
}

// bare is for a form whose calls are the whole answer: one that begins as JSON is held until its end.
func (r *callReader) bare() (text string, calls []toolCall, wait bool) {
	begin := strings.TrimLeft(r.held, " \t\r\n")
	switch {
	case r.inside || !r.begun && begin == "":
		return "", nil, true
	case !r.begun && (begin[0] == '{' || strings.HasPrefix(r.form.prefix, begin) || strings.HasPrefix(begin,
		r.form.prefix)):
		r.inside = true
		return "", nil, true
	}
	text, r.held, r.begun = r.held, "", true
	return text, nil, true
}

// body reads what is behind Open, once it is whole.
func (r *callReader) body() (text string, calls []toolCall, wait bool) {
	calls, rest, err := r.read(r.held)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return "", nil, true
	}
	if err == nil && r.form.Close != "" {
		rest = strings.TrimLeft(rest, " \t\r\n")
		closed, ok := strings.CutPrefix(rest, r.form.Close)
		switch {
		case ok:
			rest = closed
		case strings.HasPrefix(r.form.Close, rest):
			return "", nil, true
		}
	}
	r.inside = false
	if err != nil { // it is no call
		text, r.held = r.form.Open+r.held, ""
		return text, nil, true
	}
	r.held, r.after = rest, true
	r.count += len(calls)
	return "", calls, false
}

// read reads a call, or a list of them, from the beginning of text.
func (r *callReader) read(text string) (calls []toolCall, rest string, err error) {
	name := ""
	if r.form.Split != "" {
		var ok bool
		if name, text, ok = strings.Cut(text, r.form.Split); !ok {
			return nil, "", io.EOF
		}
	}
	d := json.NewDecoder(strings.NewReader(text))
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return nil, "", err
	}
	rest = text[d.InputOffset():]
	list := []json.RawMessage{raw}
	if r.form.List {
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, "", err
		}
	}
	for i, x := range list {
		c, err := r.one(strings.TrimSpace(name), x)
		if err != nil {
			return nil, "", err
		}
		c.Index = new(r.count + i)
		calls = append(calls, c)
	}
	return calls, rest, nil
}

// one reads one call.
func (r *callReader) one(name string, src json.RawMessage) (toolCall, error) {
	arguments := src
	if name == "" {
		var call struct {
			Name       string
			Arguments  json.RawMessage
			Parameters json.RawMessage
		}
		if err := json.Unmarshal(src, &call); err != nil {
			return toolCall{}, err
		}
		name, arguments = call.Name, call.Arguments
		if arguments == nil {
			arguments = call.Parameters
		}
	}
	var text string
	if json.Unmarshal(arguments, &text) == nil { // some write the JSON of the arguments as a text
		arguments = json.RawMessage(text)
	}
	var b bytes.Buffer
	if name == "" || len(arguments) == 0 || arguments[0] != '{' || json.Compact(&b, arguments) != nil {
		return toolCall{}, errors.New("no call")
	}
	// Nine letters and digits: Mistral's template takes no others.
	return toolCall{ID: rand.Text()[:9], Type: "function", Function: functionCall{name, b.String()}}, nil
}
