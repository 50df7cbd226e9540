package pretrained

import (
	"path/filepath"
	"strings"

	"instruct/checkpoints"
)

// folderTypes are the types of weights that a Hugging Face folder is written with: our name, that of safetensors, and
// PyTorch's.
func folderTypes() [][3]string {
	return [][3]string{
		{"fp32", string(checkpoints.F32), "float32"},
		{"bf16", string(checkpoints.BF16), "bfloat16"},
		{"f16", string(checkpoints.F16), "float16"},
	}
}

// FolderTypes are the names of the types of weights that [Model.SaveAs] writes.
func FolderTypes() []string {
	var names []string
	for _, t := range folderTypes() {
		names = append(names, t[0])
	}
	return names
}

// SaveAs writes a whole model as [Model.Save] does, with the weights rounded to a type of [FolderTypes], in files of at
// most shard bytes; 0: one file.
func (m *Model) SaveAs(dir, dtype string, shard int64) error {
	for _, t := range folderTypes() {
		if t[0] == dtype {
			return m.saveAs(dir, checkpoints.DType(t[1]), t[2], shard)
		}
	}
	return mistake("weights of type %q are not written; known: %s", dtype, strings.Join(FolderTypes(), ", "))
}

func (m *Model) saveAs(dir string, dtype checkpoints.DType, torch string, shard int64) error {
	if err := m.saveBeside(dir); err != nil {
		return err
	}
	config, err := m.Config.JSONOf(torch)
	if err != nil {
		return err
	}
	if err := checkpoints.WriteFile(filepath.Join(dir, configFile), append(config, '\n')); err != nil {
		return err
	}
	tensors := Named("", m.Tensors())
	return checkpoints.WriteFolder(dir, tensors, map[string]string{"format": "pt"}, dtype, shard)
}
