package jinja

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// The templates of testdata/make.py, with what Jinja2 made of them.
func TestCasesOfJinja2(t *testing.T) {
	data, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Context json.RawMessage
		Cases   []struct{ Template, Out, Error string }
	}
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Cases {
		t.Run(c.Template, func(t *testing.T) {
			tp, err := Parse(c.Template)
			var r *Result
			if err == nil {
				r, err = tp.Render(value(t, string(f.Context)).(*Dict), fixed)
			}
			switch {
			case c.Error != "":
				var e *Error
				if !errors.As(err, &e) {
					t.Errorf("got %v and %v, Jinja2 fails with %s", r, err, c.Error)
				}
			case err != nil:
				t.Errorf("%v, want %q", err, c.Out)
			case r.Text != c.Out:
				t.Errorf("got\n%q, want\n%q", r.Text, c.Out)
			}
		})
	}
}

// The origin of bytes through what a template can do to a text. "{m}" is the marked text " a<b \n".
func TestMarks(t *testing.T) {
	tests := []struct {
		template string
		want     []string // the marked parts of the output
	}{
		{"[{{ m }}]", []string{" a<b \n"}},
		{"[{{ m | trim }}]", []string{"a<b"}},
		{"[{{ m.strip() + '!' + m }}]", []string{"a<b", " a<b \n"}},
		{"{{ m | upper }}{{ m | replace('b', 'xy') | trim }}", []string{" A<B \na<"}},
		{"{{ 'z' ~ (m | trim).replace('<', '--') }}", []string{"a", "b"}},
		{"{{ m.split('<')[1].lstrip('b') }}", []string{" \n"}},
		{"{{ (m | trim).replace('', '.') }}", []string{"a", "<", "b"}},
		{"{{ (m | trim).replace('', '.', 2) }}", []string{"a", "<b"}},
		{"{{ 'xyx'.replace('x', m | trim) }}", []string{"a<b", "a<b"}},
		{"{{ m | trim | e }}", []string{"a&lt;b"}},
		{"{{ [m | trim] }}", []string{"a<b"}},
		{"{{ {'k': m} | tojson }}", []string{" a<b \\n"}},
		{"{{ '%s and %s' % (m | trim, 'x') }}", []string{"a<b"}},
		{"{% set q %}<{{ m[1:3] }}>{% endset %}{{ q }}{{ m[::-1] | trim }}", []string{"a<", "b<a"}},
		{"{% macro f(x) %}({{ x | trim }}){% endmacro %}{{ f(m) }}", []string{"a<b"}},
		{"{% filter trim %}  {{ m }}{% endfilter %}", []string{"a<b"}},
		{"{% for c in m | trim %}{{ c }},{% endfor %}", []string{"a", "<", "b"}},
		{"{{ [m | trim, 'x', m | trim] | join('-') }}", []string{"a<b", "a<b"}},
		{"{{ m == ' a<b \\n' }}{{ m | length }}", nil},
		{"{{ '{} {x}'.format('q', x=m.strip()) }}", []string{"a<b"}},
	}
	for _, test := range tests {
		t.Run(test.template, func(t *testing.T) {
			tp, err := Parse(test.template)
			if err != nil {
				t.Fatal(err)
			}
			r, err := tp.Render(NewDict().Set("m", Mark(" a<b \n", 3)), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range r.Marks {
				if s.ID != 3 {
					t.Errorf("mark %v", s)
				}
				got = append(got, r.Text[s.Start:s.End])
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("marked %q of %q, want %q", got, r.Text, test.want)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	tests := []struct{ name, template string }{
		{"text", "{% set ns = namespace(x='x') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}"},
		{"replace", "{% set ns = namespace(x='x') %}{% for i in range(99) %}{% set ns.x = ns.x.replace('x', 'xx') %}{% " +
			"endfor %}"},
		{"join", "{% set ns = namespace(x='x') %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] | join(ns.x) %}{% " +
			"endfor %}"},
		{"output", "{% set x = 'x' * 1000000 %}{% for i in range(1000) %}{{ x }}{% endfor %}"},
		{"list", "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}"},
		{"range", "{{ range(100001) | list }}"},
		{"loops", "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}"},
		{"recursion", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"},
		{"parentheses", "{{ " + strings.Repeat("(", 100_000)},
		{"brackets", "{{ " + strings.Repeat("[", 100_000)},
		{"signs", "{{ " + strings.Repeat("-", 100_000) + "1 }}"},
		{"nots", "{{ " + strings.Repeat("not ", 100_000) + "1 }}"},
		{"ifs", strings.Repeat("{% if 1 %}", 100_000)},
		{"elifs", "{% if 1 %}" + strings.Repeat("{% elif 1 %}", 100_000) + "{% endif %}"},
		{"integers", "{{ 9223372036854775807 + 1 }}"},
		{"power", "{{ 10 ** 100 }}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tp, err := Parse(test.template)
			if err == nil {
				_, err = tp.Render(NewDict(), Options{})
			}
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	tp, err := Parse("one\ntwo {{ a.b.c }}\n")
	if err != nil {
		t.Fatal(err)
	}
	_, err = tp.Render(NewDict().Set("a", NewDict()), Options{})
	if want := "template line 2: 'dict object' has no attribute 'b'"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Any source ends in a text or in an error, and marks lie inside the text.
func FuzzRender(f *testing.F) {
	data, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		f.Fatal(err)
	}
	var cases struct {
		Context json.RawMessage
		Cases   []struct{ Template string }
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		f.Fatal(err)
	}
	for _, c := range cases.Cases {
		f.Add(c.Template)
	}
	f.Fuzz(func(t *testing.T, source string) {
		tp, err := Parse(source)
		if err != nil {
			return
		}
		vars, err := FromJSON(cases.Context)
		if err != nil {
			t.Fatal(err)
		}
		vars.(*Dict).Set("s", Mark("abc,aXc", 1)).Set("w", Mark("  two words \n", 2))
		r, err := tp.Render(vars.(*Dict), fixed)
		if err != nil {
			return
		}
		for _, s := range slices.Concat(r.Marks, r.Generation) {
			if s.Start < 0 || s.End < s.Start || s.End > len(r.Text) {
				t.Fatalf("mark %v in a text of %d bytes", s, len(r.Text))
			}
		}
	})
}

func Example() {
	template, err := Parse("{% for m in messages %}{{ m.role }}: {{ m.content | trim }}\n{% endfor %}")
	if err != nil {
		panic(err)
	}
	message := NewDict().Set("role", Text{S: "user"}).Set("content", Mark("  hello  ", 0))
	r, err := template.Render(NewDict().Set("messages", &List{Items: []Value{message}}), Options{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%q\n", r.Text)
	fmt.Printf("%q\n", r.Text[r.Marks[0].Start:r.Marks[0].End])
	// Output:
	// "user: hello\n"
	// "hello"
}
