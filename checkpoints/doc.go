// Package checkpoints reads and writes the files that weights live in.
//
//   - safetensors files and Hugging Face folders, whole or sharded
//     (https://github.com/huggingface/safetensors#format);
//   - GGUF files, version 2 and 3, with the usual block quantisations
//     (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md);
//   - atomic files and folders, and the checkpoint-N folders of a run.
//
// Every reader converts to float32 and gives shapes in row-major Hugging Face
// order: a linear layer is [rows, columns] = [out, in].
//
// Files are not trusted. Every count, length and offset is held against the size of the file before memory is asked
// for, so a truncated or lying file costs one clear error. Such errors, missing files, and a full or read-only disk are
// the user's to mend: they have a method UserError() bool that returns true and can be found with errors.As.
package checkpoints

// Source is a set of named tensors on disk, read one at a time. A Source may be read from several goroutines at once.
type Source interface {
	// Names lists the tensors in the order in which they are stored.
	Names() []string
	// Shape gives the row-major shape of a tensor, outermost axis first; a
	// scalar has an empty shape. ok is false when there is no such tensor.
	Shape(name string) (shape []int, ok bool)
	// Read converts a tensor to float32. len(dst) must be the product of its
	// shape. After an error the content of dst is undefined.
	Read(name string, dst []float32) error
	// Close releases the files. The Source is useless afterwards.
	Close() error
}
