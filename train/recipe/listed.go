package recipe

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"instruct/checkpoints/bounded"
)

// listed is what a LLaMA-Factory recipe says of its data sets: their names stand in a list of the folder dir.
type listed struct {
	where string // of the key that shows that it is such a recipe; "": it is none
	dir   string
}

// listFile is LLaMA-Factory's list of data sets.
const listFile = "dataset_info.json"

// listedSet is a data set in the list.
type listedSet struct {
	File    string            `json:"file_name"`
	Hub     string            `json:"hf_hub_url"`
	Columns map[string]string `json:"columns"`
	Tags    map[string]string `json:"tags"`
}

// listedKeys show that a recipe is one of LLaMA-Factory's.
var listedKeys = []string{"stage", "finetuning_type", "dataset_dir", "template"}

// lookUp puts files in place of the names of a LLaMA-Factory recipe. Without the list the names are files.
func (g *reading) lookUp() {
	if g.listed.where == "" {
		return
	}
	path := filepath.Join(g.listed.dir, listFile)
	text, err := bounded.ReadFile(path)
	if err != nil {
		return
	}
	var sets map[string]listedSet
	if err := json.Unmarshal(text, &sets); err != nil {
		g.mistakes = append(g.mistakes, mistake("%s: %v", path, err))
		return
	}
	for _, names := range []*[]string{&g.recipe.Dataset, &g.recipe.EvalDataset} {
		var files []string
		for _, name := range strings.Split(strings.Join(*names, ","), ",") {
			if name = strings.TrimSpace(name); name != "" {
				files = append(files, g.file(path, name, sets))
			}
		}
		*names = files
	}
}

// file is the file of a name.
func (g *reading) file(list, name string, sets map[string]listedSet) string {
	set, ok := sets[name]
	if !ok {
		return name
	}
	wrong := func(format string, args ...any) {
		g.mistakes = append(g.mistakes, mistake("%s: %s: "+format, append([]any{list, name}, args...)...))
	}
	if set.File == "" {
		wrong("it names no file but %q; download it and name the file", set.Hub)
		return name
	}
	plainNames := map[string]string{"prompt": "instruction", "query": "input", "response": "output", "system": "system",
		"chosen": "chosen", "rejected": "rejected", "kto_tag": "label",
		"messages": "messages conversations", "tools": "tools", "role_tag": "role from", "content_tag": "content value",
		"user_tag": "user human", "assistant_tag": "assistant gpt", "system_tag": "system",
		"observation_tag": "observation tool", "function_tag": "function_call"}
	for _, means := range []map[string]string{set.Columns, set.Tags} {
		for _, key := range slices.Sorted(maps.Keys(means)) {
			if !slices.Contains(strings.Fields(plainNames[key]), means[key]) {
				wrong("its %s is called %q; rename it in the rows", key, means[key])
			}
		}
	}
	file := filepath.Join(filepath.Dir(list), set.File)
	g.note(list+": ", "%s is read as %s", name, file)
	return file
}
