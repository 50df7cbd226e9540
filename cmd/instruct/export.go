package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train"
)

// export is what `export` was asked for.
type export struct {
	model, to, out string
	typ, dtype     string // of GGUF tensors; of the weights in a folder
	shardSize      string
	merge          bool
}

// exportTarget is a value of --to.
type exportTarget struct {
	name string
	run  func(ctx context.Context, s *streams, e *export) error
}

// exportTargets lists every form that a model is exported in.
func exportTargets() []exportTarget {
	return []exportTarget{
		{"gguf", exportGGUF},
		{"hf", exportFolder},
		{"ollama", exportOllama},
		{"trl", exportTRL},
	}
}

func exportNames() []string {
	var names []string
	for _, t := range exportTargets() {
		names = append(names, t.name)
	}
	return names
}

func newExport(s *streams) *cobra.Command {
	e := &export{}
	c := &cobra.Command{Use: "export MODEL", Short: "Write a model in the form that another program takes",
		Long: `Write a model in the form that another program takes:

  gguf     a file for llama.cpp and what stands on it: weights, tokenizer, chat template; of an adapter an adapter
           file, or with --merge a whole model
  hf       a Hugging Face folder, with weights in fp32, bf16 or f16, in files of at most --shard_size
  ollama   a folder with a GGUF file and a Modelfile
  trl      a folder with which a run, or a checkpoint, goes on under PyTorch on several processes or machines: model,
           tokens and masks, moments, the steps that are left, and a script; 'instruct import' takes it back`,
		Example: `  instruct export runs/mine --to gguf --type q8_0 --out mine.gguf
  instruct export runs/mine --to hf --dtype bf16 --out mine-bf16`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return mistake("export takes one model, got %q", args)
			}
			e.model = args[0]
			return e.run(cmd, s)
		}}
	fl := c.Flags()
	fl.StringVar(&e.to, "to", "", "the form: "+strings.Join(exportNames(), ", "))
	fl.StringVar(&e.out, "out", "", "the file or folder to write; it must not be there yet")
	fl.StringVar(&e.typ, "type", "f16", "of a GGUF file's matrices: "+strings.Join(pretrained.GGUFTypes(), ", "))
	fl.StringVar(&e.dtype, "dtype", "fp32", "of a folder's weights: "+strings.Join(pretrained.FolderTypes(), ", "))
	fl.StringVar(&e.shardSize, "shard_size", "", "the most that one file of weights takes, such as 2GB; empty: one file")
	fl.BoolVar(&e.merge, "merge", false, "of an adapter: add it to its base first, a whole GGUF model")
	return c
}

func (e *export) run(cmd *cobra.Command, s *streams) error {
	if err := required(cmd, "to", "out"); err != nil {
		return err
	}
	i := slices.IndexFunc(exportTargets(), func(t exportTarget) bool { return t.name == e.to })
	if i < 0 {
		return mistake("export: --to %q is not known; expected one of %s", e.to, strings.Join(exportNames(), ", "))
	}
	for _, choice := range []struct {
		flag, value string
		known       []string
	}{{"type", e.typ, pretrained.GGUFTypes()}, {"dtype", e.dtype, pretrained.FolderTypes()}} {
		if !slices.Contains(choice.known, choice.value) {
			return mistake("export: --%s %q is not known; expected one of %s", choice.flag, choice.value,
				strings.Join(choice.known, ", "))
		}
	}
	if _, err := os.Lstat(e.out); err == nil {
		return mistake("export: %s is there already; name a file or folder that is not", e.out)
	}
	return exportTargets()[i].run(cmd.Context(), s, e)
}

// load loads the model, an adapter merged into its base.
func (e *export) load() (*pretrained.Model, error) {
	return pretrained.Load(e.model, pretrained.Options{DType: kernel.F32})
}

// exportGGUF writes a GGUF file.
func exportGGUF(_ context.Context, s *streams, e *export) error {
	m, err := pretrained.Outline(e.model, "")
	if err != nil {
		return err
	}
	write := m.WriteGGUF
	if m.AdapterConfig() != nil && !e.merge {
		write = m.WriteAdapterGGUF
	} else {
		if err := m.ReadWeights(kernel.F32); err != nil {
			return err
		}
		defer m.Close()
	}
	if err := os.MkdirAll(filepath.Dir(e.out), 0o777); err != nil {
		return mistake("export: %s", err)
	}
	if err := write(e.out, e.typ); err != nil {
		return err
	}
	printNotes(s.err, m)
	info, err := os.Stat(e.out)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s  %d bytes\n", e.out, info.Size())
	return nil
}

// exportFolder writes a Hugging Face folder.
func exportFolder(_ context.Context, s *streams, e *export) error {
	limit, err := byteSize(e.shardSize)
	if err != nil {
		return err
	}
	return e.folder(s, func(m *pretrained.Model, dir string) error { return m.SaveAs(dir, e.dtype, limit) })
}

// exportOllama writes a folder for Ollama.
func exportOllama(_ context.Context, s *streams, e *export) error {
	return e.folder(s, func(m *pretrained.Model, dir string) error { return m.SaveOllama(dir, e.typ) })
}

// exportTRL hands a run over.
func exportTRL(ctx context.Context, s *streams, e *export) error {
	if err := train.HandOver(ctx, e.model, e.out, s.err); err != nil {
		return err
	}
	fmt.Fprintln(s.out, e.out)
	return nil
}

// folder writes a folder, whole or not at all.
func (e *export) folder(s *streams, save func(m *pretrained.Model, dir string) error) error {
	m, err := e.load()
	if err != nil {
		return err
	}
	defer m.Close()
	if err := checkpoints.NewDir(e.out, func(dir string) error { return save(m, dir) }); err != nil {
		return err
	}
	printNotes(s.err, m)
	fmt.Fprintln(s.out, e.out)
	return nil
}

// byteSize reads a number of bytes as Hugging Face's programs write it: 500MB, 5GB, in steps of 1000; "" is 0.
func byteSize(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	digits := strings.TrimRight(text, "KMGTBkmgtb")
	units := map[string]int64{"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
	unit, known := units[strings.ToUpper(text[len(digits):])]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 || !known || n > 1e18/max(1, unit) {
		return 0, mistake("export: --shard_size %q; expected a size such as 500MB or 5GB", text)
	}
	return n * unit, nil
}
