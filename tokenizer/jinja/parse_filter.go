package jinja

import "slices"

// filters reads filters, tests and calls behind an expression. A filter block starts with a bare filter name.
func (p *parser) filters(e expr, bare bool) (expr, error) {
	for {
		line := p.peek().line
		switch {
		case bare || p.accept("|"):
			bare = false
			name, err := p.name()
			if err != nil {
				return nil, err
			}
			f := &filterExpr{target: e, name: name, line: line}
			if p.accept("(") {
				if f.args, err = p.arguments(); err != nil {
					return nil, err
				}
			}
			e = f
		case p.is("is"):
			p.pos++
			t := &testExpr{target: e, negate: p.accept("not"), line: line}
			var err error
			if t.name, err = p.name(); err != nil {
				return nil, err
			}
			if p.accept("(") {
				if t.args, err = p.arguments(); err != nil {
					return nil, err
				}
			} else if p.startsOperand() {
				arg, err := p.primary()
				if err == nil {
					arg, err = p.postfix(arg)
				}
				if err != nil {
					return nil, err
				}
				t.args = []argument{{value: arg}}
			}
			e = t
		case p.is("("):
			p.pos++
			args, err := p.arguments()
			if err != nil {
				return nil, err
			}
			e = &callExpr{e, args, line}
		default:
			return e, nil
		}
	}
}

// startsOperand says whether the next token can be the argument of a test without parentheses.
func (p *parser) startsOperand() bool {
	t := p.peek()
	switch t.kind {
	case tokenInt, tokenFloat, tokenString:
		return true
	case tokenName:
		return !slices.Contains([]string{"else", "or", "and", "if", "is", "in", "not", "recursive"}, t.text)
	}
	return t.kind == tokenOp && (t.text == "[" || t.text == "{")
}
