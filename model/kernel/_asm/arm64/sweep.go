package main

import (
	"fmt"
	"go/ast"
	"log"
	"strings"
)

// vec writes a NEON function for each loop of vec_generic.go.
func (w *writer) vec(dir string) {
	s := readSpec(dir+"/vec_generic.go", dir+"/math.go", dir+"/adamw.go")
	w.code.WriteString("\n// Sixteen words of ones, then sixteen of zeros: " +
		"the masks for r lanes begin r words before the middle.\n")
	for i := range 8 {
		w.code.WriteString(fmt.Sprintf("DATA vecMask<>+%d(SB)/8, $-1\n", 8*i))
	}
	fmt.Fprintf(&w.code, "GLOBL vecMask<>(SB), RODATA|NOPTR, $128\n")
	for _, f := range s.order {
		name, ok := strings.CutSuffix(f.Name.Name, "Generic")
		switch {
		case !ok:
		case name == "finite":
			w.finite()
		case strings.HasSuffix(name, "Rows"):
			w.columns(name, f, s.rows(f))
		default:
			w.sweep(name, f, s.loop(f))
		}
	}
}

// frame is a function being written: where its arguments lie and what its registers hold.
type frame struct {
	*writer
	*program
	offset  map[string]int
	kind    map[string]string
	slices  []string          // in the order of the arguments
	base    map[string]string // the general register that points into a slice
	args    int
	results []string // where the results lie
	free    []reg
	fixed   map[*node]reg
	lanes   map[string][4]reg
	doc     string
}

func newFrame(w *writer, name string, f *ast.FuncDecl, p *program) *frame {
	fr := &frame{writer: w, program: p, offset: map[string]int{}, kind: map[string]string{}, base: map[string]string{},
		fixed: map[*node]reg{}, lanes: map[string][4]reg{}}
	for r := reg(31); r >= 0; r-- {
		fr.free = append(fr.free, r)
	}
	size := map[string]int{"[]float32": 24, "float32": 4, "int": 8, "*adamwConsts": 8}
	var signature []string
	for _, field := range f.Type.Params.List {
		t := typeName(field.Type)
		var names []string
		for _, n := range field.Names {
			if size[t] >= 8 {
				fr.args = (fr.args + 7) &^ 7
			}
			fr.offset[n.Name], fr.kind[n.Name] = fr.args, t
			fr.args += size[t]
			if t == "[]float32" {
				fr.slices = append(fr.slices, n.Name)
			}
			names = append(names, n.Name)
		}
		signature = append(signature, strings.Join(names, ", ")+" "+t)
	}
	text := "(" + strings.Join(signature, ", ") + ")"
	if r := f.Type.Results; r != nil {
		fr.args = (fr.args + 7) &^ 7
		var names []string
		for _, field := range r.List {
			for _, n := range field.Names {
				names = append(names, n.Name+"Sum") // g alone is a register
			}
		}
		if names == nil {
			text, names = text+" float32", []string{"ret"}
		} else {
			text += " (" + strings.Join(names, ", ") + " float32)"
		}
		for _, n := range names {
			fr.results = append(fr.results, fmt.Sprintf("%s+%d(FP)", n, fr.args))
			fr.args += 4
		}
	}
	fr.doc = strings.Replace(strings.TrimSpace(f.Doc.Text()), name+"Generic", name+"NEON", 1)
	scratch := 64 * len(fr.slices)
	if strings.HasSuffix(name, "Rows") {
		scratch = 0
	}
	w.function(name+"NEON", text, fr.doc, scratch, fr.args)
	for i, s := range fr.slices {
		fr.base[s] = fmt.Sprintf("R%d", i)
		w.ins("MOVD %s_base+%d(FP), R%d", s, fr.offset[s], i)
	}
	return fr
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.ArrayType:
		return "[]" + typeName(e.Elt)
	case *ast.StarExpr:
		return "*" + typeName(e.X)
	}
	return ""
}

func (f *frame) take() reg {
	if len(f.free) == 0 {
		log.Fatal("arm64: a loop needs more than 32 vector registers")
	}
	r := f.free[len(f.free)-1]
	f.free = f.free[:len(f.free)-1]
	return r
}

func (f *frame) give(r reg) { f.free = append(f.free, r) }

// hold loads constants and scalars, which stay in registers.
func (f *frame) hold() {
	pointer := false
	for _, n := range f.held {
		r := f.take()
		f.fixed[n] = r
		field, ofK := strings.CutPrefix(n.name, "k.")
		switch {
		case n.op == "const":
			f.ins("MOVW $0x%08x, R14", n.bits)
			f.ins("VDUP R14, V%d.S4", r)
		case ofK:
			if !pointer {
				f.ins("MOVD k+%d(FP), R15", f.offset["k"])
				pointer = true
			}
			f.ins("FMOVS %d(R15), F%d", 4*f.fields[field], r)
			f.ins("VDUP V%d.S[0], V%d.S4", r, r)
		case f.kind[n.name] == "float32":
			f.ins("FMOVS %s+%d(FP), F%d", n.name, f.offset[n.name], r)
			f.ins("VDUP V%d.S[0], V%d.S4", r, r)
		case f.kind[n.name] != "[]float32": // a slice holds one scalar a row, see columns
			log.Fatalf("arm64: %s is neither argument nor constant", n.name)
		}
	}
}

