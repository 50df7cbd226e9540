package jinja

import (
	"slices"
	"strings"
)

// tuple reads an expression, or several with commas between them, which make a tuple.
func (p *parser) tuple() (expr, error) { return p.tupleOf(p.expr) }

func (p *parser) tupleOf(item func() (expr, error)) (expr, error) {
	line := p.peek().line
	first, err := item()
	if err != nil || !p.is(",") {
		return first, err
	}
	list := &listExpr{items: []expr{first}, tuple: true, line: line}
	for p.accept(",") {
		if k := p.peek().kind; k == tokenVarEnd || k == tokenBlockEnd || p.is(")") {
			break
		}
		e, err := item()
		if err != nil {
			return nil, err
		}
		list.items = append(list.items, e)
	}
	return list, nil
}

// expr reads a conditional expression.
func (p *parser) expr() (expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	e, err := p.or()
	for err == nil && p.is("if") {
		c := &condExpr{then: e, line: p.next().line}
		if c.cond, err = p.or(); err != nil {
			return nil, err
		}
		if p.accept("else") {
			if c.other, err = p.expr(); err != nil {
				return nil, err
			}
		}
		e = c
	}
	return e, err
}

func (p *parser) or() (expr, error) {
	left, err := p.and()
	for err == nil && p.is("or") {
		p.pos++
		var right expr
		right, err = p.and()
		left = &logicExpr{left: left, right: right}
	}
	return left, err
}

func (p *parser) and() (expr, error) {
	left, err := p.not()
	for err == nil && p.is("and") {
		p.pos++
		var right expr
		right, err = p.not()
		left = &logicExpr{left: left, right: right, and: true}
	}
	return left, err
}

func (p *parser) not() (expr, error) {
	if !p.is("not") {
		return p.comparison()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	p.pos++
	e, err := p.not()
	return &notExpr{e}, err
}

func (p *parser) comparison() (expr, error) {
	first, err := p.sum()
	if err != nil {
		return nil, err
	}
	c := &compareExpr{first: first}
	for {
		t := p.peek()
		switch {
		case t.kind == tokenOp && slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, t.text), p.is("in"):
			p.pos++
		case p.is("not") && p.tokens[min(p.pos+1, len(p.tokens)-1)].text == "in":
			p.pos += 2
			t.text = "not in"
		case len(c.ops) == 0:
			return first, nil
		default:
			return c, nil
		}
		operand, err := p.sum()
		if err != nil {
			return nil, err
		}
		c.ops = append(c.ops, compareOp{t.text, operand, t.line})
	}
}

// binary reads operands with left-associative operators between them.
func (p *parser) binary(operand func() (expr, error), ops ...string) (expr, error) {
	left, err := operand()
	for err == nil && p.peek().kind == tokenOp && slices.Contains(ops, p.peek().text) {
		t := p.next()
		var right expr
		right, err = operand()
		left = &binaryExpr{op: t.text, left: left, right: right, line: t.line}
	}
	return left, err
}

func (p *parser) sum() (expr, error)     { return p.binary(p.tilde, "+", "-") }
func (p *parser) tilde() (expr, error)   { return p.binary(p.product, "~") }
func (p *parser) product() (expr, error) { return p.binary(p.power, "*", "/", "//", "%") }
func (p *parser) power() (expr, error) {
	return p.binary(func() (expr, error) { return p.unary(true) }, "**")
}

func (p *parser) unary(withFilters bool) (expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	var e expr
	var err error
	if t := p.peek(); t.kind == tokenOp && (t.text == "-" || t.text == "+") {
		p.pos++
		e, err = p.unary(false)
		e = &signExpr{e, t.text == "-", t.line}
	} else {
		e, err = p.primary()
	}
	if err == nil {
		e, err = p.postfix(e)
	}
	if err == nil && withFilters {
		e, err = p.filters(e, false)
	}
	return e, err
}

var constants = map[string]Value{"true": true, "True": true, "false": false, "False": false, "none": nil, "None": nil}

