// Package ops holds the operations of a transformer as coarse Gorgonia ops: one file per op, the forward pass beside
// the backward pass, the arithmetic in package kernel.
//
// Gorgonia gives the graph, the symbolic derivative and the virtual machine. An op of ours keeps its own output buffer
// (so a step allocates nothing), writes the gradient of a parameter straight into [Param.Grad], and reads the number of
// tokens of the batch at hand from [Env.Batch]: the graph is built once for a capacity, and a batch may be smaller.
//
// Axis letters are those of package model: N tokens of the flat batch, R needed positions, C width, H heads, K
// key/value heads, D head size, F hidden width of the MLP, V vocabulary.
package ops
