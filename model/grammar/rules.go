package grammar

import "slices"

// checkRules refuses references with which a value would have no beginning or no end.
func (r *reader) checkRules() error {
	open := map[*ruleBody]bool{} // true: on the way; false: done
	for _, at := range sortedKeys(r.rules) {
		if rule := circle(r.rules[at], open); rule != nil {
			return &Error{rule.where, "it refers to itself before anything else"}
		}
	}
	ends := map[*ruleBody]bool{r.any: true}
	for changed := true; changed; {
		changed = false
		known := map[*expression]bool{}
		for _, rule := range r.rules {
			if !ends[rule] && canEnd(rule.is, ends, known) {
				ends[rule], changed = true, true
			}
		}
	}
	for _, at := range sortedKeys(r.rules) {
		if !ends[r.rules[at]] {
			return &Error{at, "no value that ends satisfies it: it requires itself"}
		}
	}
	return nil
}

// circle finds a rule that may begin with itself.
func circle(rule *ruleBody, open map[*ruleBody]bool) *ruleBody {
	if on, seen := open[rule]; seen {
		if on {
			return rule
		}
		return nil
	}
	open[rule] = true
	for _, next := range rule.heads {
		if found := circle(next, open); found != nil {
			return found
		}
	}
	open[rule] = false
	return nil
}

// canEnd tells that a text of e ends, with the rules of which that is known. What is known of expressions holds for one
// round.
func canEnd(e *expression, ends map[*ruleBody]bool, known map[*expression]bool) bool {
	if v, ok := known[e]; ok {
		return v
	}
	v := true
	switch e.kind {
	case nothing:
		v = false
	case seq:
		v = canEnd(e.a, ends, known) && canEnd(e.b, ends, known)
	case either:
		v = slices.ContainsFunc(e.of, func(p *expression) bool { return canEnd(p, ends, known) })
	case repeat:
		v = e.low == 0 || canEnd(e.a, ends, known)
	case except:
		v = canEnd(e.a, ends, known)
	case rule:
		v = ends[e.rule]
	}
	known[e] = v
	return v
}

func sortedKeys(m map[string]*ruleBody) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
