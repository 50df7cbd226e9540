package jinja

import "slices"

// filters reads filters, tests and calls behind an expression. A filter block starts with a bare filter name.
func (p *parser) filters(e expr, bare bool) expr {
	for {
		line := p.peek().line
		switch {
		case bare || p.accept("|"):
			bare = false
			f := &filterExpr{target: e, name: p.name(), line: line}
			if p.accept("(") {
				f.args = p.arguments()
			}
			e = f
		case p.accept("is"):
			t := &testExpr{target: e, negate: p.accept("not"), name: p.name(), line: line}
			if p.accept("(") {
				t.args = p.arguments()
			} else if p.startsOperand() {
				t.args = []binding{{value: p.postfix(p.primary())}}
			}
			e = t
		case p.accept("("):
			e = &callExpr{e, p.arguments(), line}
		default:
			return e
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
