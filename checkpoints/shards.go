package checkpoints

import (
	"encoding/json"
	"fmt"
	"path/filepath"
)

// WriteFolder writes the weights of a Hugging Face folder, which must exist, as [WriteSafetensors] does: one file, or,
// where the data are more than limit bytes, several of at most that (a larger tensor has one to itself) with the index
// that [OpenFolder] reads. With a limit of 0 there is always one file.
func WriteFolder(dir string, tensors []Tensor, metadata map[string]string, dtype DType, limit int64) error {
	shards := splitShards(tensors, int64(dtype.Size()), limit)
	if len(shards) == 1 {
		return WriteSafetensors(filepath.Join(dir, weightsFile), tensors, metadata, dtype)
	}
	total, where := int64(0), map[string]string{}
	for i, shard := range shards {
		name := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(shards))
		if err := WriteSafetensors(filepath.Join(dir, name), shard, metadata, dtype); err != nil {
			return err
		}
		for _, t := range shard {
			total += int64(len(t.Data)) * int64(dtype.Size())
			where[t.Name] = name
		}
	}
	index, err := json.MarshalIndent(map[string]any{
		"metadata": map[string]any{"total_size": total}, "weight_map": where,
	}, "", "  ")
	if err != nil {
		return err
	}
	return WriteFile(filepath.Join(dir, indexFile), append(index, '\n'))
}

// splitShards cuts the tensors, in their order, into runs of at most limit bytes.
func splitShards(tensors []Tensor, size, limit int64) (shards [][]Tensor) {
	from, bytes := 0, int64(0)
	for i, t := range tensors {
		n := int64(len(t.Data)) * size
		if limit > 0 && i > from && bytes+n > limit {
			shards, from, bytes = append(shards, tensors[from:i]), i, 0
		}
		bytes += n
	}
	return append(shards, tensors[from:])
}
