package openai

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"instruct/model"
	"instruct/tokenizer"
)

// token is a token of a choice with what the model says of it. The first token of a prompt has no log-probability.
type token struct {
	model.Said
	offset int // characters of the choice's text before it
	first  bool
}

// choice is one answer that is being made. Once it has begun only the scheduler's goroutine uses it.
type choice struct {
	call    *call
	index   int
	request model.Request
	asked   string // what an answer is judged by: the user's last message, or the prompt
	noNew   bool   // the prompt is all that is wanted
	listed  bool   // tokens are wanted
	ending  bool   // the token that ends the answer among them
	stops   []string
	form    *formed // that the answer has to have; nil: any

	calls  *callReader         // nil: there are no functions to call
	inside func() *formed      // the form of what follows on the beginning of a call; nil: any
	hidden func(id int32) bool // tokens without text that the stream would give one; nil: none
	serial bool                // one call ends the answer

	stream  *tokenizer.Stream
	lead    string  // what is echoed, until it is given
	held    string  // text that may yet become a stop string
	tokens  []token // that were not given
	echoed  int     // bytes of that
	starts  []int   // characters before each token of the prompt
	prompt  int     // tokens of the prompt so far, where something is said of them
	length  int     // characters so far, with what is held
	shown   int     // characters so far, without
	made    int     // tokens of the answer
	stopped bool    // by a stop string
	failed  bool
}

// unwanted tells the decoder that nobody waits for more.
func (c *choice) unwanted() bool { return c.stopped || c.failed || c.call.ctx.Err() != nil }

// allowed tells the decoder which tokens may come next.
func (c *choice) allowed() []uint64 {
	if c.form == nil {
		return nil
	}
	mask, err := c.form.allowed()
	if err != nil && c.form.passing {
		c.form = nil
		return nil
	}
	if err != nil {
		c.fail(err.Error())
	}
	return mask
}

// fail ends the choice, and its call with it.
func (c *choice) fail(reason string) {
	c.failed = true
	c.call.fail(failed(http.StatusInternalServerError, "internal_error", "%s", reason))
}

// say takes the next token: of the prompt, where it is echoed with log-probabilities, and of the answer.
func (c *choice) say(x model.Said) {
	if c.listed && math.IsNaN(float64(x.Logprob)) {
		c.fail("a log-probability is no number; are the weights of the model finite?")
		return
	}
	if c.request.Echo && c.prompt < len(c.request.Prompt) {
		c.tokens = append(c.tokens, token{Said: x, offset: c.starts[c.prompt]})
		c.prompt++
		return
	}
	if c.noNew || c.failed {
		return
	}
	stop := slices.Contains(c.request.Stop, x.ID)
	if c.listed && (!stop || c.ending) {
		c.tokens = append(c.tokens, token{Said: x, offset: c.length})
	}
	if stop {
		return // it has no text, and is not counted
	}
	c.made++
	c.spell(x.ID)
}

// spell adds the text of a token.
func (c *choice) spell(id int32) {
	if c.form != nil && !c.form.Advance(c.form.bytes(id)) {
		c.fail("a token was chosen that was not allowed; are the weights of the model finite?")
		return
	}
	finished := c.form != nil && c.form.Finished()
	if finished && c.form.passing {
		c.form, finished = nil, false
	}
	text := ""
	if c.hidden == nil || !c.hidden(id) {
		text = c.stream.Push(id)
	}
	if finished { // nothing may follow
		text += c.stream.Flush()
	}
	c.write(text, finished)
	c.stopped = c.stopped || finished || c.serial && c.calls.count > 0
}

// write adds text to the answer, and gives what of it cannot become a stop string.
func (c *choice) write(text string, last bool) {
	c.length += utf8.RuneCountInString(text)
	before, held, found := cut(c.held+text, c.stops)
	if last && !found {
		before, held = before+held, ""
	}
	c.held, c.stopped = held, found
	c.shown += utf8.RuneCountInString(before)
	n := len(c.tokens)
	if held != "" || found {
		n = 0
		for n < len(c.tokens) && c.tokens[n].offset < c.shown {
			n++
		}
	}
	before, c.lead = c.lead+before, ""
	var calls []toolCall
	if c.calls != nil {
		before, calls = c.readCalls(before)
	}
	if before != "" || n > 0 || len(calls) > 0 {
		c.call.push(part{index: c.index, text: before, tokens: c.tokens[:n:n], calls: calls})
	}
	c.tokens = c.tokens[n:]
}

// readCalls takes calls out of text. One that begins has its form from here on.
func (c *choice) readCalls(text string) (rest string, calls []toolCall) {
	was := c.calls.inside
	rest, calls = c.calls.push(text)
	if c.calls.inside && !was && c.form == nil && c.inside != nil {
		if f := c.inside(); f.Advance([]byte(c.calls.held)) {
			c.form = f
		}
	}
	return rest, calls
}

// end takes the end of the answer.
func (c *choice) end(a model.Answer) {
	finish := a.Finish
	switch {
	case a.Err != nil:
		c.call.fail(a.Err)
		return
	case c.failed:
		return
	case c.stopped:
	case finish == model.FinishCancel:
		c.call.fail(errStopping()) // or the client has gone, and does not read this
		return
	case c.noNew:
		finish = model.FinishLength
		c.write("", true)
	default:
		c.write(c.stream.Flush(), true)
	}
	if c.stopped {
		finish = model.FinishStop
	}
	if c.calls != nil {
		text, calls := c.calls.end()
		if text != "" || len(calls) > 0 {
			c.call.push(part{index: c.index, text: text, calls: calls})
		}
		if c.calls.count > 0 && finish == model.FinishStop {
			finish = finishCalls
		}
	}
	c.call.push(part{index: c.index, finish: finish, made: c.made})
}

// finishCalls is the finish reason of an answer that calls functions.
const finishCalls = "tool_calls"

// cut finds the first stop string in text: before is what stands before it. Without one, held is the end of the text
// that may be the beginning of one.
func cut(text string, stops []string) (before, held string, found bool) {
	first := -1
	for _, s := range stops {
		if i := strings.Index(text, s); i >= 0 && (first < 0 || i < first) {
			first = i
		}
	}
	if first >= 0 {
		return text[:first], "", true
	}
	keep := 0
	for _, s := range stops {
		for n := min(len(s)-1, len(text)); n > keep; n-- {
			if strings.HasSuffix(text, s[:n]) {
				keep = n
			}
		}
	}
	return text[:len(text)-keep], text[len(text)-keep:], false
}
