package train

import (
	"errors"
	"os"
	"slices"
	"strings"

	"instruct/data"
	"instruct/model/pretrained"
	"instruct/train/recipe"
)

// missing names the model and the data sets that are not there, all at once. A run that goes on has its model.
func missing(r *recipe.Recipe, resumed bool) error {
	var all []string
	if !resumed && r.ModelNameOrPath != "" {
		if err := pretrained.Missing(r.ModelNameOrPath); err != nil {
			all = append(all, err.Error())
		}
	}
	files, err := data.OnDisk(slices.Concat(r.Dataset, r.EvalDataset))
	if err != nil {
		return err
	}
	for _, name := range files {
		if name == "lessons" {
			continue
		}
		if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
			all = append(all, "data: "+name+" does not exist"+pretrained.HubHint(name, "dataset"))
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return mistake("%s", all[0])
	}
	return mistake("%d things are not there\n  %s", len(all), strings.Join(all, "\n  "))
}
