// Package model holds transformer language models as Gorgonia graphs: configuration, parameter tables, the graph of
// each family, loading and generation.
//
// # Axis letters
//
// Used in the comments of this package, of ops and of kernel:
//
//	N  tokens in the flat batch            H  query heads          C  width (hidden size)
//	B  examples in the batch               K  key/value heads      F  hidden width of the MLP
//	T  positions of one example            D  head size            V  vocabulary
//	R  needed positions: those of the batch whose logits are wanted
//
// A family is one file (llama.go, gpt2.go) and one line in the table of families.go. Its parameter table names every
// tensor once, and drives initialisation, weight decay, loading and saving.
package model
