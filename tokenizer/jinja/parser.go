package jinja

import (
	"fmt"
	"slices"
)

// Parse compiles a template.
func Parse(src string) (t *Template, err error) {
	defer catch(&err)
	p := &parser{tokens: lex(src)}
	body, _ := p.statements()
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

// after is the token behind the next one.
func (p *parser) after() token { return p.tokens[min(p.pos+1, len(p.tokens)-1)] }

func (p *parser) next() token {
	t := p.tokens[p.pos]
	if p.pos < len(p.tokens)-1 {
		p.pos++
	}
	return t
}

func (p *parser) errorf(format string, args ...any) *Error {
	return fail(p.peek().line, format, args...)
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

func (p *parser) expect(text string) {
	if !p.accept(text) {
		panic(p.errorf("expected %q, found %s", text, describe(p.peek())))
	}
}

func (p *parser) name() string {
	t := p.peek()
	if t.kind != tokenName {
		panic(p.errorf("expected a name, found %s", describe(t)))
	}
	p.pos++
	return t.text
}

// list reads what item reads, again and again up to the closing bracket, with commas between and perhaps behind.
func (p *parser) list(end string, item func()) {
	for first := true; !p.accept(end); first = false {
		if !first {
			p.expect(",")
			if p.accept(end) {
				return
			}
		}
		item()
	}
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
func (p *parser) enter() {
	p.depth++
	if p.depth > maxNested {
		panic(p.errorf("nested more than %d deep", maxNested))
	}
}

func (p *parser) leave() { p.depth-- }

// statements reads up to one of the end tags, whose name it returns with the tag's name already read, or up to the
// end of the template.
func (p *parser) statements(ends ...string) (body []stmt, end string) {
	p.enter()
	defer p.leave()
	for {
		t := p.next()
		switch t.kind {
		case tokenEOF:
			if len(ends) > 0 {
				panic(p.errorf("{%% %s %%} is missing", ends[len(ends)-1]))
			}
			return body, ""
		case tokenText:
			body = append(body, &textStmt{plain(t.text)})
		case tokenVar:
			e := p.tuple()
			if p.next().kind != tokenVarEnd {
				p.pos--
				panic(p.errorf("expected }}, found %s", describe(p.peek())))
			}
			body = append(body, &outputStmt{e, t.line})
		case tokenBlock:
			name := p.name()
			if slices.Contains(ends, name) {
				return body, name
			}
			body = append(body, p.statement(name, t.line))
		}
	}
}

// blockEnd reads %}.
func (p *parser) blockEnd() {
	if p.peek().kind != tokenBlockEnd {
		panic(p.errorf("expected %%}, found %s", describe(p.peek())))
	}
	p.pos++
}

// block reads %}, a body, and the end tag.
func (p *parser) block(end string) []stmt {
	p.blockEnd()
	body, _ := p.statements(end)
	p.blockEnd()
	return body
}

func (p *parser) statement(name string, line int) stmt {
	switch name {
	case "if":
		return p.ifStatement()
	case "for":
		return p.forStatement(line)
	case "set":
		return p.setStatement(line)
	case "macro":
		return &macroStmt{name: p.name(), params: p.parameters(), body: p.macroBody("endmacro")}
	case "call":
		return p.callStatement(line)
	case "filter":
		block := &blockExpr{}
		filtered := p.filters(block, true)
		block.body = p.block("endfilter")
		return &outputStmt{filtered, line}
	case "with":
		return p.withStatement()
	case "generation":
		p.generation = true
		return &generationStmt{p.block("endgeneration")}
	case "break", "continue":
		if p.loops == 0 {
			panic(fail(line, "%s outside of a loop", name))
		}
		p.blockEnd()
		return &jumpStmt{map[string]jump{"break": breakLoop, "continue": continueLoop}[name]}
	}
	panic(fail(line, "unknown tag %q", name))
}

func (p *parser) ifStatement() stmt {
	s := &ifStmt{cond: p.tuple()}
	p.blockEnd()
	body, end := p.statements("elif", "else", "endif")
	s.then = body
	switch end {
	case "elif":
		p.enter()
		s.other = []stmt{p.ifStatement()}
		p.leave()
	case "else":
		s.other = p.block("endif")
	default:
		p.blockEnd()
	}
	return s
}

func (p *parser) forStatement(line int) stmt {
	s := &forStmt{line: line, target: p.target()}
	p.expect("in")
	// The condition of "for ... in x if cond" is no conditional expression.
	s.iter = p.tupleOf(p.or)
	if p.accept("if") {
		s.cond = p.expr()
	}
	if p.is("recursive") {
		panic(p.errorf("recursive loops are not supported"))
	}
	p.blockEnd()
	p.loops++
	body, end := p.statements("else", "endfor")
	p.loops--
	s.body = body
	if end == "else" {
		s.other = p.block("endfor")
	} else {
		p.blockEnd()
	}
	return s
}

// target reads the names that a for or a set assigns to.
func (p *parser) target() []string {
	paren := p.accept("(")
	names := []string{p.name()}
	for p.accept(",") {
		names = append(names, p.name())
	}
	if paren {
		p.expect(")")
	}
	return names
}

func (p *parser) setStatement(line int) stmt {
	s := &setStmt{names: p.target(), line: line}
	if len(s.names) == 1 && p.accept(".") {
		s.attr = p.name()
	}
	if p.accept("=") {
		s.value = p.tuple()
		p.blockEnd()
		return s
	}
	if len(s.names) > 1 {
		panic(p.errorf("expected \"=\", found %s", describe(p.peek())))
	}
	block := &blockExpr{}
	s.value = block
	if p.is("|") {
		s.value = p.filters(block, false)
	}
	block.body = p.block("endset")
	return s
}