// body writes the loop's operations for vector h of four; masked when R14 points at the masks of the lanes that count.
func (f *frame) body(h int, masked bool) {
	in := map[*node]reg{}
	at := func(n *node) reg {
		if r, ok := f.fixed[n]; ok {
			return r
		}
		return in[n]
	}
	kept := func(x reg) (reg, bool) { // x with zeros in the lanes that do not count
		if !masked {
			return x, false
		}
		m := f.take()
		f.read(m, "R14", 16*h)
		f.ins("VAND V%d.B16, V%d.B16, V%d.B16", m, x, m)
		return m, true
	}
	for i, n := range f.nodes {
		var r reg
		switch n.op {
		case "load":
			r = f.take()
			f.read(r, f.base[n.name], 16*h)
		case "store":
			f.write(at(n.args[0]), f.base[n.name], 16*h)
		case "sum":
			x, mine := kept(at(n.args[0]))
			acc := f.lanes[n.name][h]
			f.op3("FADD", acc, acc, x)
			if mine {
				f.give(x)
			}
		case "most": // a NaN is not greater and passed over
			x, acc := at(n.args[0]), f.lanes[n.name][h]
			c := f.take()
			f.op3("FCMGT", c, x, acc)
			m, mine := kept(c)
			f.ins("VBIT V%d.B16, V%d.B16, V%d.B16", m, x, acc)
			if mine {
				f.give(m)
			}
			f.give(c)
		case "select":
			r = f.take()
			f.op3("FCMGT", r, at(n.args[0]), at(n.args[1]))
			f.ins("VBSL V%d.B16, V%d.B16, V%d.B16", at(n.args[3]), at(n.args[2]), r)
		default:
			r = f.take()
			switch {
			case n.op == "SHL23":
				f.ins("VSHL $23, V%d.S4, V%d.S4", at(n.args[0]), r)
			case len(n.args) == 1:
				f.op2(n.op, r, at(n.args[0]))
			default:
				f.op3(n.op, r, at(n.args[0]), at(n.args[1]))
			}
		}
		if n.op != "store" && n.op != "sum" && n.op != "most" {
			in[n] = r
		}
		done := map[*node]bool{}
		for _, a := range n.args {
			if x, ok := in[a]; ok && a.last == i && !done[a] {
				f.give(x)
				done[a] = true
			}
		}
	}
}

// sweep writes a loop over elements, sixteen at a time where there are sums, whose lane l takes elements l, l+16, ...,
// else eight. What is left is copied to the stack, computed there with the lanes beyond masked out of the sums, and
// copied back.
func (w *writer) sweep(name string, decl *ast.FuncDecl, p *program) {
	f := newFrame(w, name, decl, p)
	first := f.slices[0]
	w.ins("MOVD %s_len+%d(FP), R5", first, f.offset[first]+8)
	accumulators := f.accumulators()
	f.hold()
	vectors := 2
	if len(accumulators) > 0 {
		vectors = 4
	}
	w.ins("SUBS $%d, R5", 4*vectors)
	w.ins("BLT rest")
	w.label("loop")
	for h := range vectors {
		f.body(h, false)
	}
	for _, s := range f.slices {
		w.ins("ADD $%d, %s", 16*vectors, f.base[s])
	}
	w.ins("SUBS $%d, R5", 4*vectors)
	w.ins("BGE loop")
	w.label("rest")
	w.ins("ADDS $%d, R5", 4*vectors)
	w.ins("BEQ done")
	whole := map[string]string{}
	for i, s := range f.slices {
		whole[s] = f.base[s]
		f.base[s] = fmt.Sprintf("R%d", 6+i)
		w.ins("MOVD $%s-%d(SP), %s", s+"Rest", 64*(i+1), f.base[s])
		f.copyWords(s+"In", whole[s], f.base[s])
	}
	if len(accumulators) > 0 {
		w.ins("MOVD $vecMask<>+64(SB), R14")
		w.ins("SUB R5<<2, R14")
	}
	for h := range vectors {
		if h > 0 {
			w.ins("CMP $%d, R5", 4*h)
			w.ins("BLE back")
		}
		f.body(h, len(accumulators) > 0)
	}
	w.label("back")
	for _, s := range f.slices {
		if p.writes[s] {
			f.copyWords(s+"Out", f.base[s], whole[s])
		}
	}
	w.label("done")
	f.fold(accumulators)
	w.ins("RET")
}

