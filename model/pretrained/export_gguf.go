package pretrained

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/tokenizer/file"
)

// ggufType is a kind of GGUF file, under the name of llama.cpp.
type ggufType struct {
	name         string
	matrix, head string // types of tensors in matrix products: within the model, and of the logits
	number       uint32 // general.file_type
}

// ggufTypes lists every kind of GGUF file that is written. The head of a file of 4 bits stays at 8: llama-quantize too
// gives it more bits than the rest.
func ggufTypes() []ggufType {
	return []ggufType{
		{"f16", "F16", "F16", 1},
		{"bf16", "BF16", "BF16", 32},
		{"q8_0", "Q8_0", "Q8_0", 7},
		{"q4_0", "Q4_0", "Q8_0", 2},
		{"f32", "F32", "F32", 0},
	}
}

// GGUFTypes are the names of the kinds of GGUF files that [Model.WriteGGUF] writes.
func GGUFTypes() []string {
	var names []string
	for _, t := range ggufTypes() {
		names = append(names, t.name)
	}
	return names
}

// findGGUFType finds a kind by its name.
func findGGUFType(name string) (ggufType, error) {
	for _, t := range ggufTypes() {
		if t.name == name {
			return t, nil
		}
	}
	return ggufType{}, mistake("a GGUF file of type %q is not written; known: %s", name, strings.Join(GGUFTypes(), ", "))
}

// WriteGGUF writes the model with its tokenizer and its template as a GGUF file of a type of [GGUFTypes]. The weights
// must be there in float32. What the format cannot say is refused, and nothing is written then.
func (m *Model) WriteGGUF(path, typ string) error {
	kind, err := findGGUFType(typ)
	if err != nil {
		return err
	}
	var meta checkpoints.Metadata
	tensors, err := m.GGUF(m.Path, &meta)
	if err != nil {
		return err
	}
	if err := m.SaysInGGUF(m.Path, &meta, ggufSource(tensors)); err != nil {
		return err
	}
	arch, _ := meta.String("general.architecture")
	if length, _ := meta.Uint(arch + ".context_length"); int(length) < m.Config.MaxLength {
		m.note("GGUF files of %s have no windows: this one is made for %d positions, as far as the window reaches", arch,
			length)
	}
	meta.SetString("general.type", "model")
	meta.SetString("general.name", filepath.Base(m.Path))
	meta.SetUint32("general.file_type", kind.number)
	meta.SetUint32("general.quantization_version", 2)
	if err := m.putVocabulary(&meta); err != nil {
		return err
	}
	return checkpoints.WriteGGUF(path, &meta, kind.tensors(tensors))
}

// tensors chooses the types of tensors: what is no matrix of a product keeps its float32, and a matrix whose rows are
// not whole blocks of the type has halves.
func (k ggufType) tensors(from []model.GGUFTensor) []checkpoints.GGUFTensor {
	var out []checkpoints.GGUFTensor
	for _, t := range from {
		typ := "F32"
		switch row := t.Shape[len(t.Shape)-1]; {
		case !t.Matrix:
		case t.Head && row%checkpoints.GGUFBlock(k.head) == 0:
			typ = k.head
		case !t.Head && row%checkpoints.GGUFBlock(k.matrix) == 0:
			typ = k.matrix
		default:
			typ = "F16"
		}
		out = append(out, checkpoints.GGUFTensor{Name: t.Name, Shape: t.Shape, Type: typ, Fill: t.Fill})
	}
	return out
}

// ggufSource gives the tensors of a file that is to be written, to be read back.
type ggufSource []model.GGUFTensor

func (s ggufSource) find(name string) *model.GGUFTensor {
	for i := range s {
		if s[i].Name == name {
			return &s[i]
		}
	}
	return nil
}

func (s ggufSource) Names() []string {
	var names []string
	for _, t := range s {
		names = append(names, t.Name)
	}
	return names
}

func (s ggufSource) Shape(name string) ([]int, bool) {
	if t := s.find(name); t != nil {
		return t.Shape, true
	}
	return nil, false
}

func (s ggufSource) Read(name string, dst []float32) error {
	s.find(name).Fill(dst)
	return nil
}

// putVocabulary writes the tokenizer's part of the metadata: what [vocabulary] reads. The token that ends an answer is
// the eos, which llama.cpp stops at.
func (m *Model) putVocabulary(out *checkpoints.Metadata) error {
	v, err := m.Tokenizer.GGUF(m.Config.Vocab)
	if err != nil {
		return err
	}
	end, ends := m.Template.EndOfTurn()
	if ends && !v.AddEOS {
		v.EOS = int(end)
	}
	out.SetString(ggufPrefix+"model", v.Model)
	out.SetString(ggufPrefix+"pre", v.Pre)
	out.SetStrings(ggufPrefix+"tokens", v.Tokens)
	if v.Scores != nil {
		out.SetFloat32s(ggufPrefix+"scores", v.Scores)
	}
	out.SetInt32s(ggufPrefix+"token_type", v.Types)
	if v.Merges != nil {
		out.SetStrings(ggufPrefix+"merges", v.Merges)
	}
	for _, id := range ggufIDs(&v) {
		if *id.to >= 0 {
			out.SetUint32(ggufPrefix+id.key, uint32(*id.to))
		}
	}
	if ends {
		out.SetUint32(ggufPrefix+"eot_token_id", uint32(end))
	}
	for _, flag := range ggufFlags(&v) {
		out.SetBool(ggufPrefix+flag.key, *flag.to)
	}
	putTemplates(out, &v)
	return nil
}

// putTemplates writes the chat templates.
func putTemplates(out *checkpoints.Metadata, v *file.GGUF) {
	if v.ChatTemplate != "" {
		out.SetString(ggufTemplate, v.ChatTemplate)
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(v.NamedTemplates)) {
		names = append(names, name)
		out.SetString(ggufTemplate+"."+name, v.NamedTemplates[name])
	}
	if names != nil {
		out.SetStrings(ggufTemplate+"s", names)
	}
}

// WriteAdapterGGUF writes the adapter of the folder that the model was opened from as a GGUF file that llama.cpp puts
// on the model's base: halves, or float32 for the type f32.
func (m *Model) WriteAdapterGGUF(path, typ string) error {
	kind, err := findGGUFType(typ)
	if err != nil {
		return err
	}
	if kind.matrix != "F32" && kind.matrix != "F16" {
		return mistake("an adapter is small and is not rounded to %s; use --type f16 or f32, or --merge", typ)
	}
	weights := filepath.Join(m.adapter.dir, adapterWeightsFile)
	src, err := checkpoints.OpenSafetensors(weights)
	if err != nil {
		return err
	}
	defer src.Close()
	var meta checkpoints.Metadata
	tensors, err := m.GGUFAdapter(weights, m.adapter.config, src, &meta)
	if err != nil {
		return err
	}
	meta.SetString("general.type", "adapter")
	meta.SetString("general.name", filepath.Base(m.Path))
	meta.SetUint32("general.file_type", kind.number)
	return checkpoints.WriteGGUF(path, &meta, kind.tensors(tensors))
}
