// Package kernel holds the numeric kernels: slices in, slices out, no graph and no allocation.
//
// # Bits
//
// Every function gives the same bits on every path (pure Go or assembly), for every number of threads and on every CPU:
//
//   - Only the matrix product fuses. Each element of C is one chain of float32 fused multiply-adds over k ascending.
//   - Everything else rounds products and sums apart, written float32(x*y) + z so that no compiler fuses them.
//   - A sum over a row has one shape: 16 lanes (lane l takes elements l, l+16, ...), then lane i += lane i+8, i+4,
//     i+2, i+1.
//   - Work is split by output element, so the number of threads cannot matter.
//   - exp and log are our own polynomials; sqrt and division are exact anyway.
//
// # Paths
//
// The generic Go functions are always compiled and are the specification. On amd64 with AVX2 and FMA, or with AVX-512
// (F, BW, DQ, VL), and on arm64 an assembly path takes over. For amd64 the generator in _asm describes every function
// once and writes it for both widths; for arm64 the one in _asm/arm64 translates the specification. What chooses
// between the forms of a kernel is written by _asm/dispatch, so a new vector loop is one Generic function here and one
// entry in _asm/kernels.go. The build tag purego leaves the assembly out and the environment variable INSTRUCT_CPU
// (generic, avx2, avx512, neon) forces a path by its name; avx512bf16 is avx512 with VDPBF16PS in products of
// bfloat16, see dots.
//
// Letters: N rows (tokens), C width, F hidden width, H heads, K key/value heads, D head size, V vocabulary.
// A slice that is too short is a programming error: the kernels panic with a constant string.
package kernel

//go:generate sh -c "cd _asm && go run . -part gemm -out ../gemm_amd64.s -stubs ../gemm_stub_amd64.go -pkg kernel"
//go:generate sh -c "cd _asm && go run . -part vec -out ../vec_amd64.s -stubs ../vec_stub_amd64.go -pkg kernel"
//go:generate sh -c "cd _asm && go run . -part lowp -out ../lowp_amd64.s -stubs ../lowp_stub_amd64.go -pkg kernel"
//go:generate sh -c "cd _asm && go run . -part dot -out ../dot_amd64.s -stubs ../dot_stub_amd64.go -pkg kernel"
//go:generate sh -c "cd _asm && go run ./arm64 -part gemm && go run ./arm64 -part vec && go run ./dispatch"
