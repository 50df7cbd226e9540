package ifeval

import (
	"slices"
	"strings"
	"testing"
)

// TestLanguage has what langdetect 1.0.9 says.
func TestLanguage(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"1234 5678 ??? !!!", ""},
		{"https://example.org/a?b=c someone@example.org", ""},
		{"\U0001f389 \U0001f916", ""},
		{"2 × 3", "ko"},
		{"The ship sails on the sea, and the storm is near.", "en"},
		{"THE SHIP SAILS ON THE SEA, AND THE STORM IS NEAR.", "en"},
		{"FALSE", "de"},
		{"Das Schiff fährt auf dem Meer, und der Sturm ist nah.", "de"},
		{"Meli inasafiri baharini na dhoruba iko karibu sana na watu wanaogopa.", "sw"},
		{"Con tàu đang đi trên biển và cơn bão sắp đến gần.", "vi"},
		{"Con ta\u0300u đi trên biê\u0309n va\u0300 cơn ba\u0303o đê\u0301n.", "vi"},
		{"Корабль плывёт по морю, и буря близко.", "ru"},
		{"यह हिन्दी में लिखा वाक्य है।", "hi"},
		{"یہ اردو میں لکھا ہوا ایک جملہ ہے۔", "ur"},
		{"海はとても静かです。 OK", "ja"},
	} {
		if got := language(c.text); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

// TestLanguageIsRepeatable asks for words that whatlanggo finds equally likely in several languages.
func TestLanguageIsRepeatable(t *testing.T) {
	for _, text := range []string{"жж", "ок", "ш", "हे", "ए", "لا", "و", "да", "не"} {
		first := language(text)
		for range 50 {
			if again := language(text); again != first || first == "" {
				t.Fatalf("%q: %q, then %q", text, first, again)
			}
		}
	}
}

func TestNgrams(t *testing.T) {
	got := strings.Join(ngrams("To NASA, ok"), "|")
	if want := "T| T|o|To| To|o |To |N| N|A |SA |o| o|k|ok| ok"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestLatinTable wants a column for each target that is written in Latin letters, and weights in every row.
func TestLatinTable(t *testing.T) {
	table := latinWeights()
	for _, code := range strings.Fields("de en es fi fr it pl pt sw vi") {
		if !slices.Contains(table.languages, code) || !slices.Contains(targets(), code) {
			t.Errorf("%s has no column or is no target", code)
		}
	}
	for gram, weights := range table.weights {
		if n := len([]rune(gram)); n < 1 || n > 3 || slices.Max(weights) == slices.Min(weights) {
			t.Errorf("%q: %v", gram, weights)
		}
	}
}
