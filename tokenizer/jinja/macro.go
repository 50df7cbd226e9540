package jinja

import (
	"fmt"
	"slices"
)

// parameter is a name with an optional default.
type parameter struct {
	name  string
	value expr
}

type macroStmt struct {
	name   string
	params []parameter
	body   []stmt
	line   int
}

func (s *macroStmt) exec(st *state) error {
	st.scope.set(s.name, st.macro(s.name, s.params, s.body, s.line))
	return nil
}

// macro makes a callable that sees the scope in which it was defined.
func (st *state) macro(name string, params []parameter, body []stmt, line int) *function {
	defined := st.scope
	return &function{name, func(c *call) (Value, error) {
		st.depth++
		if st.depth > maxDepth {
			return nil, c.errorf("calls are nested more than %d deep", maxDepth)
		}
		defer func() { st.depth-- }()
		return st.capture(func() error {
			return st.inScope(defined, func() error {
				if len(c.args) > len(params) {
					return c.errorf("takes not more than %d arguments", len(params))
				}
				for i, param := range params {
					v, given := c.get(i, param.name)
					switch {
					case given:
					case param.value != nil:
						var err error
						if v, err = param.value.eval(st); err != nil {
							return err
						}
					default:
						v = Undefined{fmt.Sprintf("parameter %q was not provided", param.name)}
					}
					st.scope.set(param.name, v)
				}
				for _, a := range c.named {
					if a.name == "caller" {
						st.scope.set("caller", a.value)
					} else if !slices.ContainsFunc(params, func(p parameter) bool { return p.name == a.name }) {
						return c.errorf("takes no keyword argument %q", a.name)
					}
				}
				return st.run(body)
			})
		})
	}}
}

type callStmt struct {
	params []parameter
	callee *callExpr
	body   []stmt
	line   int
}

func (s *callStmt) exec(st *state) error {
	caller := st.macro("caller", s.params, s.body, s.line)
	v, err := s.callee.invoke(st, namedValue{"caller", caller})
	if err != nil {
		return err
	}
	return st.write(str(v), s.line)
}
