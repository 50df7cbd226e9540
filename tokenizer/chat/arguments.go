package chat

import (
	"strings"

	"instruct/tokenizer/jinja"
)

// argumentsForm is how a template is given the arguments of calls.
type argumentsForm int

const (
	// As they came. A text that holds a JSON object is what tojson writes as that object: programs of OpenAI's style
	// keep arguments as a text, and a template that prints JSON would quote it a second time.
	asWritten argumentsForm = iota
	// What came as a text as an object, for templates that go through the arguments; what came as an object as a text,
	// for templates that put texts together.
	otherwise
)

// withArguments gives calls their arguments in a form, and says whether the other form differs. Arguments that say
// nothing (null, an empty text) are an empty object: the call has none.
func withArguments(calls jinja.Value, form argumentsForm) (differs bool) {
	list, ok := calls.(*jinja.List)
	if !ok {
		return false
	}
	for _, call := range list.Items {
		call, ok := call.(*jinja.Dict)
		if !ok {
			continue
		}
		if function, ok := call.Get("function"); ok {
			if inner, ok := function.(*jinja.Dict); ok {
				call = inner
			}
		}
		arguments, ok := call.Get("arguments")
		if !ok {
			continue
		}
		switch v := arguments.(type) {
		case nil:
			arguments = jinja.NewDict()
		case jinja.Text:
			if strings.TrimSpace(v.S) == "" || v.S == "null" {
				arguments = jinja.NewDict()
				break
			}
			parsed, err := jinja.FromJSON([]byte(v.S))
			object, isObject := parsed.(*jinja.Dict)
			if err != nil || !isObject {
				continue
			}
			differs = true
			arguments = jinja.JSONText(v.S, object)
			if form == otherwise {
				arguments = object
			}
		case *jinja.Dict:
			differs = true
			if form == otherwise {
				arguments = jinja.JSON(v)
			}
		}
		call.Set("arguments", arguments)
	}
	return differs
}
