package jinja

import (
	"slices"
	"strings"
)

// tuple reads an expression, or several with commas between them, which make a tuple.
func (p *parser) tuple() expr { return p.tupleOf(p.expr) }

func (p *parser) tupleOf(item func() expr) expr {
	first := item()
	if !p.is(",") {
		return first
	}
	list := &listExpr{items: []expr{first}, tuple: true}
	for p.accept(",") {
		if k := p.peek().kind; k == tokenVarEnd || k == tokenBlockEnd || p.is(")") {
			break
		}
		list.items = append(list.items, item())
	}
	return list
}

// expr reads a conditional expression.
func (p *parser) expr() expr {
	p.enter()
	defer p.leave()
	e := p.or()
	for p.accept("if") {
		c := &condExpr{then: e, cond: p.or()}
		if p.accept("else") {
			c.other = p.expr()
		}
		e = c
	}
	return e
}

func (p *parser) or() expr {
	left := p.and()
	for p.accept("or") {
		left = &logicExpr{left: left, right: p.and()}
	}
	return left
}

func (p *parser) and() expr {
	left := p.not()
	for p.accept("and") {
		left = &logicExpr{left: left, right: p.not(), and: true}
	}
	return left
}

func (p *parser) not() expr {
	if !p.is("not") {
		return p.comparison()
	}
	p.enter()
	defer p.leave()
	p.pos++
	return &notExpr{p.not()}
}

func (p *parser) comparison() expr {
	first := p.binary(0)
	c := &compareExpr{first: first}
	for {
		t := p.peek()
		switch {
		case t.kind == tokenOp && slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, t.text), p.is("in"):
			p.pos++
		case p.is("not") && p.after().text == "in":
			p.pos += 2
			t.text = "not in"
		case len(c.ops) == 0:
			return first
		default:
			return c
		}
		c.ops = append(c.ops, compareOp{t.text, p.binary(0), t.line})
	}
}

// binaryOps are the left-associative operators, those that bind least first.
var binaryOps = [][]string{{"+", "-"}, {"~"}, {"*", "/", "//", "%"}, {"**"}}

// binary reads operands with operators of a level of binaryOps, or of a higher one, between them.
func (p *parser) binary(level int) expr {
	if level == len(binaryOps) {
		return p.unary(true)
	}
	left := p.binary(level + 1)
	for p.peek().kind == tokenOp && slices.Contains(binaryOps[level], p.peek().text) {
		t := p.next()
		left = &binaryExpr{t.text, left, p.binary(level + 1), t.line}
	}
	return left
}

func (p *parser) unary(withFilters bool) expr {
	p.enter()
	defer p.leave()
	var e expr
	if t := p.peek(); t.kind == tokenOp && (t.text == "-" || t.text == "+") {
		p.pos++
		e = &signExpr{p.unary(false), t.text == "-", t.line}
	} else {
		e = p.primary()
	}
	e = p.postfix(e)
	if withFilters {
		e = p.filters(e, false)
	}
	return e
}

var constants = map[string]Value{"true": true, "True": true, "false": false, "False": false, "none": nil, "None": nil}

func (p *parser) primary() expr {
	t := p.next()
	switch t.kind {
	case tokenName:
		if v, ok := constants[t.text]; ok {
			return &constExpr{v}
		}
		return nameExpr(t.text)
	case tokenInt, tokenFloat:
		return &constExpr{t.value}
	case tokenString:
		var b strings.Builder
		b.WriteString(t.text)
		for p.peek().kind == tokenString {
			b.WriteString(p.next().text)
		}
		return &constExpr{plain(b.String())}
	case tokenOp:
		if e := p.display(t); e != nil {
			return e
		}
	}
	p.pos--
	if t.kind == tokenEOF {
		p.pos = len(p.tokens) - 1
	}
	panic(p.errorf("expected an expression, found %s", describe(t)))
}

// display reads what stands in brackets behind the opening one: a tuple, list or dict, or an expression. It gives nil
// when the token is something else.
func (p *parser) display(t token) expr {
	switch t.text {
	case "(":
		if p.accept(")") {
			return &listExpr{tuple: true}
		}
		e := p.tuple()
		p.expect(")")
		return e
	case "[":
		list := &listExpr{}
		p.list("]", func() { list.items = append(list.items, p.expr()) })
		return list
	case "{":
		d := &dictExpr{line: t.line}
		p.list("}", func() {
			d.keys = append(d.keys, p.expr())
			p.expect(":")
			d.values = append(d.values, p.expr())
		})
		return d
	}
	return nil
}

// postfix reads attributes, subscripts and calls.
func (p *parser) postfix(e expr) expr {
	for {
		t := p.peek()
		switch {
		case p.accept("."):
			a := p.next()
			switch a.kind {
			case tokenName:
				e = &attrExpr{e, a.text, a.line}
			case tokenInt:
				e = &indexExpr{e, &constExpr{a.value}, a.line}
			default:
				p.pos--
				panic(p.errorf("expected a name or a number after the dot, found %s", describe(a)))
			}
		case p.accept("["):
			e = &indexExpr{e, p.subscript(t.line), t.line}
			p.expect("]")
		case p.accept("("):
			e = &callExpr{e, p.arguments(), t.line}
		default:
			return e
		}
	}
}

// subscript reads an index or a slice.
func (p *parser) subscript(line int) expr {
	slice := &sliceExpr{line: line}
	colons := 0
	for {
		switch {
		case p.accept(":"):
			colons++
			if colons > 2 {
				panic(p.errorf("a slice has at most two colons"))
			}
		case p.is("]"):
			if colons == 0 {
				panic(p.errorf("expected an index"))
			}
			return slice
		default:
			if slice.parts[colons] != nil {
				panic(p.errorf("expected \"]\", found %s", describe(p.peek())))
			}
			e := p.tuple()
			if colons == 0 && p.is("]") {
				return e
			}
			slice.parts[colons] = e
		}
	}
}

// arguments reads the arguments of a call, after the opening parenthesis.
func (p *parser) arguments() (args []binding) {
	p.list(")", func() {
		if p.is("*") || p.is("**") {
			panic(p.errorf("* and ** arguments are not supported"))
		}
		a := binding{}
		if after := p.after(); p.peek().kind == tokenName && after.kind == tokenOp && after.text == "=" {
			a.name = p.name()
			p.pos++
		}
		a.value = p.expr()
		args = append(args, a)
	})
	return args
}
