package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"math"
	"strconv"
)

// spec is the Go source of the loops: functions and float32 constants by name, the places of adamwConsts' fields.
type spec struct {
	files  token.FileSet
	order  []*ast.FuncDecl // of the first file
	funcs  map[string]*ast.FuncDecl
	consts map[string]float32
	fields map[string]int
}

func readSpec(paths ...string) *spec {
	s := &spec{funcs: map[string]*ast.FuncDecl{}, consts: map[string]float32{}, fields: map[string]int{}}
	for i, path := range paths {
		f, err := parser.ParseFile(&s.files, path, nil, parser.ParseComments)
		if err != nil {
			log.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				s.funcs[d.Name.Name] = d
				if i == 0 {
					s.order = append(s.order, d)
				}
			case *ast.GenDecl:
				s.declare(d)
			}
		}
	}
	return s
}

func (s *spec) declare(d *ast.GenDecl) {
	for _, x := range d.Specs {
		switch x := x.(type) {
		case *ast.ValueSpec:
			for i, v := range x.Values {
				if f, ok := s.number(v); ok {
					s.consts[x.Names[i].Name] = f
				}
			}
		case *ast.TypeSpec:
			if t, ok := x.Type.(*ast.StructType); ok && x.Name.Name == "adamwConsts" {
				for _, f := range t.Fields.List {
					for _, n := range f.Names {
						s.fields[n.Name] = len(s.fields)
					}
				}
			}
		}
	}
}

// number evaluates a literal: 1, -2.5, float32(0.5), float32(math.Inf(-1)).
func (s *spec) number(e ast.Expr) (float32, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		f, err := strconv.ParseFloat(e.Value, 32)
		return float32(f), err == nil
	case *ast.UnaryExpr:
		f, ok := s.number(e.X)
		return -f, ok && e.Op == token.SUB
	case *ast.CallExpr:
		switch callee(e) {
		case "float32":
			return s.number(e.Args[0])
		case "Inf":
			f, ok := s.number(e.Args[0])
			return f * float32(math.Inf(1)), ok
		}
	}
	return 0, false
}

func (s *spec) fail(n ast.Node, what string) {
	log.Fatalf("%s: arm64: %s is not in the part of Go that is translated", s.files.Position(n.Pos()), what)
}

// node is one operation on a vector of four floats.
type node struct {
	op   string // an instruction, or const, scalar, load, store, sum, most, select
	name string // of a slice, a scalar or a sum
	bits uint32 // of a const
	args []*node
	last int // the place of its last use
}

// program is the body of a loop for one vector.
type program struct {
	*spec
	nodes  []*node
	held   []*node          // constants and scalars, loaded before the loop
	known  map[string]*node // what has been computed already
	slices map[string]bool
	writes map[string]bool
	sums   []string // arrays of 16 lanes, in the order of the results
	most   string   // the variable that holds the largest
}

func (p *program) add(n *node) *node {
	key := n.op + " " + n.name + fmt.Sprint(n.bits)
	for _, a := range n.args {
		key += fmt.Sprintf(" %p", a)
	}
	switch n.op {
	case "store", "sum", "most": // an effect; what was loaded from the slice is old
		for k, x := range p.known {
			if x.op == "load" && n.op == "store" {
				delete(p.known, k)
			}
		}
	default:
		if old := p.known[key]; old != nil {
			return old
		}
		p.known[key] = n
	}
	if n.op == "const" || n.op == "scalar" {
		p.held = append(p.held, n)
		return n
	}
	for _, a := range n.args {
		a.last = len(p.nodes)
	}
	p.nodes = append(p.nodes, n)
	return n
}

func (p *program) constant(f float32) *node {
	return p.add(&node{op: "const", bits: math.Float32bits(f)})
}

// locals are the values of a function's variables; a variable that is missing is a slice, a scalar argument or a
// constant.
type locals map[string]*node

var instruction = map[token.Token]string{token.ADD: "FADD", token.SUB: "FSUB", token.MUL: "FMUL", token.QUO: "FDIV",
	token.ADD_ASSIGN: "FADD", token.SUB_ASSIGN: "FSUB"}

func (p *program) expr(e ast.Expr, env locals) *node {
	if f, ok := p.number(e); ok {
		return p.constant(f)
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return p.expr(e.X, env)
	case *ast.Ident:
		if n := env[e.Name]; n != nil {
			return n
		}
		if f, ok := p.consts[e.Name]; ok {
			return p.constant(f)
		}
		return p.add(&node{op: "scalar", name: e.Name})
	case *ast.SelectorExpr: // a field of adamwConsts
		if _, ok := p.fields[e.Sel.Name]; ok {
			return p.add(&node{op: "scalar", name: "k." + e.Sel.Name})
		}
	case *ast.IndexExpr:
		return p.load(e.X)
	case *ast.UnaryExpr:
		if e.Op == token.SUB {
			return p.add(&node{op: "FNEG", args: []*node{p.expr(e.X, env)}})
		}
	case *ast.BinaryExpr:
		if e.Op == token.SHL {
			if by, ok := e.Y.(*ast.BasicLit); ok && by.Value == "23" {
				return p.add(&node{op: "SHL23", args: []*node{p.expr(e.X, env)}})
			}
		} else if op := instruction[e.Op]; op != "" {
			x := p.expr(e.X, env)
			return p.add(&node{op: op, args: []*node{x, p.expr(e.Y, env)}})
		}
	case *ast.CallExpr:
		switch name := callee(e); name {
		case "float32", "Float32bits", "Float32frombits":
			return p.expr(e.Args[0], env)
		case "sqrt32":
			return p.add(&node{op: "FSQRT", args: []*node{p.expr(e.Args[0], env)}})
		default:
			if f := p.funcs[name]; f != nil {
				return p.call(f, e.Args, env)
			}
		}
	}
	p.fail(e, "this expression")
	return nil
}

