package recipe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// nested takes what axolotl writes as mappings in mappings, and tells whether it was such a thing.
func (g *reading) nested(where, key string, n ast.Node) bool {
	switch rule, _ := ruleFor(plain(key)); {
	case plain(key) == "special_tokens" && isMapping(n):
		for _, e := range mappingEntries(n) {
			name, _ := scalarText(e.Key)
			if unwrapped(e.Value).Type() != ast.NullType && name != "pad_token" {
				text, _ := scalarText(e.Value)
				g.take(where, key, []string{name + ": " + text}, false)
			}
		}
		return true
	case (rule.to == "dataset" || rule.to == "eval_dataset") && hasMappings(n):
		files, weights := g.datasets(where, n.(*ast.SequenceNode))
		if len(files) > 0 {
			g.take(where, key, files, false)
		}
		switch {
		case len(weights) > 0 && rule.to == "eval_dataset":
			g.mistakes = append(g.mistakes, mistake("%sheld-out data sets have no weights: remove them", where))
		case len(weights) > 0 && len(weights) < len(files):
			g.mistakes = append(g.mistakes, mistake("%s%d of %d data sets have a weight; give each one, or none", where,
				len(weights), len(files)))
		case len(weights) > 0:
			g.take(where, "dataset_weights", weights, false)
		}
		return true
	}
	return false
}

func hasMappings(n ast.Node) bool {
	list, ok := n.(*ast.SequenceNode)
	return ok && slices.ContainsFunc(list.Values, isMapping)
}

func mappingEntries(n ast.Node) []*ast.MappingValueNode {
	switch n := unwrapped(n).(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// datasetKeys are the keys of one of axolotl's data sets with the values that are taken as they are; of the others it
// is said what to do. A value that ends in * stands for all that begin so.
var datasetKeys = map[string]struct{ known, say string }{
	"type": {"alpaca* chat_template* sharegpt* completion pretrain", "the shapes of rows that are read are those of " +
		"`instruct data`; remove it where the rows have one"},
	"split":                     {"train", "all rows of a file are read; max_samples: N takes the first N"},
	"ds_type":                   {"*", ""},
	"field_messages":            {"messages conversations conversation", "call the column messages"},
	"message_property_mappings": {"role content from value human gpt", "call them role and content"},
	"message_field_role":        {"role from", "call it role"},
	"message_field_content":     {"content value", "call it content"},
	"field":                     {"text", "call the column text"},
	"field_instruction":         {"instruction", "call the column instruction"},
	"field_input":               {"input", "call the column input"},
	"field_output":              {"output", "call the column output"},
	"field_system":              {"system", "call the column system"},
	"field_tools":               {"tools", "call the column tools"},
	"chat_template":             {"tokenizer_default*", "say it once for all, as chat_template beside datasets"},
	"roles":                     {"*", ""},
	"roles_to_train":            {"assistant gpt", "the assistant's answers are trained"},
	"train_on_eos":              {"turn all", "the end of every trained answer is trained"},
	"train_on_eot":              {"turn all", "the end of every trained answer is trained"},
	"conversation":              {"chatml chatml*", "the model's own template is used; chat_template names another"},
	"trust_remote_code":         {"*", ""},
	"preprocess_shards":         {"*", ""},
	"drop_system_message":       {"false", "system messages are kept; remove them from the rows"},
}

// datasets are the files of a list of data sets as axolotl and TRL write it, and their weights, which are ours.
func (g *reading) datasets(where string, list *ast.SequenceNode) (files, weights []string) {
	for _, item := range list.Values {
		if text, ok := scalarText(item); ok {
			files = append(files, text)
			continue
		}
		var path string
		var own []string // files that data_files names
		weighted := false
		for _, e := range mappingEntries(item) {
			key, _ := scalarText(e.Key)
			at := fmt.Sprintf("recipe %s:%d: ", g.path, e.Key.GetToken().Position.Line)
			values := leaves(e.Value)
			switch key {
			case "path":
				path = strings.Join(values, ",")
			case "data_files":
				own = values
			case "weight":
				weights = append(weights, strings.Join(values, ","))
				weighted = true
			default:
				g.datasetKey(at, key, values)
			}
		}
		switch {
		case weighted && len(own) > 1:
			g.mistakes = append(g.mistakes, mistake("%sa data set with a weight has several data_files; "+
				"give its path a folder or a pattern", where))
		case len(own) > 0:
			files = append(files, own...)
		case path != "":
			files = append(files, path)
		default:
			g.mistakes = append(g.mistakes, mistake("%sa data set without a path", where))
		}
	}
	return files, weights
}

// datasetKey checks a key of a data set that names no file.
func (g *reading) datasetKey(where, key string, values []string) {
	rule, ok := datasetKeys[key]
	if !ok && !slices.ContainsFunc(values, func(v string) bool { return !asksNothing(v) }) {
		return
	}
	if !ok {
		rule.say = "remove it; rows are read as they are"
	}
	for _, v := range values {
		known := slices.ContainsFunc(strings.Fields(rule.known), func(k string) bool {
			stem, many := strings.CutSuffix(k, "*")
			return k == v || many && strings.HasPrefix(v, stem)
		})
		if !known && v != "" {
			g.mistakes = append(g.mistakes, mistake("%s%s of a data set is %q, which is not there: %s",
				where, key, short(v), rule.say))
		}
	}
}

// leaves are the plain values in a node, without keys and nulls.
func leaves(n ast.Node) (all []string) {
	n = unwrapped(n)
	if list, ok := n.(*ast.SequenceNode); ok {
		for _, item := range list.Values {
			all = append(all, leaves(item)...)
		}
		return all
	}
	if isMapping(n) {
		for _, e := range mappingEntries(n) {
			all = append(all, leaves(e.Value)...)
		}
		return all
	}
	if text, ok := scalarText(n); ok && n.Type() != ast.NullType {
		all = append(all, text)
	}
	return all
}
