package openai

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestFormat: an answer has the form that is asked for, sampled or not, streamed or not; one that is cut off says so.
func TestFormat(t *testing.T) {
	s := newServer(t, nil)
	const schema = `{"type":"object","properties":{"name":{"type":"string","maxLength":6},"kind":{"enum":["cat","dog"]},` +
		`"of":{"type":"array","items":{"type":"boolean"},"maxItems":3}},"required":["name","kind","of"]}`
	const body = `{"messages":[{"role":"user","content":"A pet"}],"max_tokens":%d,"temperature":%g,"seed":%d,"logpr` +
		`obs":true,` +
		`"response_format":{"type":"json_schema","json_schema":{"name":"pet","schema":` + schema + `}}%s}`
	for seed, temperature := range []float64{0, 0.7, 3, 1e-9} {
		c := post[chatReply](t, s, "/v1/chat/completions", fmt.Sprintf(body, 300, temperature, seed, "")).Choices[0]
		var pet struct {
			Name, Kind string
			Of         []bool
		}
		text := *c.Message.Content
		if err := json.Unmarshal([]byte(text), &pet); err != nil || *c.FinishReason != "stop" ||
			pet.Kind != "cat" && pet.Kind != "dog" || len([]rune(pet.Name)) > 6 || len(pet.Of) > 3 {
			t.Errorf("temperature %g: %q, %s, %v", temperature, text, *c.FinishReason, err)
		}
		if n := len(c.Logprobs.Content); n < len(pet.Name) {
			t.Errorf("%d tokens are listed", n)
		}
		_, stream := ask(s, "POST", "/v1/chat/completions", fmt.Sprintf(body, 300, temperature, seed, `,"stream":true`))
		var streamed strings.Builder
		for _, e := range events[chatReply](t, stream) {
			if x := e.Choices[0].Delta.Content; x != nil {
				streamed.WriteString(*x)
			}
		}
		if streamed.String() != text {
			t.Errorf("streamed %q, at one time %q", streamed.String(), text)
		}
	}
	c := post[chatReply](t, s, "/v1/chat/completions", fmt.Sprintf(body, 9, 0.0, 1, "")).Choices[0]
	if *c.FinishReason != "length" || !strings.HasPrefix(strings.TrimSpace(*c.Message.Content), "{") {
		t.Errorf("cut off: %q, %s", *c.Message.Content, *c.FinishReason)
	}
	c = post[chatReply](t, s, "/v1/chat/completions", `{"messages":[{"role":"user","content":"A pet"}],"max_tokens":40,`+
		`"response_format":{"type":"json_object"},"logit_bias":{"125":50}}`).Choices[0]
	if text := strings.TrimSpace(*c.Message.Content); text != "{}" || *c.FinishReason != "stop" {
		t.Errorf("an object: %q, %s", text, *c.FinishReason)
	}
}

// TestFormatRefused: a schema that cannot be held is the client's mistake, with its place in the schema.
func TestFormatRefused(t *testing.T) {
	s := newServer(t, nil)
	status, text := ask(s, "POST", "/v1/chat/completions", `{"messages":[{"role":"user","content":"A pet"}],`+
		`"response_format":{"type":"json_schema","json_schema":{"schema":{"properties":{"a":{"pattern":"x"}}}}}}`)
	if status != 400 || !strings.Contains(string(text), "#/properties/a: pattern is not supported") {
		t.Errorf("status %d, %s", status, text)
	}
}

// TestGrammarsAreKept: a schema is read once, and the oldest goes.
func TestGrammarsAreKept(t *testing.T) {
	s := newServer(t, nil)
	first, err := s.grammars.formOf(format{kind: "json_object"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxGrammars {
		again, _ := s.grammars.formOf(format{kind: "json_object"})
		if again != first {
			t.Fatal("it was made again")
		}
		if _, err := s.grammars.formOf(format{"json_schema", fmt.Sprintf(`{"const":%d}`, i)}); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.grammars.last) != maxGrammars {
		t.Errorf("%d are kept", len(s.grammars.last))
	}
}