// accumulators sets the lanes of the sums, or of the largest, to where they start, and gives the names of these.
func (f *frame) accumulators() []string {
	names := f.sums
	if f.most != "" {
		names = []string{f.most}
	}
	for _, s := range names {
		var l [4]reg
		for i := range l {
			l[i] = f.take()
			if f.most == "" {
				f.zero(l[i])
			} else {
				f.ins("MOVW $0xff800000, R15 // -Inf")
				f.ins("VDUP R15, V%d.S4", l[i])
			}
		}
		f.lanes[s] = l
	}
	return names
}

// fold joins sixteen lanes in the fixed order, lane l with l+8, l+4, l+2, l+1, and returns the results.
func (f *frame) fold(accumulators []string) {
	join := "FADD"
	if f.most != "" {
		join = "FMAX" // no lane is a NaN
	}
	for i, s := range accumulators {
		l := f.lanes[s]
		f.op3(join, l[0], l[0], l[2])
		f.op3(join, l[1], l[1], l[3])
		f.op3(join, l[0], l[0], l[1])
		f.ins("VDUP V%d.D[1], V%d.D2", l[0], l[1])
		f.op3(join, l[0], l[0], l[1])
		f.ins("VDUP V%d.S[1], V%d.S4", l[0], l[1])
		f.op3(join, l[0], l[0], l[1])
		f.ins("FMOVS F%d, %s", l[0], f.results[i])
	}
}

// copyWords copies R5 words.
func (f *frame) copyWords(label, from, to string) {
	f.ins("MOVD R5, R11")
	f.ins("MOVD %s, R12", from)
	f.ins("MOVD %s, R13", to)
	f.label(label)
	f.ins("MOVWU.P 4(R12), R15")
	f.ins("MOVW.P R15, 4(R13)")
	f.ins("SUBS $1, R11")
	f.ins("BNE %s", label)
}

// columns writes a sum down n > 0 rows, sixteen columns at a time with their sums in registers. len(acc) must be a
// multiple of 16.
func (w *writer) columns(name string, decl *ast.FuncDecl, p *program) {
	f := newFrame(w, name, decl, p)
	var l [4]reg
	for i := range l {
		l[i] = f.take()
	}
	f.lanes["acc"] = l
	f.hold()
	w.ins("MOVD acc_len+%d(FP), R5", f.offset["acc"]+8)
	w.ins("MOVD stride+%d(FP), R14", f.offset["stride"])
	w.ins("LSL $2, R14")
	w.ins("LSR $4, R5")
	w.ins("CBZ R5, done")
	top := map[string]string{}
	w.label("loop")
	w.ins("MOVD n+%d(FP), R15", f.offset["n"])
	for i, s := range f.slices[1:] {
		top[s], f.base[s] = fmt.Sprintf("R%d", i+1), fmt.Sprintf("R%d", 6+i)
		w.ins("MOVD %s, %s", top[s], f.base[s])
	}
	for h, r := range l {
		w.read(r, "R0", 16*h)
	}
	w.label("row")
	for _, n := range f.held {
		w.ins("FMOVS.P 4(%s), F%d", f.base[n.name], f.fixed[n])
		w.ins("VDUP V%d.S[0], V%d.S4", f.fixed[n], f.fixed[n])
	}
	for h := range 4 {
		f.body(h, false)
	}
	for _, s := range f.slices[1:] {
		if p.slices[s] {
			w.ins("ADD R14, %s", f.base[s])
		}
	}
	w.ins("SUBS $1, R15")
	w.ins("BNE row")
	for h, r := range l {
		w.write(r, "R0", 16*h)
	}
	w.ins("ADD $64, R0")
	for _, s := range f.slices[1:] {
		if p.slices[s] {
			w.ins("ADD $64, %s", top[s])
		}
	}
	w.ins("SUBS $1, R5")
	w.ins("BNE loop")
	w.label("done")
	w.ins("RET")
}

// finite counts the vectors in which an exponent is all ones. len(x) must be a multiple of 4.
func (w *writer) finite() {
	w.function("finiteNEON", "(x []float32) (bad int)",
		"finiteNEON gives 0 when no x is Inf or NaN. len(x) must be a multiple of 4.", 0, 32)
	w.ins("MOVD x_base+0(FP), R0")
	w.ins("MOVD x_len+8(FP), R1")
	w.zero(0)
	w.ins("MOVW $0x7f800000, R2")
	w.ins("VDUP R2, V1.S4")
	w.ins("LSR $2, R1")
	w.ins("CBZ R1, done")
	w.label("loop")
	w.ins("FMOVQ.P 16(R0), F2")
	w.ins("VAND V1.B16, V2.B16, V2.B16")
	w.ins("VCMEQ V1.S4, V2.S4, V2.S4")
	w.ins("VORR V2.B16, V0.B16, V0.B16")
	w.ins("SUBS $1, R1")
	w.ins("BNE loop")
	w.label("done")
	w.ins("VMOV V0.D[0], R0")
	w.ins("VMOV V0.D[1], R1")
	w.ins("ORR R1, R0")
	w.ins("MOVD R0, bad+24(FP)")
	w.ins("RET")
}
