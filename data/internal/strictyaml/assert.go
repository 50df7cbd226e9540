package strictyaml

import "instruct/data/checks"

// Assert reads the assertions under the key assert, of a test, a rule or an assert-set, as they are written:
// [checks.NewSet] says what is wrong with them.
func (o Object) Assert() ([]checks.Spec, error) {
	items, err := o.List("assert")
	if err != nil {
		return nil, err
	}
	var out []checks.Spec
	for _, item := range items {
		spec, err := o.file.spec(item)
		if err != nil {
			return nil, err
		}
		out = append(out, spec)
	}
	return out, nil
}

// spec reads an assertion.
func (f *File) spec(n *Node) (checks.Spec, error) {
	spec := checks.Spec{Line: n.Line}
	o, err := f.Object(n, "type", "value", "threshold", "weight", "metric", "assert")
	if err != nil {
		return spec, err
	}
	if spec.Type, err = o.Text("type"); err != nil {
		return spec, err
	}
	if spec.Threshold, err = o.Number("threshold"); err != nil {
		return spec, err
	}
	if spec.Weight, err = o.Number("weight"); err != nil {
		return spec, err
	}
	if spec.Metric, err = o.Text("metric"); err != nil {
		return spec, err
	}
	if spec.Assert, err = o.Assert(); err != nil {
		return spec, err
	}
	v := o.Get("value")
	if v == nil {
		return spec, nil
	}
	spec.Value, spec.ValueLine = v.JSON(), v.Line
	for _, item := range append([]*Node{v}, v.Items...) {
		if item.Kind != Text {
			continue
		}
		if err := f.Local(item.Line, item.Text); err != nil {
			return spec, err
		}
	}
	return spec, nil
}
