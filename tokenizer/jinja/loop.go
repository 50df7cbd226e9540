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

func (s *forStmt) exec(st *state) {
	items := iterate(s.iter.eval(st), s.line)
	if s.cond != nil {
		var kept []Value
		for _, item := range items {
			st.inScope(st.scope, func() {
				st.assign(s.target, item, s.line)
				if truth(s.cond.eval(st)) {
					kept = append(kept, item)
				}
			})
		}
		items = kept
	}
	if len(items) == 0 {
		st.runInside(s.other)
		return
	}
	l := &loop{items: items, changed: Undefined{}}
	for i, item := range items {
		st.tick(s.line)
		l.index = i
		st.inScope(st.scope, func() {
			st.scope.set("loop", l)
			st.assign(s.target, item, s.line)
			st.run(s.body)
		})
		jump := st.jump
		st.jump = noJump
		if jump == breakLoop {
			return
		}
	}
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
		return &function{"cycle", func(c *call) Value {
			if len(c.args) == 0 {
				panic(c.errorf("no items for cycling given"))
			}
			return c.args[l.index%len(c.args)]
		}}, true
	case "changed":
		return &function{"changed", func(c *call) Value {
			now := &List{Items: c.args}
			changed := !equal(l.changed, now, 0)
			l.changed = now
			return changed
		}}, true
	}
	return nil, false
}
