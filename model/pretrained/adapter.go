package pretrained

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	"instruct/checkpoints"
	"instruct/checkpoints/bounded"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/tokenizer"
)

// An adapter folder is PEFT's: adapter_config.json names the base, adapter_model.safetensors has the adapter's matrices
// and the modules to save. Beside them lie tokenizer and template, and what this program keeps, the hashes of the
// base's files among it.
const (
	adapterConfigFile  = "adapter_config.json"
	adapterWeightsFile = "adapter_model.safetensors"
)

// adapter is what a model has beside its base.
type adapter struct {
	dir    string              // the folder it was read from; "": it is new
	config model.AdapterConfig // of that folder
	base   *Model
	hashes map[string]string // of the base's files, once they are known
}

// IsAdapter tells whether a folder holds an adapter.
func IsAdapter(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, adapterConfigFile))
	return err == nil
}

// openAdapter reads everything but the weights of an adapter folder and of its base.
func (m *Model) openAdapter() error {
	if paths, err := checkpoints.WeightFiles(m.Path); err == nil {
		if _, err := os.Stat(paths[0]); err == nil {
			return mistake("model folder %s holds a whole model and an adapter (%s); which of them is meant? "+
				"Move one of the two to another folder", m.Path, adapterConfigFile)
		}
	}
	path := filepath.Join(m.Path, adapterConfigFile)
	text, err := bounded.ReadFile(path)
	if err != nil {
		return mistake("adapter %s: %s", path, checkpoints.Reason(err))
	}
	c, name, err := parseAdapterConfig(path, text)
	if err != nil {
		return err
	}
	if err := m.readAdapterModules(&c); err != nil {
		return err
	}
	base, err := m.openBase(name)
	if err != nil {
		return err
	}
	m.adapter = &adapter{dir: m.Path, config: c, base: base}
	m.Model, m.Tokenizer, m.System = base.Model, base.Tokenizer, base.System
	m.Stop, m.generationStop, m.Notes = base.Stop, base.generationStop, append(m.Notes, base.Notes...)
	m.fill = m.fillMerged
	m.files = func() ([]string, error) {
		files, err := base.files()
		return append(files, path, filepath.Join(m.Path, adapterWeightsFile)), err
	}
	return m.readBeside()
}

// readAdapterModules takes the modules with an adapter from the tensors of the file.
func (m *Model) readAdapterModules(c *model.AdapterConfig) error {
	path := filepath.Join(m.Path, adapterWeightsFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return mistake("adapter %s has no %s; save it with PEFT's save_pretrained", m.Path, adapterWeightsFile)
	}
	src, err := checkpoints.OpenSafetensors(path)
	if err != nil {
		return err
	}
	defer src.Close()
	c.Targets = model.AdapterModules(src)
	if len(c.Targets) == 0 {
		return mistake("adapter %s has no matrices of LoRA (names that end in .lora_A.weight)", path)
	}
	return nil
}

// openBase finds and opens the base of an adapter.
func (m *Model) openBase(name string) (*Model, error) {
	last := filepath.Base(name)
	places := []string{name, filepath.Join(m.Path, name), last, filepath.Join(m.Path, "..", last)}
	at := slices.IndexFunc(places, func(p string) bool {
		_, err := os.Stat(p)
		return err == nil
	})
	if at < 0 {
		return nil, mistake("adapter %s: its base %s is not there; put it there, or its path into %s of its %s%s", m.Path,
			name, "base_model_name_or_path", adapterConfigFile, HubHint(name, "model"))
	}
	path, err := Resolve(places[at])
	if err != nil {
		return nil, err
	}
	if IsAdapter(path) {
		return nil, mistake("adapter %s: its base %s is an adapter itself; merge that first: "+
			"`instruct model merge %[2]s --out DIR`", m.Path, path)
	}
	base := &Model{Path: path}
	if err := base.open(); err != nil {
		return nil, err
	}
	return base, nil
}

// readBeside reads what lies beside an adapter and counts in place of what its base has.
func (m *Model) readBeside() error {
	kept, err := readOwn(m.Path)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(m.Path, ownFile)); err == nil {
		m.System = kept.System
	}
	if _, err := os.Stat(filepath.Join(m.Path, generationFile)); err == nil {
		m.readGenerationConfig()
	}
	if _, err := os.Stat(filepath.Join(m.Path, "tokenizer.json")); err == nil {
		m.Tokenizer, err = tokenizer.Load(m.Path)
		return err
	}
	return nil
}

