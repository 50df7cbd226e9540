package jinja

import (
	"fmt"
	"slices"
)

// Parse compiles a template.
func Parse(src string) (*Template, error) {
	tokens, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	body, _, err := p.statements()
	if err != nil {
		return nil, err
	}
	return &Template{body: body, HasGeneration: p.generation}, nil
}

// parser reads the tokens by recursive descent, like jinja2/parser.py.
type parser struct {
	tokens     []token
	pos        int
	depth      int
	loops      int // loops around the current statement, for break and continue
	generation bool
}

func (p *parser) peek() token { return p.tokens[p.pos] }

func (p *parser) next() token {
	t := p.tokens[p.pos]
	if p.pos < len(p.tokens)-1 {
		p.pos++
	}
	return t
}

func (p *parser) errorf(format string, args ...any) error {
	return &Error{Line: p.peek().line, Message: fmt.Sprintf(format, args...)}
}

// is says whether the next token is the operator or keyword.
func (p *parser) is(text string) bool {
	t := p.peek()
	return (t.kind == tokenOp || t.kind == tokenName) && t.text == text
}

// accept steps over the operator or keyword if it is next.
func (p *parser) accept(text string) bool {
	if p.is(text) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) expect(text string) error {
	if !p.accept(text) {
		return p.errorf("expected %q, found %s", text, describe(p.peek()))
	}
	return nil
}

func (p *parser) name() (string, error) {
	t := p.peek()
	if t.kind != tokenName {
		return "", p.errorf("expected a name, found %s", describe(t))
	}
	p.pos++
	return t.text, nil
}

func describe(t token) string {
	switch t.kind {
	case tokenEOF:
		return "the end of the template"
	case tokenText:
		return "text"
	case tokenString:
		return "a string"
	}
	return fmt.Sprintf("%q", t.text)
}

// enter guards the depth of recursion.
func (p *parser) enter() error {
	p.depth++
	if p.depth > maxNested {
		return p.errorf("nested more than %d deep", maxNested)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// statements reads up to one of the end tags, whose name it returns with the tag's name already read, or up to the
// end of the template.
func (p *parser) statements(ends ...string) (body []stmt, end string, err error) {
	if err := p.enter(); err != nil {
		return nil, "", err
	}
	defer p.leave()
	for {
		t := p.next()
		switch t.kind {
		case tokenEOF:
			if len(ends) > 0 {
				return nil, "", p.errorf("{%% %s %%} is missing", ends[len(ends)-1])
			}
			return body, "", nil
		case tokenText:
			body = append(body, &textStmt{plain(t.text)})
		case tokenVar:
			e, err := p.tuple()
			if err != nil {
				return nil, "", err
			}
			if p.next().kind != tokenVarEnd {
				p.pos--
				return nil, "", p.errorf("expected }}, found %s", describe(p.peek()))
			}
			body = append(body, &outputStmt{e, t.line})
		case tokenBlock:
			name, err := p.name()
			if err != nil {
				return nil, "", err
			}
			if slices.Contains(ends, name) {
				return body, name, nil
			}
			s, err := p.statement(name, t.line)
			if err != nil {
				return nil, "", err
			}
			body = append(body, s)
		}
	}
}

// blockEnd reads %}.
func (p *parser) blockEnd() error {
	if p.peek().kind != tokenBlockEnd {
		return p.errorf("expected %%}, found %s", describe(p.peek()))
	}
	p.pos++
	return nil
}

// block reads %}, a body, and the end tag.
func (p *parser) block(end string) ([]stmt, error) {
	if err := p.blockEnd(); err != nil {
		return nil, err
	}
	body, _, err := p.statements(end)
	if err != nil {
		return nil, err
	}
	return body, p.blockEnd()
}

func (p *parser) statement(name string, line int) (stmt, error) {
	switch name {
	case "if":
		return p.ifStatement(line)
	case "for":
		return p.forStatement(line)
	case "set":
		return p.setStatement(line)
	case "macro":
		return p.macroStatement(line)
	case "call":
		return p.callStatement(line)
	case "filter":
		filtered, err := p.filters(nil, true)
		if err != nil {
			return nil, err
		}
		body, err := p.block("endfilter")
		return &filterStmt{filtered, body, line}, err
	case "with":
		return p.withStatement(line)
	case "generation":
		p.generation = true
		body, err := p.block("endgeneration")
		return &generationStmt{body}, err
	case "break", "continue":
		if p.loops == 0 {
			return nil, &Error{Line: line, Message: name + " outside of a loop"}
		}
		if name == "break" {
			return &jumpStmt{errBreak}, p.blockEnd()
		}
		return &jumpStmt{errContinue}, p.blockEnd()
	}
	return nil, &Error{Line: line, Message: fmt.Sprintf("unknown tag %q", name)}
}

func (p *parser) ifStatement(line int) (stmt, error) {
	s := &ifStmt{line: line}
	var err error
	if s.cond, err = p.tuple(); err != nil {
		return nil, err
	}
	if err := p.blockEnd(); err != nil {
		return nil, err
	}
	body, end, err := p.statements("elif", "else", "endif")
	if err != nil {
		return nil, err
	}
	s.then = body
	switch end {
	case "elif":
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		other, err := p.ifStatement(p.peek().line)
		s.other = []stmt{other}
		return s, err
	case "else":
		s.other, err = p.block("endif")
		return s, err
	}
	return s, p.blockEnd()
}

func (p *parser) forStatement(line int) (stmt, error) {
	s := &forStmt{line: line}
	var err error
	if s.target, err = p.target(); err != nil {
		return nil, err
	}
	if err := p.expect("in"); err != nil {
		return nil, err
	}
	// The condition of "for ... in x if cond" is no conditional expression.
	if s.iter, err = p.tupleOf(p.or); err != nil {
		return nil, err
	}
	if p.accept("if") {
		if s.cond, err = p.expr(); err != nil {
			return nil, err
		}
	}
	if p.is("recursive") {
		return nil, p.errorf("recursive loops are not supported")
	}
	if err := p.blockEnd(); err != nil {
		return nil, err
	}
	p.loops++
	body, end, err := p.statements("else", "endfor")
	p.loops--
	if err != nil {
		return nil, err
	}
	s.body = body
	if end == "else" {
		s.other, err = p.block("endfor")
		return s, err
	}
	return s, p.blockEnd()
}

// target reads the names that a for or a set assigns to.
func (p *parser) target() ([]string, error) {
	paren := p.accept("(")
	var names []string
	for {
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		names = append(names, name)
		if !p.accept(",") {
			break
		}
	}
	if paren {
		return names, p.expect(")")
	}
	return names, nil
}

func (p *parser) setStatement(line int) (stmt, error) {
	names, err := p.target()
	if err != nil {
		return nil, err
	}
	s := &setStmt{names: names, line: line}
	if len(names) == 1 && p.accept(".") {
		if s.attr, err = p.name(); err != nil {
			return nil, err
		}
	}
	if p.accept("=") {
		if s.value, err = p.tuple(); err != nil {
			return nil, err
		}
		return s, p.blockEnd()
	}
	if len(names) > 1 {
		return nil, p.errorf("expected \"=\", found %s", describe(p.peek()))
	}
	var filtered expr
	if p.is("|") {
		if filtered, err = p.filters(nil, false); err != nil {
			return nil, err
		}
	}
	body, err := p.block("endset")
	s.body, s.filtered = body, filtered
	return s, err
}
