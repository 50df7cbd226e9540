package main

import (
	"bytes"
	"fmt"
	"log"
	"maps"
	"slices"
	"strings"
)

// special is what sets a kernel apart from the plain ones, whose first slice tells the length of all and which take any
// length.
type special struct {
	name string            // of the function that chooses, where it cannot be that of the kernel
	args map[string]string // arguments on amd64

	// What an instruction set does not take is left to the specification: the elements (of rows: the columns) after the
	// last whole unit.
	unit map[string]int // by architecture; 0: it takes any length
	// The form is called with the number of units and pointers. One serves all paths of amd64, and no other architecture
	// has any.
	counted bool
	amd64   bool // no other architecture has a form
	// The form gives the number of exceptions and the kernel says whether there is none.
	none bool
}

var specials = map[string]special{
	"max":           {name: "maxOf"},
	"adamw":         {args: map[string]string{"k": "&k.gradScale"}},
	"addRows":       {unit: map[string]int{"arm64": 16}},
	"mulAddRows":    {unit: map[string]int{"arm64": 16}},
	"layerNormRows": {unit: map[string]int{"arm64": 16}},
	"finite":        {unit: map[string]int{"arm64": 4}, none: true},
	"roundBF16":     {unit: map[string]int{"amd64": 16}, counted: true},
	"expandBF16":    {unit: map[string]int{"amd64": 8}, counted: true},
	"roundValues":   {amd64: true},
}

func writeKernel(b *bytes.Buffer, a arch, stem string, f function) {
	s := specials[stem]
	name := stem
	if s.name != "" {
		name = s.name
	}
	f.open(b, name)
	switch {
	case a.paths == nil || (s.counted || s.amd64) && a.name != "amd64":
		if f.returns {
			fmt.Fprint(b, "return ")
		}
		fmt.Fprintln(b, f.call(stem+"Generic", nil))
	case s.counted:
		writeCounted(b, a, stem, s, f)
	case s.unit[a.name] > 0:
		writeUnits(b, a, stem, s, f)
	default:
		writePlain(b, a, stem, s, f)
	}
	fmt.Fprintln(b, "}")
}

// cut gives the arguments of an assembly form: slices that are as long as the first one says.
func cut(b *bytes.Buffer, a arch, s special, f function) map[string]string {
	first, args := f.slices[0], map[string]string{}
	if f.matrices != nil {
		fmt.Fprintf(b, "if n <= 0 {\nreturn\n}\nlast := (n-1)*stride + len(%s)\n", first)
	}
	for _, p := range f.slices[1:] {
		switch {
		case f.matrices == nil:
			args[p] = p + "[:len(" + first + ")]"
		case slices.Contains(f.matrices, p):
			args[p] = p + "[:last]"
		default: // one value a row
			args[p] = p + "[:n]"
		}
	}
	if a.name == "amd64" {
		maps.Copy(args, s.args)
	}
	return args
}

// writePlain: one form does all.
func writePlain(b *bytes.Buffer, a arch, stem string, s special, f function) {
	args := cut(b, a, s, f)
	before, after := "", ""
	if f.returns {
		before = "return "
	}
	if s.none {
		after = " == 0"
	}
	fmt.Fprintln(b, "switch path {")
	for _, path := range a.paths {
		fmt.Fprintf(b, "case %s:\n%s%s%s\n", path, before, f.call(form(stem, path), args), after)
	}
	generic := f.call(stem+"Generic", nil)
	if f.returns {
		fmt.Fprintf(b, "}\nreturn %s\n", generic)
	} else {
		fmt.Fprintf(b, "default:\n%s\n}\n", generic)
	}
}

