package lessons

import "strings"

// simple draws one of the short tasks that a system prompt's rule or a follow-up is laid upon.
func simple(d *draw) task {
	tasks := []func(d *draw) task{upperCase, lowerCase, titleCase, firstLetter, spell, say}
	return tasks[d.intn(len(tasks))](d)
}

// say asks for the word as it is.
var say = aboutWord(3, 8, func(w string) string { return w },
	"Say {w}.",
	"Write the word {w}.",
	"Please say {w}.",
	"Can you write {w}?")

func systemEnding(d *draw) []turn {
	end := d.pick("sir", "madam", "captain", "boss", "my lord", "Your Majesty", "over", "amen")
	t := simple(d)
	return []turn{
		{"system", fill(d.pick(
			"Always end with {e}.",
			"End every answer with {e}.",
			"The last word of your answer must be {e}.",
			"Close each reply with {e}.",
		), "e", d.quoted(end))},
		{"user", t.ask},
		{"assistant", t.answer + ", " + end},
	}
}

func systemCase(d *draw) []turn {
	t := simple(d)
	rule, answer := d.pick(
		"Answer in capital letters.",
		"Write everything in capitals.",
		"Always shout: use capital letters only.",
	), strings.ToUpper(t.answer)
	if d.intn(3) == 0 {
		rule, answer = d.pick(
			"Answer in small letters.",
			"Write everything in lower case.",
			"Never use a capital letter.",
		), strings.ToLower(t.answer)
	}
	return []turn{{"system", rule}, {"user", t.ask}, {"assistant", answer}}
}

// systemLength has one question and two rules, which want the same answer as one word or as a sentence.
func systemLength(d *draw) []turn {
	w := d.initials(3)
	i := d.intn(3)
	ask := fill(d.pick(
		"Which word is {n}: {l}?",
		"Name the {n} word of: {l}",
		"What is the {n} word here? {l}",
	), "n", []string{"first", "second", "last"}[i], "l", strings.Join(w, " "))
	rule, answer := d.pick(
		"Answer with exactly one word.",
		"Be brief: one word only.",
		"Reply with a single word.",
	), w[i]
	if d.intn(2) == 0 {
		rule, answer = d.pick(
			"Answer in a full sentence.",
			"Always reply with a whole sentence.",
			"Speak in full sentences.",
		), "The word is "+w[i]+"."
	}
	return []turn{{"system", rule}, {"user", ask}, {"assistant", answer}}
}

// tones are ways to answer: what the system prompt says, and what is put before the answer.
var tones = []struct {
	rules []string
	begin string
}{
	{[]string{"Be friendly.", "You are a friendly helper.", "Use a warm and friendly tone."}, "With pleasure! "},
	{[]string{"Be formal.", "You are a formal butler.", "Use a formal tone."}, "Certainly. "},
	{[]string{"Be grumpy.", "You are a grumpy old troll.", "Use a grumpy tone."}, "Oh, fine. "},
	{[]string{"Talk like a pirate.", "You are a pirate.", "Use the tone of a pirate."}, "Arr! "},
	{[]string{"Be excited.", "You are an excited fan.", "Use an excited tone."}, "Wow! "},
	{[]string{"Be plain.", "You are a plain machine.", "Use a plain tone, no greeting."}, ""},
}

func systemTone(d *draw) []turn {
	tone := tones[d.intn(len(tones))]
	t := simple(d)
	return []turn{{"system", d.pick(tone.rules...)}, {"user", t.ask}, {"assistant", tone.begin + t.answer}}
}

// forbiddenTopic names a topic in the system prompt and asks about it, or about another one.
func forbiddenTopic(d *draw) []turn {
	topic := d.thing(3, 8)
	asked := topic
	if d.intn(2) == 0 {
		asked = d.thing(3, 8, topic)
	}
	rule := fill(d.pick(
		"Do not talk about the {t}.",
		"Never speak about the {t}.",
		"The {t} is a forbidden topic.",
		"You may talk about anything but the {t}.",
	), "t", topic)
	ask, answer := fill(d.pick(
		"Tell me about the {t}.",
		"What do you think of the {t}?",
		"Do you like the {t}?",
	), "t", asked), "I like the "+asked+"."
	if d.intn(3) == 0 {
		ask = fill(d.pick("Spell {t}.", "How do you spell {t}?"), "t", asked)
		answer = letterByLetter(asked)
	}
	if asked == topic {
		answer = "Sorry, I cannot talk about the " + topic + "."
	}
	return []turn{{"system", rule}, {"user", ask}, {"assistant", answer}}
}

func followUpCase(d *draw) []turn {
	t := say(d)
	var ask, answer string
	switch d.intn(3) {
	case 0:
		ask = d.pick("Now in capitals.", "And in capital letters?", "Louder, in capitals!")
		answer = strings.ToUpper(t.answer)
	case 1:
		ask = d.pick("Now with a capital first letter.", "And in title case?", "Make it look like a name.")
		answer = title(t.answer)
	default:
		t = upperCase(d)
		ask = d.pick("Now in small letters.", "And in lower case?", "Quieter, in small letters.")
		answer = strings.ToLower(t.answer)
	}
	return []turn{{"user", t.ask}, {"assistant", t.answer}, {"user", ask}, {"assistant", answer}}
}

func followUpChange(d *draw) []turn {
	t := say(d)
	if d.intn(3) == 0 {
		t = compareWords(d)
	}
	w := t.answer
	changes := []struct {
		answer string
		asks   []string
	}{
		{reversed(w), []string{"Now backwards.", "And backwards?", "Turn it around."}},
		{w + " " + w, []string{"Now twice.", "Say it two times.", "And twice?"}},
		{letterByLetter(w), []string{"Now spell it.", "How is it spelled?", "Letter by letter, please."}},
		{w[:1], []string{"Only the first letter.", "What is its first letter?", "And the first letter?"}},
		{`"` + w + `"`, []string{"Put it in quotes.", "Now in quotes.", "And in quotes?"}},
	}
	c := changes[d.intn(len(changes))]
	return []turn{{"user", t.ask}, {"assistant", w}, {"user", d.pick(c.asks...)}, {"assistant", c.answer}}
}
