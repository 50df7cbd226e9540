package openai

import (
	"slices"
	"strings"
	"unicode/utf8"

	"instruct/model"
	"instruct/tokenizer/chat"
)

// choices makes the choices of a request: n for each of its prompts.
func (s *Server) choices(c *call, q *request) error {
	prompts := q.prompts
	if q.messages != nil {
		ids, err := s.conversation(q)
		if err != nil {
			return err
		}
		prompts = []prompt{{ids: ids}}
	}
	form, err := s.grammars.formOf(q.format)
	if err != nil {
		return err
	}
	caller, err := s.newCaller(&q.tools)
	if err != nil {
		return err
	}
	stop, stops := s.stops(q.stop)
	for _, p := range prompts {
		ids := p.ids
		if ids == nil {
			ids = s.model.Tokenizer.Encode(p.text, q.addSpecial)
		}
		if err := s.checkPrompt(ids, q); err != nil {
			return err
		}
		c.read += len(ids)
		for i := range q.n {
			x := &choice{call: c, index: len(c.choices), noNew: q.maxNew == 0, listed: q.logprobs, ending: q.messages == nil,
				stops: stops}
			x.request = model.Request{Prompt: ids, MaxNew: min(max(1, q.maxNew), s.options.MaxLength-len(ids)), Stop: stop,
				Sampling: q.sampling, Bias: q.bias, Say: x.say, Echo: q.echo && q.logprobs, Cancelled: x.unwanted}
			x.request.Sampling.Seed += uint64(i)
			if q.logprobs {
				x.request.Top = q.top
			}
			if form != nil {
				x.form = &formed{Matcher: form.Matcher(s.grammars.plain()), bytes: s.model.Tokenizer.TokenBytes, stop: stop}
				x.request.Allowed = x.allowed
			}
			x.stream = s.model.Tokenizer.NewStream(true)
			if caller != nil {
				s.equip(x, caller, stop)
			}
			if q.messages == nil {
				x.follow(p, ids, q.echo)
			} else {
				x.asked = lastOfUser(q.messages)
			}
			c.choices = append(c.choices, x)
		}
	}
	return nil
}

// follow lets the answer's text go on from that of the prompt, which some decoders tell from one that begins, and
// prepares what is echoed.
func (c *choice) follow(p prompt, ids []int32, echo bool) {
	var text strings.Builder
	for _, id := range ids {
		c.starts = append(c.starts, c.length)
		piece := c.stream.Push(id)
		c.length += utf8.RuneCountInString(piece)
		text.WriteString(piece)
	}
	c.length, c.asked = 0, text.String()
	if !echo {
		return
	}
	c.lead = text.String()
	if p.ids == nil {
		c.lead = p.text
	}
	c.echoed = len(c.lead)
	c.length = utf8.RuneCountInString(c.lead)
	c.shown = c.length
	if c.listed {
		c.tokens, c.prompt = []token{{Said: model.Said{ID: ids[0]}, first: true}}, 1
	}
}

// lastOfUser is what the user said last.
func lastOfUser(messages []chat.Message) string {
	for _, m := range slices.Backward(messages) {
		if m.Role == "user" {
			return m.Content
		}
	}
	return ""
}

// conversation makes the prompt of a chat.
func (s *Server) conversation(q *request) ([]int32, error) {
	messages := q.messages
	system := slices.ContainsFunc(messages, func(m chat.Message) bool { return m.Role == "system" })
	if s.options.System != "" && !system {
		messages = append([]chat.Message{{Role: "system", Content: s.options.System}}, messages...)
	}
	c := chat.Conversation{Messages: messages, Variables: q.variables}
	if _, variable := s.callForm(); q.tools.active() && variable != "" {
		var err error
		if c, err = withTools(c, variable, q.tools.list); err != nil {
			return nil, invalid("chat_template_kwargs", "%v", err)
		}
	}
	r, err := s.model.Template.RenderConversation(&c, true)
	if err != nil {
		return nil, invalid("messages", "%v", err)
	}
	return s.model.Tokenizer.Encode(r.Text, false), nil
}

// checkPrompt refuses a prompt that the decoder would refuse, before anything is begun.
func (s *Server) checkPrompt(ids []int32, q *request) error {
	param := "prompt"
	if q.messages != nil {
		param = "messages"
	}
	if len(ids) == 0 {
		return invalid(param, "the prompt is empty")
	}
	if most := s.options.MaxLength; len(ids) >= most {
		e := invalid(param, "the prompt has %d tokens; the most are %d, its answer included", len(ids), most)
		e.code = "context_length_exceeded"
		return e
	}
	if err := model.CheckIDs(ids, s.model.Config.Vocab); err != nil {
		return invalid(param, "%v", err)
	}
	for id := range q.bias {
		if id < 0 || int(id) >= s.model.Config.Vocab {
			return invalid("logit_bias", "token id %d of logit_bias is outside the vocabulary of %d", id, s.model.Config.Vocab)
		}
	}
	return nil
}

// stops are what ends an answer: tokens, those that a stop string names among them, and the other stop strings.
func (s *Server) stops(texts []string) (stop []int32, stops []string) {
	stop = slices.Clone(s.model.Stop)
	for _, text := range texts {
		if id, ok := s.model.Tokenizer.ID(text); ok && s.model.Tokenizer.IsSpecial(id) {
			stop = append(stop, id) // it has no text in an answer
			continue
		}
		stops = append(stops, text)
	}
	return stop, stops
}