// writeUnits: a form does whole units, and the specification what is left.
func writeUnits(b *bytes.Buffer, a arch, stem string, s special, f function) {
	first, unit := f.slices[0], s.unit[a.name]
	args, rest := cut(b, a, s, f), map[string]string{first: first + "[done:]"}
	args[first] = first + "[:done]"
	for _, p := range f.matrices {
		rest[p] = p + "[done:]"
	}
	fmt.Fprintln(b, "done := 0\nswitch path {")
	for _, path := range a.paths {
		call := f.call(form(stem, path), args)
		if s.none {
			call = "if " + call + " != 0 {\nreturn false\n}"
		}
		fmt.Fprintf(b, "case %s:\ndone = len(%s) &^ %d\n%s\n", path, first, unit-1, call)
	}
	fmt.Fprintln(b, "}")
	generic := f.call(stem+"Generic", rest)
	if f.returns {
		fmt.Fprintf(b, "return %s\n", generic)
	} else {
		fmt.Fprintf(b, "if done < len(%s) {\n%s\n}\n", first, generic)
	}
}

// writeCounted: the form for AVX2 does whole units.
func writeCounted(b *bytes.Buffer, a arch, stem string, s special, f function) {
	dst, src, unit := f.slices[0], f.slices[1], s.unit[a.name]
	fmt.Fprintf(b, "done := 0\nif path != generic && len(%s) >= %d {\ndone = len(%s) &^ %d\n", dst, unit, dst, unit-1)
	fmt.Fprintf(b, "%s(done/%d, &%s[0], &%s[:done][0])\n}\n", form(stem, "avx2"), unit, dst, src)
	fmt.Fprintln(b, f.call(stem+"Generic", map[string]string{dst: dst + "[done:]", src: src + "[done:]"}))
}

// choice is a function that chooses between assembly functions of one signature, for callers that know that there is
// assembly.
type choice struct {
	arch, name string
	rows       []int  // one form for each number of rows; none: one for each path
	forms      string // with %d for the rows, %s for the path
}

var choices = []choice{
	{"amd64", "tiles", nil, "gemm%s"},
	{"amd64", "copyPanel", nil, "copyPanel%s"},
	{"amd64", "peakLoop", nil, "peak%s"},
	{"amd64", "q8AVX2", []int{3, 2, 1}, "q8x%dAVX2"},
	{"amd64", "q8VNNI", []int{8, 4, 2, 1}, "q8x%dVNNI"},
	{"amd64", "q40AVX2", []int{3, 2, 1}, "q40x%dAVX2"},
	{"amd64", "q40VNNI", []int{8, 4, 2, 1}, "q40x%dVNNI"},
	{"amd64", "q41AVX2", []int{3, 2, 1}, "q41x%dAVX2"},
	{"amd64", "q41VNNI", []int{8, 4, 2, 1}, "q41x%dVNNI"},
	{"arm64", "gemmRows", []int{6, 5, 4, 3, 2, 1}, "gemm%dx16"},
	{"arm64", "gemmRowsT", []int{6, 5, 4, 3, 2, 1}, "gemm%dx16T"},
}

func writeChoices(b *bytes.Buffer, a arch, stubs map[string]function) {
	for _, c := range choices {
		if c.arch != a.name {
			continue
		}
		var forms, cases []string
		on := "path"
		for _, path := range a.paths {
			cases = append(cases, path)
			forms = append(forms, strings.ReplaceAll(c.forms, "%s", strings.ToUpper(path)))
		}
		if c.rows != nil {
			on, forms, cases = "rows", nil, nil
			for _, n := range c.rows {
				cases = append(cases, fmt.Sprint(n))
				forms = append(forms, fmt.Sprintf(c.forms, n))
			}
		}
		f, ok := stubs[forms[0]]
		if !ok {
			log.Fatalf("dispatch: there is no %s", forms[0])
		}
		shown := f
		if c.rows != nil {
			shown.params, shown.types = append([]string{"rows"}, f.params...), append([]string{"int"}, f.types...)
		}
		head := "func " + c.name + shown.grouped() + " {"
		if len(head) > 120 {
			at := strings.LastIndex(head[:100], ", ") + 1
			head = head[:at] + "\n" + head[at:]
		}
		fmt.Fprintf(b, "\n// %s calls %s.\n%s\nswitch %s {\n", c.name, list(forms), head, on)
		for i, name := range forms {
			fmt.Fprintf(b, "case %s:\n%s\n", cases[i], f.call(name, nil))
		}
		fmt.Fprintln(b, "}\n}")
	}
}

// list joins names as a sentence does.
func list(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
