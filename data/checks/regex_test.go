package checks

import (
	"strings"
	"testing"
	"time"
)

// TestRegexp has expressions that .NET, whose rules the library follows, reads otherwise than JavaScript.
func TestRegexp(t *testing.T) {
	for _, x := range []struct{ source, match, other string }{
		{`a$`, "a", "a\n"},
		{`^.$`, "\u0085", "\u2028"},
		{`^.$`, "é", "😀"},
		{`^..$`, "😀", "é"},
		{`^[😀]$`, "", "😀"},
		{`[😀]`, "😎", "a"},
		{`^[^a]{2}$`, "😀", "a"},
		{`\ud83d`, "😀", "a"},
		{`^\s$`, "\ufeff", "\u0085"},
		{`\d`, "1", "١"},
		{`^\w+$`, "az_9", "é"},
		{`\bb`, "éb", "ab"},
		{`[]`, "", "a"},
		{`[^]`, "\n", ""},
		{`[[a]`, "[", "b"},
		{`^[a-z-[aeiou]]$`, "e]", "b"},
		{`[\w-x]`, "-", "+"},
		{`[\b]`, "\b", "b"},
		{`(?<x>a)(b)\1`, "aba", "abb"},
		{`(?<x>a)\k<x>`, "aa", "a"},
		{`(a)|b\1c`, "bc", "c"},
		{`a{,2}`, "a{,2}", "aa"},
		{`x{1`, "x{1", "x"},
		{`}]`, "}]", "}"},
		{`(?=a)*b`, "b", "a"},
		{`\/\-\.\#`, "/-.#", "/-x#"},
		{`\cJ\x41\u0042\0`, "\nAB\x00", "AB"},
		{`a{2,99999999999}`, "aa", "a"},
	} {
		re, err := CompileRegexp(x.source, false)
		if err != nil {
			t.Error(err)
			continue
		}
		if x.match != "" && !re.MatchString(x.match) {
			t.Errorf("%s does not match %q (%s)", x.source, x.match, re.re)
		}
		if re.MatchString(x.other) {
			t.Errorf("%s matches %q (%s)", x.source, x.other, re.re)
		}
	}
}

func TestRegexpUnicode(t *testing.T) {
	for _, x := range []struct{ source, match, other string }{
		{`^.$`, "😀", "ab"},
		{`^[😀-😎]$`, "😃", "a"},
		{`^\p{Lu}\P{L}$`, "É1", "é1"},
		{`^[\p{Script=Greek}_]+$`, "σ_", "s"},
		{`^\u{1F600}\ud83d\ude00$`, "😀😀", "😀"},
	} {
		re, err := CompileRegexp(x.source, true)
		if err != nil {
			t.Error(err)
			continue
		}
		if !re.MatchString(x.match) || re.MatchString(x.other) {
			t.Errorf("%s: %v for %q, %v for %q", x.source, re.MatchString(x.match), x.match, re.MatchString(x.other), x.other)
		}
	}
}

func TestRegexpErrors(t *testing.T) {
	for _, x := range []struct {
		source  string
		unicode bool
		reason  string
	}{
		{`a**`, false, "nothing to repeat"}, {`*`, false, "nothing to repeat"}, {`^*`, false, "nothing to repeat"},
		{`\b+`, false, "nothing to repeat"}, {`(?<=a)*`, false, "nothing to repeat"}, {`{1}`, false, "nothing to repeat"},
		{`(?=a)*`, true, "nothing to repeat"}, {`a{2}{3}`, false, "nothing to repeat"},
		{`a{3,2}`, false, "out of order"}, {`[b-a]`, false, "out of order"}, {`[😀-😎]`, false, "out of order"},
		{`(`, false, "not closed"}, {`)`, false, "closes no group"}, {`[`, false, "not closed"}, {`\`, false, "ends"},
		{`(?i)a`, false, "unknown kind of group"}, {`(?#x)`, false, "unknown kind"}, {`(?>a)`, false, "unknown kind"},
		{`(?'x'a)`, false, "unknown kind"}, {`(?<a-b>x)`, false, "unknown kind"}, {`(?`, false, "unknown kind"},
		{`(?<x>a)(?<x>b)`, false, "two groups"}, {`\1`, false, "refers to no group"}, {`(a)\2`, false, "refers to no group"},
		{`(?<x>a)\k<y>`, false, "names no group"}, {`\a`, false, "unknown escape"}, {`\Z`, false, "unknown escape"},
		{`\p{L}`, false, "flag u"}, {`\p{Nope}`, true, "unknown property"}, {`\x4`, false, "2 hexadecimal"},
		{`\u{61}`, false, "4 hexadecimal"}, {`\u{110000}`, true, "character's number"}, {`\01`, false, "unknown escape"},
		{`}`, true, "lone"}, {`\-`, true, "flag u"}, {`[\w-a]`, true, "cannot end a range"},
	} {
		_, err := CompileRegexp(x.source, x.unicode)
		if err == nil || !strings.Contains(err.Error(), x.reason) {
			t.Errorf("%s: error %v, want %q", x.source, err, x.reason)
		}
	}
}

// TestRegexpTimeout makes sure that an expression that goes back and forth for ever ends.
func TestRegexpTimeout(t *testing.T) {
	re, err := CompileRegexp(`^(?:a|aa)*$`, false)
	if err != nil {
		t.Fatal(err)
	}
	re.re.MatchTimeout = time.Millisecond
	if ok, err := re.Match(strings.Repeat("a", 100) + "b"); ok || err == nil {
		t.Errorf("match %v, error %v", ok, err)
	}
}
