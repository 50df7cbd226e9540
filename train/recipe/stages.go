package recipe

import (
	"encoding/json"
	"fmt"
	"slices"
)

// stagePaths are the keys of a stage whose values are paths.
var stagePaths = []string{"dataset", "eval_dataset", "chat_template"}

// ofStages are the keys that a stage cannot have: they are those of the whole run.
var ofStages = []string{"model_name_or_path", "model_config", "tokenizer_name", "output_dir", "overwrite_output_dir",
	"resume_from_checkpoint", "stages"}

// list are the stages as they were written: keys with plain values, or lists of them.
func (j jsonText) list() (stages []map[string]any, err error) {
	if j == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(j), &stages); err != nil || len(stages) == 0 {
		return nil, mistake("stages: expected a list of mappings, such as `- dataset: book.txt`")
	}
	return stages, nil
}

// eachPath gives the stages with their paths as f leaves them.
func (j jsonText) eachPath(f func(key string, path *string)) jsonText {
	stages, err := j.list()
	if err != nil || len(stages) == 0 {
		return j
	}
	for _, s := range stages {
		for _, key := range stagePaths {
			switch v := s[key].(type) {
			case string:
				f(key, &v)
				s[key] = v
			case []any:
				for i := range v {
					switch set := v[i].(type) {
					case string:
						f(key, &set)
						v[i] = set
					case map[string]any: // of a mixture
						if path, ok := set["path"].(string); ok {
							f(key, &path)
							set["path"] = path
						}
					}
				}
			}
		}
	}
	text, err := json.Marshal(stages)
	if err != nil {
		return j
	}
	return jsonText(text)
}

// StageList is the recipe of every stage, resolved: the recipe's keys with those of the stage in their place. There are
// none where the recipe has no stages. What a stage starts from and where it is saved is not in it: see package train.
func (r *Recipe) StageList() ([]Recipe, error) {
	stages, err := r.Stages.list()
	if err != nil {
		return nil, err
	}
	if len(stages) > 0 && len(r.DropRows) > 0 {
		return nil, mistake("drop_rows names rows of one data set: write it in the stage that has the rows")
	}
	var all []Recipe
	for i, keys := range stages {
		name := fmt.Sprintf("stage %d", i+1)
		for key := range keys {
			if slices.Contains(ofStages, NearestKey(key)) {
				return nil, mistake("%s has the key %s, which is one of the whole recipe; write it there", name, key)
			}
		}
		text, err := json.Marshal(keys) // YAML too
		if err != nil {
			return nil, mistake("%s: %w", name, err)
		}
		s := *r
		s.Stages = ""
		if names(keys, "dataset") {
			s.DatasetWeights = nil // they are of other data sets
		}
		if _, err := s.ParseYAML(name, text); err != nil {
			return nil, err
		}
		s = s.Resolved()
		if err := s.Validate(); err != nil {
			return nil, mistake("%s: %w", name, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// names tells whether a stage has a key, under any of its names.
func names(stage map[string]any, key string) bool {
	for given := range stage {
		if NearestKey(given) == key {
			return true
		}
	}
	return false
}