func (p *parser) primary() (expr, error) {
	t := p.next()
	switch {
	case t.kind == tokenName:
		if v, ok := constants[t.text]; ok {
			return &constExpr{v}, nil
		}
		return &nameExpr{t.text, t.line}, nil
	case t.kind == tokenInt || t.kind == tokenFloat:
		return &constExpr{t.value}, nil
	case t.kind == tokenString:
		var b strings.Builder
		b.WriteString(t.text)
		for p.peek().kind == tokenString {
			b.WriteString(p.next().text)
		}
		return &constExpr{plain(b.String())}, nil
	case t.kind == tokenOp && t.text == "(":
		if p.accept(")") {
			return &listExpr{tuple: true, line: t.line}, nil
		}
		e, err := p.tuple()
		if err != nil {
			return nil, err
		}
		return e, p.expect(")")
	case t.kind == tokenOp && t.text == "[":
		list := &listExpr{line: t.line}
		for !p.accept("]") {
			if len(list.items) > 0 {
				if err := p.expect(","); err != nil {
					return nil, err
				}
				if p.accept("]") {
					break
				}
			}
			e, err := p.expr()
			if err != nil {
				return nil, err
			}
			list.items = append(list.items, e)
		}
		return list, nil
	case t.kind == tokenOp && t.text == "{":
		return p.dict(t.line)
	}
	p.pos--
	if t.kind == tokenEOF {
		p.pos = len(p.tokens) - 1
	}
	return nil, p.errorf("expected an expression, found %s", describe(t))
}

func (p *parser) dict(line int) (expr, error) {
	d := &dictExpr{line: line}
	for !p.accept("}") {
		if len(d.keys) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if p.accept("}") {
				break
			}
		}
		key, err := p.expr()
		if err != nil {
			return nil, err
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		value, err := p.expr()
		if err != nil {
			return nil, err
		}
		d.keys, d.values = append(d.keys, key), append(d.values, value)
	}
	return d, nil
}

// postfix reads attributes, subscripts and calls.
func (p *parser) postfix(e expr) (expr, error) {
	for {
		t := p.peek()
		if t.kind != tokenOp {
			return e, nil
		}
		switch t.text {
		case ".":
			p.pos++
			a := p.next()
			switch a.kind {
			case tokenName:
				e = &attrExpr{e, a.text, a.line}
			case tokenInt:
				e = &indexExpr{e, &constExpr{a.value}, a.line}
			default:
				p.pos--
				return nil, p.errorf("expected a name or a number after the dot, found %s", describe(a))
			}
		case "[":
			p.pos++
			index, err := p.subscript(t.line)
			if err != nil {
				return nil, err
			}
			e = &indexExpr{e, index, t.line}
			if err := p.expect("]"); err != nil {
				return nil, err
			}
		case "(":
			p.pos++
			args, err := p.arguments()
			if err != nil {
				return nil, err
			}
			e = &callExpr{e, args, t.line}
		default:
			return e, nil
		}
	}
}

// subscript reads an index or a slice.
func (p *parser) subscript(line int) (expr, error) {
	var parts [3]expr
	colons := 0
	for {
		switch {
		case p.is(":"):
			p.pos++
			colons++
			if colons > 2 {
				return nil, p.errorf("a slice has at most two colons")
			}
		case p.is("]"):
			if colons == 0 {
				return nil, p.errorf("expected an index")
			}
			return &sliceExpr{parts[0], parts[1], parts[2], line}, nil
		default:
			if parts[colons] != nil {
				return nil, p.errorf("expected \"]\", found %s", describe(p.peek()))
			}
			e, err := p.tuple()
			if err != nil {
				return nil, err
			}
			if colons == 0 && p.is("]") {
				return e, nil
			}
			parts[colons] = e
		}
	}
}

// arguments reads the arguments of a call, after the opening parenthesis.
func (p *parser) arguments() ([]argument, error) {
	var args []argument
	for !p.accept(")") {
		if len(args) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if p.accept(")") {
				break
			}
		}
		if p.is("*") || p.is("**") {
			return nil, p.errorf("* and ** arguments are not supported")
		}
		a := argument{}
		if t := p.peek(); t.kind == tokenName && p.tokens[min(p.pos+1, len(p.tokens)-1)].text == "=" &&
			p.tokens[min(p.pos+1, len(p.tokens)-1)].kind == tokenOp {
			a.name = t.text
			p.pos += 2
		}
		var err error
		if a.value, err = p.expr(); err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	return args, nil
}
