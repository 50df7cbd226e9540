package checks

import "fmt"

// isJSON makes is-json, with the schema that the value may hold.
func isJSON(a *assertion, spec Spec) error {
	return a.json(spec, func(answer string) []any {
		v, err := decode([]byte(answer))
		if err != nil {
			return nil
		}
		return []any{v}
	}, "be JSON")
}

// containsJSON makes contains-json, with the schema that the value may hold.
func containsJSON(a *assertion, spec Spec) error {
	return a.json(spec, jsonObjects, "contain JSON")
}

// json makes the judge of both: find gives the values that an answer holds, one of which must be as the schema says.
func (a *assertion) json(spec Spec, find func(answer string) []any, want string) error {
	if spec.Value == nil {
		a.simple(want, func(answer string) bool { return len(find(answer)) > 0 })
		return nil
	}
	s, err := newSchema(spec.Value)
	if err != nil {
		return err
	}
	inverse := a.inverse
	a.judge = func(answer Answer) (bool, float64, string) {
		values := find(answer.Text)
		reason := "expected the answer to " + want
		for _, v := range values {
			err := s.validate(v)
			if err == nil && inverse {
				return false, 0, fmt.Sprintf("expected the answer not to %s as the schema says", want)
			}
			if err == nil {
				return true, 1, ""
			}
			reason = "the JSON is not as the schema says: " + err.Error()
		}
		if inverse {
			return true, 1, ""
		}
		return false, 0, reason
	}
	return nil
}
