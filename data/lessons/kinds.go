package lessons

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// kind is one sort of lesson.
type kind struct {
	name  string
	share int  // how many of 100 or so training rows
	copy  bool // its answer is made of letters of the question in their order: such lessons come first
	make  func(d *draw) []turn
}

// turn is one message: role and text.
type turn struct{ role, text string }

// kinds is the table of all lessons. A new lesson is a function and a line here.
var kinds = []kind{
	{"echo", 4, true, single(echo)},
	{"upper_case", 3, true, single(upperCase)},
	{"lower_case", 3, true, single(lowerCase)},
	{"title_case", 3, true, single(titleCase)},
	{"repeat", 3, true, single(repeat)},
	{"spell", 3, true, single(spell)},
	{"first_letter", 2, true, single(firstLetter)},
	{"last_letter", 2, false, single(lastLetter)},
	{"backwards", 7, false, single(backwards)},
	{"count_letters", 4, false, single(countLetters)},
	{"compare_words", 5, false, single(compareWords)},
	{"compare_numbers", 6, false, single(compareNumbers)},
	{"sum", 10, false, single(sum)},
	{"sort_letters", 9, false, single(sortLetters)},
	{"sort_words", 9, false, single(sortWords)},
	{"sort_numbers", 10, false, single(sortNumbers)},
	{"json", 4, true, single(jsonAnswer)},
	{"list", 4, true, single(listAnswer)},
	{"system_ending", 4, true, systemEnding},
	{"system_case", 4, true, systemCase},
	{"system_length", 5, true, systemLength},
	{"system_tone", 4, true, systemTone},
	{"forbidden_topic", 5, true, forbiddenTopic},
	{"follow_up_case", 4, true, followUpCase},
	{"follow_up_change", 6, true, followUpChange},
}

// task is a question with its answer.
type task struct{ ask, answer string }

// single makes a row of one question and one answer.
func single(f func(d *draw) task) func(d *draw) []turn {
	return func(d *draw) []turn {
		t := f(d)
		return []turn{{"user", t.ask}, {"assistant", t.answer}}
	}
}

// echo asks for two to six words as they are.
func echo(d *draw) task {
	words := make([]string, d.between(2, 6))
	for i := range words {
		words[i] = d.word(3, 8)
	}
	text := strings.Join(words, " ")
	return task{fill(d.pick(
		"Say after me: {t}",
		"Repeat this: {t}",
		"Write down: {t}",
		"Please copy: {t}",
	), "t", text), text}
}

// aboutWord draws a word of lo to hi letters and a question about it, whose answer is a function of the word.
func aboutWord(lo, hi int, answer func(w string) string, questions ...string) func(d *draw) task {
	return func(d *draw) task {
		w := d.word(lo, hi)
		return task{fill(d.pick(questions...), "w", d.quoted(w)), answer(w)}
	}
}

var upperCase = aboutWord(3, 9, strings.ToUpper,
	"Write {w} in capital letters.",
	"Put {w} in capitals.",
	"Change {w} to upper case.",
	"How does {w} look in capital letters?",
	"Upper case, please: {w}")

func lowerCase(d *draw) task {
	w := d.word(3, 9)
	return task{fill(d.pick(
		"Write {w} in small letters.",
		"Put {w} in lower case.",
		"Change {w} to small letters.",
		"How does {w} look in lower case?",
		"Small letters, please: {w}",
	), "w", d.quoted(strings.ToUpper(w))), w}
}

var titleCase = aboutWord(3, 9, title,
	"Write {w} with a capital first letter.",
	"Make only the first letter of {w} a capital.",
	"Put {w} in title case.",
	"Write {w} as if it were a name.",
	"Title case, please: {w}")

func title(w string) string { return strings.ToUpper(w[:1]) + w[1:] }

func repeat(d *draw) task {
	w := d.word(3, 8)
	n := d.between(2, 4)
	count := [][]string{
		2: {"twice", "two times", "2 times"},
		3: {"three times", "3 times"},
		4: {"four times", "4 times"},
	}[n]
	return task{fill(d.pick(
		"Say {w} {n}.",
		"Repeat {w} {n}.",
		"Write the word {w} {n}.",
		"I want to read {w} {n}.",
	), "w", d.quoted(w), "n", d.pick(count...)), strings.TrimSpace(strings.Repeat(w+" ", n))}
}

var spell = aboutWord(3, 8, letterByLetter,
	"Spell {w}.",
	"Spell the word {w} for me.",
	"How do you spell {w}?",
	"Write {w} letter by letter.")

func letterByLetter(w string) string { return strings.Join(strings.Split(w, ""), "-") }

var firstLetter = aboutWord(3, 9, func(w string) string { return w[:1] },
	"What is the first letter of {w}?",
	"Which letter does {w} start with?",
	"Give me the first letter of {w}.",
	"Name the letter that begins {w}.")

