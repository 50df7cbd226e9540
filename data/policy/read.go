package policy

import (
	"errors"
	"regexp"
	"strings"

	"instruct/data/checks"
	"instruct/data/internal/strictyaml"
)

// Read reads policies and proves each rule on its examples. Several files make one policy.
func Read(paths ...string) (*Policy, error) {
	p := &Policy{}
	for _, path := range paths {
		r := newReader(path)
		root, err := r.Read()
		if err == nil {
			err = r.add(p, root)
		}
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Parse is [Read] for the text of one file at hand; path is used in messages.
func Parse(path string, text []byte) (*Policy, error) {
	p := &Policy{}
	r := newReader(path)
	root, err := r.Parse(text)
	if err == nil {
		err = r.add(p, root)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// reader reads a policy's file.
type reader struct{ *strictyaml.File }

func newReader(path string) reader {
	return reader{&strictyaml.File{What: "policy", Holds: "rules", Path: path}}
}

// add adds the rules of a file.
func (r reader) add(p *Policy, root *strictyaml.Node) error {
	file, err := r.Object(root, "rules")
	if err != nil {
		return err
	}
	items, err := file.List("rules")
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return r.Errorf(root.Line, "a policy needs rules")
	}
	for _, item := range items {
		rule, err := r.rule(item)
		if err != nil {
			return err
		}
		for _, other := range p.Rules {
			if other.ID == rule.ID {
				return r.Errorf(rule.Line, "rule %s: its id was already given in %s:%d", rule.ID, other.Path, other.Line)
			}
		}
		p.Rules = append(p.Rules, rule)
	}
	return nil
}

// slug is what an id looks like.
var slug = regexp.MustCompile(`^[a-z0-9]+(?:-[a-z0-9]+)*$`)

// maxID is the most characters of an id, which stands in tables.
const maxID = 40

// rule reads a rule.
func (r reader) rule(n *strictyaml.Node) (*Rule, error) {
	o, err := r.Object(n, "id", "text", "severity", "when", "assert", "good", "bad")
	if err != nil {
		return nil, err
	}
	rule := &Rule{Path: r.Path, Line: n.Line}
	if rule.ID, err = o.Text("id"); err != nil {
		return nil, err
	}
	switch {
	case rule.ID == "":
		return nil, r.Errorf(n.Line, "a rule needs an id")
	case !slug.MatchString(rule.ID) || len(rule.ID) > maxID:
		return nil, r.Errorf(o.Get("id").Line, "the id %q must be lower-case letters, digits and single hyphens, "+
			"at most %d of them", rule.ID, maxID)
	}
	if rule.Text, err = o.Text("text"); err != nil {
		return nil, err
	}
	if rule.Text = strings.TrimSpace(rule.Text); rule.Text == "" {
		return nil, r.Errorf(n.Line, "rule %s needs a text: what it asks for, in words", rule.ID)
	}
	if err := r.severity(rule, o); err != nil {
		return nil, err
	}
	if err := r.when(rule, o.Get("when")); err != nil {
		return nil, err
	}
	if err := r.assert(rule, o); err != nil {
		return nil, err
	}
	for _, key := range []string{"good", "bad"} {
		if err := r.examples(rule, o, key); err != nil {
			return nil, err
		}
	}
	return rule, nil
}

// severity reads a rule's severity.
func (r reader) severity(rule *Rule, o strictyaml.Object) error {
	s, err := o.Text("severity")
	if err != nil {
		return err
	}
	rule.Severity = Severity(s)
	switch {
	case s == "":
		return r.Errorf(rule.Line, "rule %s needs a severity: block or warn", rule.ID)
	case rule.Severity != Block && rule.Severity != Warn:
		return r.Errorf(o.Get("severity").Line, "severity must be block or warn, found %q", s)
	}
	return nil
}

// when reads what a rule applies to.
func (r reader) when(rule *Rule, n *strictyaml.Node) error {
	if n == nil {
		return nil
	}
	o, err := r.Object(n, "tags", "prompt")
	if err != nil {
		return err
	}
	if o.Get("tags") == nil && o.Get("prompt") == nil {
		return r.Errorf(n.Line, "when needs tags or prompt; leave it out where the rule always applies")
	}
	if rule.Tags, err = o.Texts("tags", "a tag"); err != nil {
		return err
	}
	if tags := o.Get("tags"); tags != nil && len(tags.Items) == 0 {
		return r.Errorf(tags.Line, "tags must name at least one tag")
	}
	for i, tag := range rule.Tags {
		if tag == "" {
			return r.Errorf(o.Get("tags").Items[i].Line, "a tag is empty")
		}
	}
	source, err := o.Text("prompt")
	if err != nil || o.Get("prompt") == nil {
		return err
	}
	if source == "" {
		return r.Errorf(o.Get("prompt").Line, "prompt must be a regular expression, found an empty text")
	}
	if rule.prompt, err = checks.CompileRegexp(source, false); err != nil {
		return r.Errorf(o.Get("prompt").Line, "prompt: %v", err)
	}
	return nil
}

// assert reads a rule's assertions.
func (r reader) assert(rule *Rule, o strictyaml.Object) error {
	specs, err := o.Assert()
	if err != nil {
		return err
	}
	if len(specs) == 0 {
		return r.Errorf(rule.Line, "rule %s needs assertions in assert", rule.ID)
	}
	rule.set, err = checks.NewSet(specs, nil)
	var e *checks.Error
	if errors.As(err, &e) {
		return r.Errorf(e.Line, "%s", e.Reason)
	}
	if err != nil {
		return err
	}
	return r.textOnly(specs)
}

// textOnly refuses assertions that judge a model's numbers.
func (r reader) textOnly(specs []checks.Spec) error {
	for _, spec := range specs {
		if len(spec.Assert) > 0 {
			if err := r.textOnly(spec.Assert); err != nil {
				return err
			}
			continue
		}
		set, err := checks.NewSet([]checks.Spec{spec}, nil)
		if err != nil {
			return err
		}
		if set.NeedsLogprobs() || len(set.Margins()) > 0 {
			return r.Errorf(spec.Line, "%s judges a model's numbers; a rule can only judge text", spec.Type)
		}
	}
	return nil
}

// examples reads the good or the bad examples of a rule and proves it on them.
func (r reader) examples(rule *Rule, o strictyaml.Object, key string) error {
	items, err := o.List(key)
	if err != nil {
		return err
	}
	for _, item := range items {
		x, err := r.example(item)
		if err != nil {
			return err
		}
		x.Good = key == "good"
		if err := r.prove(rule, x); err != nil {
			return err
		}
		rule.Examples = append(rule.Examples, x)
	}
	return nil
}

// example reads an example: an answer, or prompt and answer.
func (r reader) example(n *strictyaml.Node) (Example, error) {
	x := Example{Line: n.Line, Answer: n.Text}
	switch n.Kind {
	case strictyaml.Text:
		return x, nil
	case strictyaml.Mapping:
	default:
		return x, r.Errorf(n.Line, "an example must be an answer as text, or {prompt: ..., answer: ...}, found %v", n.Kind)
	}
	o, err := r.Object(n, "prompt", "answer")
	if err != nil {
		return x, err
	}
	if x.Prompt, err = o.Text("prompt"); err != nil {
		return x, err
	}
	if x.Answer, err = o.Text("answer"); err != nil {
		return x, err
	}
	if x.Prompt == "" || o.Get("answer") == nil {
		return x, r.Errorf(n.Line, "an example needs prompt and answer; an answer alone is written as text")
	}
	return x, nil
}

// prove says where a rule's verdict on an example is not the one that is written down.
func (r reader) prove(rule *Rule, x Example) error {
	t := Turn{Prompt: x.Prompt, Tags: rule.Tags, Answer: x.Answer}
	if x.Prompt != "" {
		if _, applies := rule.judge(t); !applies {
			return r.Errorf(x.Line, "rule %s: its when does not match the prompt of the example %q",
				rule.ID, strictyaml.Shortened(x.Prompt))
		}
	}
	v := rule.set.Judge(checks.Answer{Text: x.Answer}).Verdict
	switch {
	case x.Good && !v.Pass:
		return r.Errorf(x.Line, "rule %s: the good example %q must pass and fails: %s",
			rule.ID, strictyaml.Shortened(x.Answer), v.Reason)
	case !x.Good && v.Pass:
		return r.Errorf(x.Line, "rule %s: the bad example %q must fail and passes every assertion",
			rule.ID, strictyaml.Shortened(x.Answer))
	}
	return nil
}
