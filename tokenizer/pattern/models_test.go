package pattern

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"instruct/tokenizer/internal/fixture"
)

// eachWord is a scanner as a finder.
type eachWord struct{ Scanner }

func (eachWord) Source() string { return "" }

func (w eachWord) Find(s string, match func(a, b int)) {
	for i := 0; i < len(s); {
		j := w.Next(s, i)
		match(i, j)
		i = j
	}
}

// matches gives the matches of a finder, each as its beginning and end.
func matches(f Finder, s string) (list [][2]int) {
	f.Find(s, func(a, b int) { list = append(list, [2]int{a, b}) })
	return list
}

// The scanners written by hand find what the regular expressions that they stand for find: on every character of
// Unicode and on random texts.
func TestScannersEqualRegex(t *testing.T) {
	classes := NewClasses()
	patterns := []string{
		CLIP, CLIPEnds, deepseekRegex, kimiRegex, GPT2, Llama3, Qwen2, qwen35Regex, O200K, Tekken,
		` ?[^(\s|[.,!?…。，、।۔،])]+`, `[一-龥぀-ゟ゠-ヿ]+`, `[\r\n]`, `\s?\p{L}+`, `\s?\p{P}+`, `[\p{Han}]+`,
		`\S?\S`, `x?x+`, ` ?\p{N}`, `[^\p{L}]?[\p{L}\p{M}]+`,
	}
	var common []rune
	for _, s := range []string{"the Dog's I'LL 12 x<|endoftext|>, \n\r\t  !?.",
		"éßſﬁĲǅʰªا\u0301\u0e01ー一々〇" +
			"⺀ば한中𠀀𖿰\u3000\u00a0\u2028½٣²…。，_$`\x00\u00ad\u200d\ufffd"} {
		common = append(common, []rune(s)...)
	}
	words := []string{"'s", "'LL", "don't", "<|startoftext|>", "<|endoftext|>", "<|end", "  ", " \n ", "\r\n", "!!\n\n",
		"-ed", "123456", "HTMLParser", "x中X", "中x", "_a", " a", "1a"}
	for _, src := range patterns {
		regex, err := compileRegex(src, classes)
		if err != nil {
			t.Fatal(err)
		}
		got, err := NewFinder(src, classes)
		if err != nil {
			t.Fatal(err)
		}
		if words, ok := Words(src, classes); ok {
			got = eachWord{words}
		}
		if _, slow := got.(findRegex); slow {
			t.Errorf("%s has no scanner", src)
		}
		check := func(s string) {
			if a, b := matches(got, s), matches(regex, s); !slices.Equal(a, b) {
				t.Fatalf("%s on %q: %v, want %v", src, s, a, b)
			}
		}
		r := rand.New(rand.NewPCG(3, 4))
		for at := rune(0); at <= 0x10FFFF; { // between letters, and between a sign and an ideograph
			var s strings.Builder
			for n := 0; n < 32 && at <= 0x10FFFF; n++ {
				c := string(at)
				s.WriteString("a" + c + "b " + c + "!" + c + "中")
				switch {
				case fixture.Race || at > 0x3500 && at < 0xA000 || at > 0xAC10 && at < 0xF800 || at > 0x17010 && at < 0x18C00 ||
					at > 0x20010 && at < 0x10FF00:
					at += 61 // ideographs, syllables, private use, nothing
				case at > 0x3500:
					at += 3
				default:
					at++
				}
			}
			check(s.String())
		}
		for range 800 {
			var s strings.Builder
			for range r.IntN(24) {
				switch r.IntN(8) {
				case 0:
					s.WriteString(words[r.IntN(len(words))])
				case 1:
					s.WriteRune(rune(r.IntN(0x3400)))
				case 2:
					s.WriteRune(rune(r.IntN(0x110000)))
				default:
					s.WriteRune(common[r.IntN(len(common))])
				}
			}
			check(s.String())
		}
	}
}
