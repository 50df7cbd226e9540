package jinja

import (
	"fmt"
	"slices"
)

type macroStmt struct {
	name   string
	params []binding
	body   []stmt
}

func (s *macroStmt) exec(st *state) {
	st.scope.set(s.name, st.macro(s.name, s.params, s.body))
}

// macro makes a callable that sees the scope in which it was defined.
func (st *state) macro(name string, params []binding, body []stmt) *function {
	defined := st.scope
	return &function{name, func(c *call) Value {
		st.depth++
		if st.depth > maxDepth {
			panic(c.errorf("calls are nested more than %d deep", maxDepth))
		}
		text := st.capture(func() {
			st.inScope(defined, func() {
				st.bind(c, params)
				st.run(body)
			})
		})
		st.depth--
		return text
	}}
}

// bind sets the parameters of a macro to the arguments of its call.
func (st *state) bind(c *call, params []binding) {
	if len(c.args) > len(params) {
		panic(c.errorf("takes not more than %d arguments", len(params)))
	}
	for i, param := range params {
		v, given := c.get(i, param.name)
		switch {
		case given:
		case param.value != nil:
			v = param.value.eval(st)
		default:
			v = Undefined{fmt.Sprintf("parameter %q was not provided", param.name)}
		}
		st.scope.set(param.name, v)
	}
	for _, a := range c.named {
		if a.name == "caller" {
			st.scope.set("caller", a.value)
		} else if !slices.ContainsFunc(params, func(p binding) bool { return p.name == a.name }) {
			panic(c.errorf("takes no keyword argument %q", a.name))
		}
	}
}

type callStmt struct {
	params []binding
	callee *callExpr
	body   []stmt
	line   int
}

func (s *callStmt) exec(st *state) {
	caller := st.macro("caller", s.params, s.body)
	st.write(str(s.callee.invoke(st, namedValue{"caller", caller})), s.line)
}