// fillMerged reads the base's weights and adds the adapter to them.
func (m *Model) fillMerged() error {
	if err := m.checkBase(); err != nil {
		return err
	}
	path := filepath.Join(m.adapter.dir, adapterWeightsFile)
	src, err := checkpoints.OpenSafetensors(path)
	if err != nil {
		return err
	}
	defer src.Close()
	merge := &model.Merge{AdapterConfig: m.adapter.config, Path: path, Source: src}
	return m.LoadMerged(merge, m.adapter.base.fill)
}

// checkBase refuses a base that is another than the one that the adapter was trained on, where that is known.
func (m *Model) checkBase() error {
	kept, err := readOwn(m.adapter.dir)
	if err != nil || kept.Base == nil {
		return err
	}
	now, err := m.baseHashes()
	if err != nil {
		return err
	}
	for name, sum := range kept.Base {
		if now[name] != sum {
			return mistake("adapter %s: %s of its base %s is another than the one that it was trained on; "+
				"put that one back", m.adapter.dir, name, m.adapter.base.Path)
		}
	}
	return nil
}

// baseHashes are the hashes of the base's files, which are taken once.
func (m *Model) baseHashes() (_ map[string]string, err error) {
	if m.adapter.hashes == nil {
		m.adapter.hashes, err = FileHashes(m.adapter.base.Path)
	}
	return m.adapter.hashes, err
}

// AdapterConfig is that of the adapter folder that the model was opened from, nil where it was another thing.
func (m *Model) AdapterConfig() *model.AdapterConfig {
	if m.adapter == nil || m.adapter.dir == "" {
		return nil
	}
	c := m.adapter.config
	return &c
}

// Adapt makes the model one whose adapter is trained beside frozen weights, which will exist in format d; see
// [model.Model.Adapt]. That of an adapter folder is trained on, and a new one is put on any other model. It must be
// called before [Model.ReadWeights].
func (m *Model) Adapt(c model.AdapterConfig, d kernel.DType) error {
	if m.files == nil {
		return mistake("an adapter is put on a model that is there, and kept without it: set model_name_or_path")
	}
	if m.adapter == nil {
		m.adapter = &adapter{base: &Model{Path: m.Path, fill: m.fill}}
	}
	if err := m.Model.Adapt(c, d); err != nil {
		return err
	}
	m.fill = m.fillAdapted
	return nil
}

// fillAdapted reads the base's weights, and reads or draws the adapter beside them.
func (m *Model) fillAdapted() error {
	if m.adapter.dir != "" {
		if err := m.checkBase(); err != nil {
			return err
		}
	}
	if err := m.adapter.base.fill(); err != nil {
		return err
	}
	debug.FreeOSMemory() // what tensors were read into on their way to fewer bits
	m.KeepFirst()
	if m.adapter.dir == "" {
		m.InitAdapter()
		return nil
	}
	return m.loadAdapter(m.adapter.dir)
}

func (m *Model) loadAdapter(dir string) error {
	path := filepath.Join(dir, adapterWeightsFile)
	src, err := checkpoints.OpenSafetensors(path)
	if err != nil {
		return err
	}
	defer src.Close()
	return m.LoadAdapter(path, src)
}

// Reload puts the weights of another folder of the same kind, such as a checkpoint, in the place of the model's.
func (m *Model) Reload(dir string) error {
	if m.Adapter() != nil {
		return m.loadAdapter(dir)
	}
	src, err := checkpoints.OpenFolder(dir)
	if err != nil {
		return err
	}
	defer src.Close()
	return m.Load(dir, src)
}

// Base is the path of the base of an adapter; "" where the model is whole.
func (m *Model) Base() string {
	if m.adapter == nil {
		return ""
	}
	return m.adapter.base.Path
}

// saveAdapter writes what makes a folder an adapter's.
func (m *Model) saveAdapter(dir string, sums checkpoints.Sums) error {
	base, err := filepath.Abs(m.adapter.base.Path)
	if err != nil {
		return err
	}
	text, err := adapterJSON(base, m.TargetNames(), m.Adapter(), m.Transposed())
	if err != nil {
		return err
	}
	if err := checkpoints.WriteFile(filepath.Join(dir, adapterConfigFile), text); err != nil {
		return err
	}
	return WriteTensors(filepath.Join(dir, adapterWeightsFile), Named("", m.AdapterTensors()), sums)
}
