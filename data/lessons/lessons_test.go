package lessons

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"instruct/data"
)

var (
	wordPattern   = regexp.MustCompile(`[A-Za-z]+`)
	spelled       = regexp.MustCompile(`\b[a-zA-Z](-[a-zA-Z])+\b`)
	numberPattern = regexp.MustCompile(`[0-9]+`)
	addition      = regexp.MustCompile(`[0-9]+ \+ [0-9]+`)
)

// readWords returns all words of a text in lower case: as they stand, and joined where they are spelled out.
func readWords(text string) []string {
	var words []string
	for _, w := range wordPattern.FindAllString(text, -1) {
		words = append(words, strings.ToLower(w))
	}
	for _, s := range spelled.FindAllString(text, -1) {
		words = append(words, strings.ToLower(strings.ReplaceAll(s, "-", "")))
	}
	return words
}

func letters(w string) string {
	b := []byte(w)
	slices.Sort(b)
	return string(b)
}

// TestHeldOutWordsAreUnseen reads the whole training text and looks for the words of the held-out part in any case,
// reversed, spelled out, or with their letters in any other order.
func TestHeldOutWordsAreUnseen(t *testing.T) {
	train, heldOut := Generate(Options{Seed: 1, Rows: 30000, HeldOut: 2400})
	secret := map[string]string{}
	for _, w := range newVocabulary(HeldOut).all {
		secret[letters(w)] = w
	}
	for i, l := range train {
		for _, m := range l.Messages {
			for _, w := range readWords(m.Content) {
				if s, found := secret[letters(w)]; found {
					t.Fatalf("training row %d (%s) has %q, a form of the held-out word %q: %s", i, l.Kind, w, s, m.Content)
				}
			}
		}
	}
	// And the held-out rows do use them: every row with a word of the lists has it from the held-out part.
	seen := 0
	public := map[string]bool{}
	for _, w := range newVocabulary(Train).all {
		public[w] = true
	}
	for _, l := range heldOut {
		for _, w := range readWords(l.Messages[len(l.Messages)-1].Content) {
			if _, found := secret[letters(w)]; found {
				seen++
			}
		}
	}
	if seen < len(heldOut)/2 {
		t.Fatalf("only %d of %d held-out answers have a held-out word", seen, len(heldOut))
	}
}

// TestHeldOutPairsAreUnseen compares the pairs of numbers in the questions, and the held-out sums with the steps that
// training answers show.
func TestHeldOutPairsAreUnseen(t *testing.T) {
	train, heldOut := Generate(Options{Seed: 1, Rows: 30000, HeldOut: 2400})
	pairs := func(rows []data.Row) map[[2]int]data.Row {
		found := map[[2]int]data.Row{}
		for _, l := range rows {
			if !slices.Contains([]string{"sum", "compare_numbers", "sort_numbers"}, l.Kind) {
				continue
			}
			var n []int
			for _, s := range numberPattern.FindAllString(l.Messages[0].Content, -1) {
				x, _ := strconv.Atoi(s)
				n = append(n, x)
			}
			slices.Sort(n)
			for i := range n {
				for _, y := range n[i+1:] {
					found[[2]int{n[i], y}] = l
				}
			}
		}
		return found
	}
	seen := pairs(train)
	unseen := pairs(heldOut)
	for p := range unseen {
		if l, found := seen[p]; found {
			t.Errorf("held-out pair %v is in the training row %v", p, l)
		}
	}
	if len(seen) < 1000 || len(unseen) < 150 {
		t.Errorf("%d training and %d held-out pairs: too few to mean anything", len(seen), len(unseen))
	}

	shown := map[string]bool{}
	for _, l := range train {
		for _, text := range addition.FindAllString(l.Messages[len(l.Messages)-1].Content, -1) {
			shown[text] = true
		}
	}
	if len(shown) < 500 {
		t.Errorf("only %d additions in the training answers", len(shown))
	}
	sums := 0
	for _, l := range heldOut {
		if l.Kind != "sum" {
			continue
		}
		sums++
		asked := addition.FindString(l.Messages[1].Content)
		a, b, _ := strings.Cut(asked, " + ")
		if asked == "" || shown[asked] || shown[b+" + "+a] {
			t.Errorf("held-out sum %q: its addition %q is missing, or stands in a training answer", l.Messages[1].Content, asked)
		}
	}
	if sums == 0 {
		t.Error("no held-out sum")
	}
}

