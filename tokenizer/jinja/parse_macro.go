package jinja

// parameters reads the parameter list of a macro.
func (p *parser) parameters() (params []parameter, err error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	for !p.accept(")") {
		if len(params) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if p.accept(")") {
				break
			}
		}
		param := parameter{}
		if param.name, err = p.name(); err != nil {
			return nil, err
		}
		if p.accept("=") {
			if param.value, err = p.expr(); err != nil {
				return nil, err
			}
		}
		params = append(params, param)
	}
	return params, nil
}

func (p *parser) macroStatement(line int) (stmt, error) {
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	s := &macroStmt{name: name, line: line}
	if s.params, err = p.parameters(); err != nil {
		return nil, err
	}
	s.body, err = p.macroBody("endmacro")
	return s, err
}

// macroBody is a body inside which break and continue do not reach the loops around it.
func (p *parser) macroBody(end string) ([]stmt, error) {
	loops := p.loops
	p.loops = 0
	body, err := p.block(end)
	p.loops = loops
	return body, err
}

func (p *parser) callStatement(line int) (stmt, error) {
	s := &callStmt{line: line}
	var err error
	if p.is("(") {
		if s.params, err = p.parameters(); err != nil {
			return nil, err
		}
	}
	e, err := p.expr()
	if err != nil {
		return nil, err
	}
	callee, ok := e.(*callExpr)
	if !ok {
		return nil, p.errorf("the call block needs a call")
	}
	s.callee = callee
	s.body, err = p.macroBody("endcall")
	return s, err
}

func (p *parser) withStatement(line int) (stmt, error) {
	s := &withStmt{line: line}
	for p.peek().kind != tokenBlockEnd {
		if len(s.sets) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		names, err := p.name()
		if err != nil {
			return nil, err
		}
		if err := p.expect("="); err != nil {
			return nil, err
		}
		value, err := p.expr()
		if err != nil {
			return nil, err
		}
		s.sets = append(s.sets, parameter{names, value})
	}
	var err error
	s.body, err = p.block("endwith")
	return s, err
}
