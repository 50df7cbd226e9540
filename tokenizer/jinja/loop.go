package jinja

type forStmt struct {
	target      []string
	iter, cond  expr
	body, other []stmt
	line        int
}

// loop is the special variable of a for statement.
type loop struct {
	items   []Value
	index   int
	changed Value
}

func (s *forStmt) exec(st *state) error {
	v, err := s.iter.eval(st)
	if err != nil {
		return err
	}
	items, err := iterate(v, s.line)
	if err != nil {
		return err
	}
	if s.cond != nil {
		var kept []Value
		for _, item := range items {
			err := st.inScope(st.scope, func() error {
				if err := st.assign(s.target, item, s.line); err != nil {
					return err
				}
				v, err := s.cond.eval(st)
				if err == nil && truth(v) {
					kept = append(kept, item)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		items = kept
	}
	if len(items) == 0 {
		return st.inScope(st.scope, func() error { return st.run(s.other) })
	}
	l := &loop{items: items, changed: Undefined{}}
	for i, item := range items {
		if err := st.tick(s.line); err != nil {
			return err
		}
		l.index = i
		err := st.inScope(st.scope, func() error {
			st.scope.set("loop", l)
			if err := st.assign(s.target, item, s.line); err != nil {
				return err
			}
			return st.run(s.body)
		})
		if err == errBreak {
			break
		}
		if err != nil && err != errContinue {
			return err
		}
	}
	return nil
}

// attr is an attribute of the loop variable.
func (l *loop) attr(name string) (Value, bool) {
	n := len(l.items)
	switch name {
	case "index":
		return int64(l.index + 1), true
	case "index0":
		return int64(l.index), true
	case "revindex":
		return int64(n - l.index), true
	case "revindex0":
		return int64(n - l.index - 1), true
	case "first":
		return l.index == 0, true
	case "last":
		return l.index == n-1, true
	case "length":
		return int64(n), true
	case "depth": // counts recursive loops only
		return int64(1), true
	case "depth0":
		return int64(0), true
	case "previtem":
		if l.index > 0 {
			return l.items[l.index-1], true
		}
		return Undefined{"there is no previous item"}, true
	case "nextitem":
		if l.index < n-1 {
			return l.items[l.index+1], true
		}
		return Undefined{"there is no next item"}, true
	case "cycle":
		return &function{"cycle", func(c *call) (Value, error) {
			if len(c.args) == 0 {
				return nil, c.errorf("no items for cycling given")
			}
			return c.args[l.index%len(c.args)], nil
		}}, true
	case "changed":
		return &function{"changed", func(c *call) (Value, error) {
			now := &List{Items: c.args}
			changed := !equal(l.changed, now, 0)
			l.changed = now
			return changed, nil
		}}, true
	}
	return nil, false
}
