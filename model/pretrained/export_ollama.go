package pretrained

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"text/template"

	"instruct/checkpoints"
	"instruct/tokenizer/chat"
)

// SaveOllama writes a folder that `ollama create NAME -f Modelfile` makes a model of: a GGUF file and a Modelfile.
func (m *Model) SaveOllama(dir, typ string) error {
	const weights = "model.gguf"
	if err := m.WriteGGUF(filepath.Join(dir, weights), typ); err != nil {
		return err
	}
	return checkpoints.WriteFile(filepath.Join(dir, "Modelfile"), []byte(m.modelfile(weights)))
}

// modelfile is the text of a Modelfile.
func (m *Model) modelfile(weights string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# ollama create NAME -f Modelfile\nFROM ./%s\n", weights)
	if text, system, ok := m.ollamaTemplate(); ok {
		fmt.Fprintf(&b, "TEMPLATE \"\"\"%s\"\"\"\n", text)
		if m.System != "" {
			system = m.System
		}
		if system != "" && !strings.Contains(system, `"""`) {
			fmt.Fprintf(&b, "SYSTEM \"\"\"%s\"\"\"\n", system)
		}
	} else {
		m.note("its chat template cannot be said in Ollama's words: the Modelfile has no TEMPLATE, and Ollama takes the " +
			"one that it finds most like the template of the GGUF file")
		b.WriteString("# The chat template of the GGUF file is one that Ollama's words cannot say.\n")
	}
	for _, id := range m.Stop {
		fmt.Fprintf(&b, "PARAMETER stop %q\n", m.Tokenizer.TokenText(id))
	}
	b.WriteString("PARAMETER temperature 0\n")
	return b.String()
}

// ollamaTemplate says the chat template in the language of Ollama, which is Go's text/template over .Messages: each
// message between two texts that its role has, then the beginning of an answer. The texts are taken from what the
// template makes of one conversation; ok is false where another one, with a message in other places, comes out
// otherwise. system is the message that the template itself puts before a conversation without one.
func (m *Model) ollamaTemplate() (text, system string, ok bool) {
	render := func(answer bool, messages ...chat.Message) string {
		text, _, err := m.Template.Render(messages, answer)
		if err != nil {
			return ""
		}
		if len(m.Tokenizer.Encode("", true)) > 0 { // then llama.cpp puts the token there that begins a text
			text = strings.TrimPrefix(text, m.Tokenizer.BOSText())
		}
		return text
	}
	say := func(role, content string) chat.Message { return chat.Message{Role: role, Content: content} }
	// Words that no template has, so that what stands between them is the template's.
	sys, user, asst, again := say("system", "qsystemq"), say("user", "quserq"), say("assistant", "qanswerq"),
		say("user", "qagainq")
	whole := render(false, sys, user, asst, again)
	begin := strings.TrimPrefix(render(true, sys, user), render(false, sys, user))
	before, rest, a := strings.Cut(whole, sys.Content)
	between1, rest, b := strings.Cut(rest, user.Content)
	between2, rest, c := strings.Cut(rest, asst.Content)
	between3, after, d := strings.Cut(rest, again.Content)
	if !a || !b || !c || !d || begin == "" || !strings.HasSuffix(between1, userOpening(between3, after)) {
		return "", "", false
	}
	userBefore := userOpening(between3, after)
	sysAfter := strings.TrimSuffix(between1, userBefore)
	userAfter := after
	asstBefore := strings.TrimPrefix(between2, userAfter)
	asstAfter := strings.TrimSuffix(between3, userBefore)
	var out strings.Builder
	out.WriteString("{{- range .Messages }}")
	for i, role := range [][3]string{
		{"system", before, sysAfter}, {"user", userBefore, userAfter}, {"assistant", asstBefore, asstAfter},
	} {
		word := "else if"
		if i == 0 {
			word = "if"
		}
		fmt.Fprintf(&out, "{{ %s eq .Role %q }}%s{{ .Content }}%s", word, role[0], role[1], role[2])
	}
	fmt.Fprintf(&out, "{{ end }}{{ end }}%s", begin)
	text = out.String()
	if intro, _, found := strings.Cut(render(false, user), userBefore+user.Content); found && intro != "" {
		system, found = strings.CutPrefix(intro, before)
		if found {
			system, found = strings.CutSuffix(system, sysAfter)
		}
		if !found {
			return "", "", false
		}
	}
	for _, messages := range [][]chat.Message{{sys, user}, {sys, user, asst, again, asst, user}} {
		if !strings.Contains(text, `"""`) && executed(text, messages) == render(true, messages...) {
			continue
		}
		return "", "", false
	}
	return text, system, true
}

// userOpening is what stands before a user's message, from what is between it and an answer and what is behind it: all
// that is not also the end of a message.
func userOpening(between, after string) string {
	n := 0
	for n < len(between) && n < len(after) && between[n] == after[n] {
		n++
	}
	return between[n:]
}

// executed is what a template of Ollama's makes of messages, "" where it is none.
func executed(text string, messages []chat.Message) string {
	t, err := template.New("").Parse(text)
	if err != nil {
		return ""
	}
	var b bytes.Buffer
	if t.Execute(&b, struct{ Messages []chat.Message }{messages}) != nil {
		return ""
	}
	return b.String()
}
