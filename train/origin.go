package train

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"instruct/checkpoints"
	"instruct/model/pretrained"
	"instruct/train/recipe"
)

// origin is what a run began with, by content: where the files lay, and what they were called, does not count when the
// run is resumed.
type origin struct {
	Base    map[string]string `json:"base_files_sha256,omitempty"` // configuration and weights of model_name_or_path
	Data    []fileHash        `json:"data_files,omitempty"`
	HeldOut []fileHash        `json:"held_out_files,omitempty"`
	Files   map[string]string `json:"files_sha256,omitempty"` // by the key of the recipe that names the file
}

// fileHash is a file and the sha256 of what is in it.
type fileHash struct {
	Path string `json:"path"`
	Hash string `json:"sha256"`
}

// newOrigin hashes what the recipe names. A base model that is gone has no hash: a resumed run needs none.
func newOrigin(r *recipe.Recipe, data *dataset) (o origin, err error) {
	o.Files = map[string]string{}
	if r.ModelNameOrPath != "" {
		o.Base, _ = pretrained.FileHashes(r.ModelNameOrPath)
	}
	if o.Data, err = hashFiles(data.files, data.hashes); err != nil {
		return o, err
	}
	if o.HeldOut, err = hashFiles(data.evalFiles, nil); err != nil {
		return o, err
	}
	for key, path := range map[string]string{"chat_template": r.ChatTemplate, "tokenizer_name": r.TokenizerName,
		"model_config": string(r.ModelConfig)} {
		if strings.HasPrefix(path, "{") || path == "" {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			path = filepath.Join(path, "tokenizer.json")
		}
		if sum, err := checkpoints.HashFile(path); err == nil { // else it is the name of something built in
			o.Files[key] = sum
		}
	}
	return o, nil
}

// hashFiles hashes files, but for those that are known already.
func hashFiles(paths []string, known map[string]string) (list []fileHash, err error) {
	for _, path := range paths {
		sum := known[path]
		if sum == "" {
			if sum, err = checkpoints.HashFile(path); err != nil {
				return nil, err
			}
		}
		list = append(list, fileHash{path, sum})
	}
	return list, nil
}

// sameRun refuses to go on from a checkpoint of a run that began with something else.
func (u *run) sameRun(st *state, dir string) error {
	may := slices.Clone(mayChange)
	if len(st.Data) > 0 {
		may = append(may, "dataset", "eval_dataset")
	}
	if st.Base != nil && u.origin.Base != nil {
		may = append(may, "model_name_or_path")
		if name := differs(u.origin.Base, st.Base); name != "" {
			return mistake("resume: %s of the model %s is another than the one that the run of %s began with; "+
				"give the model it began with", name, u.Recipe.ModelNameOrPath, dir)
		}
	}
	for key, sum := range u.origin.Files {
		if before, ok := st.Files[key]; ok && before == sum {
			may = append(may, key)
		} else if ok {
			return mistake("resume: the file of %s is another than the one that the run of %s began with", key, dir)
		}
	}
	if key, now, before := u.Recipe.Changed(&st.Recipe, may); key != "" {
		return mistake("resume: %s is %q now and was %q in %s; a resumed run must keep it", key, now, before, dir)
	}
	sameRows := st.DataHash == u.rows.audit().Hash
	if u.rows.beginning.Rows > 0 { // another max_steps reads other rows of the same files
		sameRows = len(otherFiles(u.origin.Data, st.Data)) == 0
	}
	changed, changedHeldOut := otherFiles(u.origin.Data, st.Data), otherFiles(u.origin.HeldOut, st.HeldOut)
	switch {
	case !sameRows && len(changed) > 0:
		return mistake("resume: the training data differ from those of %s: %s; a resumed run must see the same rows", dir,
			strings.Join(changed, ", "))
	case !sameRows:
		return mistake("resume: the training data, tokenizer or template differ from those of %s, though the files of data "+
			"are the same; a resumed run must see the same rows", dir)
	case len(st.Data) > 0 && len(changedHeldOut) > 0:
		return mistake("resume: the held-out data differ from those of %s: %s; their losses could not be compared", dir,
			strings.Join(changedHeldOut, ", "))
	}
	if u.Recipe.ModelNameOrPath != "" && u.origin.Base == nil {
		u.rows.notes = append(u.rows.notes, "the model "+u.Recipe.ModelNameOrPath+" is gone; "+dir+" has all that is needed")
	}
	return nil
}

// differs gives the first file of two sets that the other has not, or has with another content; "" where there is none.
func differs(a, b map[string]string) string {
	var names []string
	for name := range a {
		if a[name] != b[name] {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return slices.Min(names)
}

// otherFiles says which files of now are not among those of before, and what became of each.
func otherFiles(now, before []fileHash) (out []string) {
	for _, f := range now {
		if slices.ContainsFunc(before, func(g fileHash) bool { return g.Hash == f.Hash }) {
			continue
		}
		what := f.Path + " was not among its files"
		if slices.ContainsFunc(before, func(g fileHash) bool { return filepath.Base(g.Path) == filepath.Base(f.Path) }) {
			what = f.Path + " has another content now"
		}
		out = append(out, what)
	}
	if len(out) == 0 && len(now) < len(before) {
		for _, g := range before {
			if !slices.ContainsFunc(now, func(f fileHash) bool { return f.Hash == g.Hash }) {
				out = append(out, g.Path+" is missing")
			}
		}
	}
	return out
}
