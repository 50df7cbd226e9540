package pretrained

import (
	"fmt"
	"os"
	"path"
	"regexp"
)

// hubName matches the name of a model or data set on the Hugging Face Hub: OWNER/NAME.
var hubName = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$`)

// Missing is the mistake of naming a model that is not there, or nil.
func Missing(model string) error {
	if _, err := os.Stat(model); err == nil || !os.IsNotExist(err) {
		return nil
	}
	return mistake("no such model: %s; expected a folder with config.json, or a .gguf file%s", model,
		HubHint(model, "model"))
}

// HubHint says what to do about a name that is no file's but looks like one of the Hugging Face Hub, as kind "model" or
// "dataset", or nothing.
func HubHint(name, kind string) string {
	ext := path.Ext(name)
	if !hubName.MatchString(name) || ext == ".gguf" || ext == ".json" || ext == ".jsonl" || ext == ".csv" {
		return ""
	}
	flag := ""
	if kind == "dataset" {
		flag = " --repo-type dataset"
	}
	folder := path.Base(name)
	return fmt.Sprintf(". Nothing is downloaded here; if it is a %s of the Hugging Face Hub: "+
		"`hf download %s%s --local-dir %s`, then name %[4]s", kind, name, flag, folder)
}
