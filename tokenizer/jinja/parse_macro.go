package jinja

// parameters reads the parameter list of a macro.
func (p *parser) parameters() (params []binding) {
	p.expect("(")
	p.list(")", func() {
		param := binding{name: p.name()}
		if p.accept("=") {
			param.value = p.expr()
		}
		params = append(params, param)
	})
	return params
}

// macroBody is a body inside which break and continue do not reach the loops around it.
func (p *parser) macroBody(end string) []stmt {
	loops := p.loops
	p.loops = 0
	body := p.block(end)
	p.loops = loops
	return body
}

func (p *parser) callStatement(line int) stmt {
	s := &callStmt{line: line}
	if p.is("(") {
		s.params = p.parameters()
	}
	callee, ok := p.expr().(*callExpr)
	if !ok {
		panic(p.errorf("the call block needs a call"))
	}
	s.callee = callee
	s.body = p.macroBody("endcall")
	return s
}

func (p *parser) withStatement() stmt {
	s := &withStmt{}
	for p.peek().kind != tokenBlockEnd {
		if len(s.sets) > 0 {
			p.expect(",")
		}
		set := binding{name: p.name()}
		p.expect("=")
		set.value = p.expr()
		s.sets = append(s.sets, set)
	}
	s.body = p.block("endwith")
	return s
}