func TestWorkedSums(t *testing.T) {
	for want, n := range map[string][2]int{
		"24 + 19 = 30 + 13 = 43": {24, 19},
		"7 + 36 = 30 + 13 = 43":  {7, 36},
		"30 + 20 = 50 + 0 = 50":  {30, 20},
		"7 + 5 = 12":             {7, 5},
	} {
		if got := worked(n[0], n[1]); got != want {
			t.Errorf("worked(%d, %d) = %q, want %q", n[0], n[1], got, want)
		}
	}
	_, heldOut := Generate(Options{Seed: 2, HeldOut: 2000})
	for _, l := range heldOut {
		if l.Kind != "sum" {
			continue
		}
		asked := numberPattern.FindAllString(l.Messages[0].Content, -1)
		answer := l.Messages[1].Content
		parts := strings.Split(answer, " = ")
		total := parts[len(parts)-1]
		if asked[0]+" + "+asked[1] != parts[0] {
			t.Errorf("%q is answered %q", l.Messages[0].Content, answer)
		}
		for _, step := range parts {
			sum := 0
			for _, s := range numberPattern.FindAllString(step, -1) {
				x, _ := strconv.Atoi(s)
				sum += x
			}
			if strconv.Itoa(sum) != total {
				t.Errorf("%q: the step %q is not %s", answer, step, total)
			}
		}
	}
}

func TestRowsDependOnSeedSplitAndIndexAlone(t *testing.T) {
	train, heldOut := Generate(Options{Seed: 7, Rows: 300, HeldOut: 100})
	more, moreHeldOut := Generate(Options{Seed: 7, Rows: 900, HeldOut: 240})
	if !reflect.DeepEqual(train, more[:300]) || !reflect.DeepEqual(heldOut, moreHeldOut[:100]) {
		t.Error("a row changed with the number of rows")
	}
	other, _ := Generate(Options{Seed: 8, Rows: 300})
	same := 0
	for i := range other {
		if reflect.DeepEqual(other[i], train[i]) {
			same++
		}
	}
	if same > 10 {
		t.Errorf("%d of 300 rows are the same under another seed", same)
	}
}

func TestRowsAreWellFormed(t *testing.T) {
	train, heldOut := Generate(Options{Seed: 3, Rows: 20000, HeldOut: 20 * len(kinds)})
	used := map[string]int{}
	bytes := 0
	for i, l := range train {
		used[l.Kind]++
		want := "user"
		for j, m := range l.Messages {
			if j == 0 && m.Role == "system" {
				continue
			}
			if m.Role != want {
				t.Fatalf("row %d: message %d is of %s, want %s", i, j, m.Role, want)
			}
			want = map[string]string{"user": "assistant", "assistant": "user"}[want]
			unfilled := strings.Contains(m.Content, "{") && !strings.Contains(m.Content, `{"`)
			if m.Content == "" || unfilled || strings.TrimSpace(m.Content) != m.Content {
				t.Fatalf("row %d: bad text %q", i, m.Content)
			}
		}
		if want != "user" {
			t.Fatalf("row %d does not end with an answer", i)
		}
		for _, m := range l.Messages {
			bytes += len(m.Content)
		}
	}
	if mean := bytes / len(train); mean > 90 {
		t.Errorf("mean row of %d bytes: the lessons were meant to be short", mean)
	}
	for _, k := range kinds {
		if used[k.name] < 200 {
			t.Errorf("kind %s has %d of 20000 rows", k.name, used[k.name])
		}
	}
	count := map[string]int{}
	for _, l := range heldOut {
		count[l.Kind]++
	}
	for _, k := range kinds {
		if count[k.name] != 20 {
			t.Errorf("kind %s has %d held-out rows, want %d", k.name, count[k.name], 20)
		}
	}
}

func TestWordLists(t *testing.T) {
	for _, split := range []Split{Train, HeldOut} {
		v := newVocabulary(split)
		for _, w := range v.all {
			if !regexp.MustCompile(`^[a-z]{3,10}$`).MatchString(w) {
				t.Errorf("%q is not a plain word of 3 to 10 letters", w)
			}
			if WordSplit(strings.ToUpper(w)) != split || WordSplit(reversed(w)) != split {
				t.Errorf("%q has another split when reversed or in capitals", w)
			}
		}
		t.Logf("%s: %d words, %d of them nouns", split, len(v.all), len(v.things))
	}
}