// call translates the body of f in its place.
func (p *program) call(f *ast.FuncDecl, args []ast.Expr, outer locals) *node {
	env := locals{}
	for _, field := range f.Type.Params.List {
		for _, n := range field.Names {
			env[n.Name] = p.expr(args[len(env)], outer)
		}
	}
	for _, s := range f.Body.List {
		if r, ok := s.(*ast.ReturnStmt); ok {
			return p.expr(r.Results[0], env)
		}
		p.statement(s, env)
	}
	p.fail(f, "a function without result")
	return nil
}

func (p *program) load(slice ast.Expr) *node {
	name := slice.(*ast.Ident).Name
	p.slices[name] = true
	return p.add(&node{op: "load", name: name})
}

func (p *program) statement(s ast.Stmt, env locals) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		values := make([]*node, len(s.Rhs))
		for i, e := range s.Rhs {
			values[i] = p.expr(e, env)
		}
		for i, to := range s.Lhs {
			p.assign(s, to, values[i], env)
		}
		return
	case *ast.IfStmt: // if a > b { v = x }
		c, ok := s.Cond.(*ast.BinaryExpr)
		then, one := s.Body.List[0].(*ast.AssignStmt)
		if !ok || !one || s.Else != nil || len(s.Body.List) != 1 || c.Op != token.LSS && c.Op != token.GTR {
			break
		}
		big, small := c.X, c.Y
		if c.Op == token.LSS {
			big, small = small, big
		}
		to := then.Lhs[0].(*ast.Ident).Name
		if to == p.most {
			p.add(&node{op: "most", name: to, args: []*node{p.expr(big, env)}})
			return
		}
		env[to] = p.add(&node{op: "select", args: []*node{p.expr(big, env), p.expr(small, env), p.expr(then.Rhs[0], env),
			env[to]}})
		return
	}
	p.fail(s, "this statement")
}

func (p *program) assign(s *ast.AssignStmt, to ast.Expr, v *node, env locals) {
	op := instruction[s.Tok]
	switch to := to.(type) {
	case *ast.Ident:
		if op != "" {
			v = p.add(&node{op: op, args: []*node{env[to.Name], v}})
		}
		env[to.Name] = v
	case *ast.IndexExpr:
		name := to.X.(*ast.Ident).Name
		for _, l := range p.sums {
			if l == name && op == "FADD" {
				p.add(&node{op: "sum", name: name, args: []*node{v}})
				return
			}
		}
		if op != "" {
			p.fail(s, "this assignment")
		}
		p.slices[name], p.writes[name] = true, true
		p.add(&node{op: "store", name: name, args: []*node{v}})
	default:
		p.fail(s, "this assignment")
	}
}

func callee(e *ast.CallExpr) string {
	switch f := e.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func (s *spec) program() *program {
	return &program{spec: s, known: map[string]*node{}, slices: map[string]bool{}, writes: map[string]bool{}}
}

// loop translates a function over elements: its last loop, for whose accumulators it looks before it.
func (s *spec) loop(f *ast.FuncDecl) *program {
	p := s.program()
	var last *ast.RangeStmt
	for _, st := range f.Body.List {
		switch st := st.(type) {
		case *ast.RangeStmt:
			last = st
		case *ast.DeclStmt: // var l, m [16]float32
			for _, n := range st.Decl.(*ast.GenDecl).Specs[0].(*ast.ValueSpec).Names {
				p.sums = append(p.sums, n.Name)
			}
		case *ast.AssignStmt: // m := float32(math.Inf(-1))
			if _, ok := s.number(st.Rhs[0]); ok {
				p.most = st.Lhs[0].(*ast.Ident).Name
			}
		}
	}
	env := locals{}
	if v, ok := last.Value.(*ast.Ident); ok {
		env[v.Name] = p.load(last.X)
	}
	for _, st := range last.Body.List {
		p.statement(st, env)
	}
	return p
}

// rows translates a function over the rows of matrices, acc[j] += what its inner loop says. Names in it are changed to
// those of the arguments.
func (s *spec) rows(f *ast.FuncDecl) *program {
	p := s.program()
	p.sums = []string{"acc"}
	outer := f.Body.List[0].(*ast.RangeStmt)
	env := locals{}
	for _, st := range outer.Body.List {
		switch st := st.(type) {
		case *ast.AssignStmt: // y, x, m := y[i*stride:][:len(acc)], x[i*stride:][:len(acc)], mean[i]
			for i, e := range st.Rhs {
				if e, ok := e.(*ast.IndexExpr); ok {
					env[st.Lhs[i].(*ast.Ident).Name] = p.add(&node{op: "scalar", name: e.X.(*ast.Ident).Name})
				}
			}
		case *ast.RangeStmt:
			for _, in := range st.Body.List {
				p.statement(in, env)
			}
		case *ast.ExprStmt: // addGeneric(acc, acc, x[i*stride:])
			c, ok := st.X.(*ast.CallExpr)
			if !ok || callee(c) != "addGeneric" {
				p.fail(st, "this statement")
			}
			p.add(&node{op: "sum", name: "acc", args: []*node{p.load(c.Args[2].(*ast.SliceExpr).X)}})
		}
	}
	return p
}