var lastLetter = aboutWord(3, 9, func(w string) string { return w[len(w)-1:] },
	"What is the last letter of {w}?",
	"Which letter does {w} end with?",
	"Give me the last letter of {w}.",
	"Name the letter that ends {w}.")

var backwards = aboutWord(3, 7, reversed,
	"Spell {w} backwards.",
	"Write {w} backwards.",
	"Reverse the word {w}.",
	"What is {w} read from right to left?",
	"Turn {w} around.")

func reversed(w string) string {
	b := []byte(w)
	slices.Reverse(b)
	return string(b)
}

var countLetters = aboutWord(3, 9, func(w string) string { return strconv.Itoa(len(w)) },
	"How many letters are in {w}?",
	"How many letters does {w} have?",
	"Count the letters of {w}.",
	"How long is the word {w}?")

// compareWords asks for the longer or the shorter of two words, whose lengths differ by two at least.
func compareWords(d *draw) task {
	a := d.word(3, 9)
	b := d.word(3, 9, a)
	for abs(len(a)-len(b)) < 2 {
		a, b = d.word(3, 9), d.word(3, 9)
	}
	words := []string{a, b}
	slices.SortFunc(words, func(a, b string) int { return len(a) - len(b) })
	ask := d.pick(
		"Which word is longer, {a} or {b}?",
		"Which has more letters: {a} or {b}?",
		"Name the longer word: {a} or {b}.",
	)
	answer := words[1]
	if d.intn(2) == 0 {
		ask = d.pick(
			"Which word is shorter, {a} or {b}?",
			"Which has fewer letters: {a} or {b}?",
			"Name the shorter word: {a} or {b}.",
		)
		answer = words[0]
	}
	return task{fill(ask, "a", a, "b", b), answer}
}

// sortLetters asks for the letters of a short word in the order of the alphabet.
var sortLetters = aboutWord(3, 5,
	func(w string) string { return strings.Join(slices.Sorted(slices.Values(strings.Split(w, ""))), "") },
	"Sort the letters of {w}.",
	"Put the letters of {w} in order.",
	"Write the letters of {w} from A to Z.",
	"Which letters has {w}, sorted?")

// sortWords asks for three words, of different first letters, in the order of the alphabet.
func sortWords(d *draw) task {
	words := d.initials(3)
	ask := fill(d.pick(
		"Sort these words: {l}",
		"Put in alphabetical order: {l}",
		"Sort {l} from A to Z.",
		"Which order do {l} have in a dictionary?",
	), "l", strings.Join(words, ", "))
	sort.Strings(words)
	return task{ask, strings.Join(words, ", ")}
}

// initials draws n words, each with another first letter.
func (d *draw) initials(n int) []string {
	var list []string
	used := map[byte]bool{}
	for len(list) < n {
		if w := d.word(3, 7); !used[w[0]] {
			used[w[0]] = true
			list = append(list, w)
		}
	}
	return list
}

func jsonAnswer(d *draw) task {
	w := d.word(3, 8)
	switch d.intn(4) {
	case 0:
		return task{fill(d.pick(
			"What is the first letter of {w}? Answer in JSON.",
			"Give the first letter of {w} as JSON.",
		), "w", d.quoted(w)), fmt.Sprintf(`{"letter": %q}`, w[:1])}
	case 1:
		return task{fill(d.pick(
			"Write {w} in capitals. Answer in JSON.",
			"Give {w} in capital letters as JSON.",
		), "w", d.quoted(w)), fmt.Sprintf(`{"word": %q}`, strings.ToUpper(w))}
	}
	key := d.pick("name", "word", "item", "pet", "title")
	n := d.between(2, 99)
	return task{fill(d.pick(
		"Make JSON: {k} is {w}, count is {n}.",
		"Answer in JSON with {k} {w} and count {n}.",
		"As JSON, please: the {k} is {w} and the count is {n}.",
	), "k", key, "w", w, "n", strconv.Itoa(n)), fmt.Sprintf(`{%q: %q, "count": %d}`, key, w, n)}
}

func listAnswer(d *draw) task {
	n := d.between(2, 3)
	words := d.initials(n)
	joined := words[0] + " and " + words[1]
	if n == 3 {
		joined = words[0] + ", " + words[1] + " and " + words[2]
	}
	ask := d.pick(
		"Make a list of {l}.",
		"List {l} with dashes.",
		"Answer as a list: {l}",
	)
	numbered := d.intn(2) == 0
	if numbered {
		ask = d.pick(
			"Make a numbered list of {l}.",
			"List {l} with numbers.",
			"Answer as a numbered list: {l}",
		)
	}
	lines := make([]string, n)
	for i, w := range words {
		lines[i] = "- " + w
		if numbered {
			lines[i] = strconv.Itoa(i+1) + ". " + w
		}
	}
	return task{fill(ask, "l", joined), strings.Join(lines, "\n")}
}

func abs(n int) int { return max(n, -n) }
