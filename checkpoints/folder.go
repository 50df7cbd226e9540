package checkpoints

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	weightsFile = "model.safetensors"
	indexFile   = "model.safetensors.index.json"
)

// OpenFolder opens the weights of a Hugging Face folder: model.safetensors, or
// where that is absent the shards named by model.safetensors.index.json.
func OpenFolder(dir string) (Source, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fileError("open model folder", dir, err)
	}
	if !info.IsDir() {
		return nil, badFile(dir, "it is a file, expected a Hugging Face folder with %s", weightsFile)
	}
	if exists(filepath.Join(dir, weightsFile)) {
		s, err := OpenSafetensors(filepath.Join(dir, weightsFile))
		if err != nil {
			return nil, err // not s: a nil *Safetensors is not a nil Source
		}
		return s, nil
	}
	if exists(filepath.Join(dir, indexFile)) {
		return openSharded(dir)
	}
	hint := ""
	pickled := filepath.Join(dir, "pytorch_model.bin")
	if names, _ := filepath.Glob(filepath.Join(dir, "*.gguf")); len(names) > 0 {
		hint = fmt.Sprintf("; it holds %s: give that file's path", filepath.Base(names[0]))
	} else if exists(pickled) || exists(pickled+".index.json") {
		hint = "; pytorch_model.bin is not read: save the model with safe_serialization=True"
	} else if names, _ := filepath.Glob(filepath.Join(dir, "*.safetensors")); len(names) == 1 {
		hint = fmt.Sprintf("; it holds %s: if that is the whole model, call it %s", filepath.Base(names[0]), weightsFile)
	} else if len(names) > 1 {
		hint = fmt.Sprintf("; it holds %s and %d more such files, but no index that says which tensor is in which: "+
			"fetch or write it", filepath.Base(names[0]), len(names)-1)
	} else if names, _ := filepath.Glob(filepath.Join(dir, "*.pt*")); len(names) > 0 {
		hint = fmt.Sprintf("; %s is not read: save the model with save_pretrained", filepath.Base(names[0]))
	}
	return nil, badFile(dir, "no weights: looked for %s and %s%s", weightsFile, indexFile, hint)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// sharded is a folder of several safetensors files. The index says which tensor is in which.
type sharded struct {
	names  []string
	where  map[string]*Safetensors
	shards map[string]*Safetensors // by file
}

func openSharded(dir string) (Source, error) {
	index := filepath.Join(dir, indexFile)
	names, files, err := readIndex(index)
	if err != nil {
		return nil, err
	}
	s := &sharded{names: names, where: map[string]*Safetensors{}, shards: map[string]*Safetensors{}}
	if err := s.open(index, files); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// open opens the shards, of whose files one stands beside each name.
func (s *sharded) open(index string, files []string) (err error) {
	for i, name := range s.names {
		shard := s.shards[files[i]]
		if shard == nil {
			path := filepath.Join(filepath.Dir(index), files[i])
			if !exists(path) {
				return badFile(index, "shard %s is missing: tensor %q is in it", files[i], name)
			}
			if shard, err = OpenSafetensors(path); err != nil {
				return err
			}
			s.shards[files[i]] = shard
		}
		if _, ok := shard.Shape(name); !ok {
			return badFile(index, "tensor %q should be in shard %s, but is not", name, files[i])
		}
		s.where[name] = shard
	}
	return nil
}

// readIndex reads the names of the tensors and, for each, its file.
func readIndex(index string) (names, files []string, err error) {
	f, size, err := openFile(index)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if size > maxHeader {
		return nil, nil, badFile(index, "%d bytes, the limit is %d", size, maxHeader)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxHeader))
	if err != nil {
		return nil, nil, fileError("read", index, err)
	}
	if names, files, err = parseIndex(text); err != nil {
		return nil, nil, badFile(index, "%v", err)
	}
	return names, files, nil
}

// WeightFiles are the paths of the files that hold the weights of a Hugging Face folder, which [OpenFolder] opens: one,
// or an index and its shards in the order of their names.
func WeightFiles(dir string) ([]string, error) {
	whole, index := filepath.Join(dir, weightsFile), filepath.Join(dir, indexFile)
	if exists(whole) || !exists(index) {
		return []string{whole}, nil
	}
	_, files, err := readIndex(index)
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	paths := []string{index}
	for _, f := range slices.Compact(files) {
		paths = append(paths, filepath.Join(dir, f))
	}
	return paths, nil
}

// parseIndex reads weight_map: tensor names and, for each, its file.
func parseIndex(text []byte) (names, files []string, err error) {
	r := newJSONReader(text)
	found := false
	r.object("", func(key string) {
		if key != "weight_map" {
			r.skip()
			return
		}
		if found {
			r.fail("weight_map stands there twice")
		}
		found = true
		r.object("weight_map has tensor %q twice", func(name string) {
			t := r.token()
			file, ok := t.(string)
			if !ok || file != filepath.Base(file) || !filepath.IsLocal(file) || strings.ContainsAny(file, `/\`) {
				r.fail("weight_map of tensor %q holds %v, expected the name of a file in the same folder", name, t)
			}
			names = append(names, name)
			files = append(files, file)
		})
	})
	if !found {
		r.fail("it has no weight_map")
	}
	return names, files, r.err
}

func (s *sharded) Names() []string { return slices.Clone(s.names) }

func (s *sharded) Shape(name string) ([]int, bool) {
	if f := s.where[name]; f != nil {
		return f.Shape(name)
	}
	return nil, false
}

func (s *sharded) Read(name string, dst []float32) error {
	if f := s.where[name]; f != nil {
		return f.Read(name, dst)
	}
	return mistake("%s lists no tensor %q", indexFile, name)
}

func (s *sharded) ReadRows(name string, row int, dst []float32) error {
	if f := s.where[name]; f != nil {
		return f.ReadRows(name, row, dst)
	}
	return mistake("%s lists no tensor %q", indexFile, name)
}

func (s *sharded) Close() error {
	var errs []error
	for _, f := range s.shards {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
