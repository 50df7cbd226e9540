package ops

import (
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
	"gorgonia.org/gorgonia"

	"instruct/model/kernel"
)

// UseBLAS makes Gorgonia's own matrix products of float32 (gorgonia.Mul and its gradients) run on our kernels in this whole process, on the given
// number of threads; threads <= 0 means one a core. Programs call it once at their start: Gorgonia keeps its BLAS in a global variable.
func UseBLAS(threads int) { gorgonia.Use(&BLAS{Threads: threads}) }

// BLAS is gonum's BLAS with Sgemm and Sgemv on our kernels: same arguments, same panics; each element of the result is one chain of fused multiply-adds
// in the order of k. It may be used by several goroutines; they take turns, since the workers serve one at a time.
type BLAS struct {
	gonum.Implementation
	Threads int // workers; <= 0: one a core

	mu      sync.Mutex
	pool    *kernel.Pool // made at the first product
	scratch []float32    // alpha·op(A), where it has to be copied
}

// Sgemm computes C = alpha·op(A)·op(B) + beta·C, op(A) (m,k), op(B) (k,n), C (m,n), all row-major; see gonum's Sgemm. What is refused, and what has
// nothing to multiply, is left to gonum.
func (x *BLAS) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	ar, ac, br, bc := m, k, k, n
	if tA != blas.NoTrans {
		ar, ac = k, m
	}
	if tB != blas.NoTrans {
		br, bc = n, k
	}
	if !transpose(tA) || !transpose(tB) || alpha == 0 || !fits(a, ar, ac, lda) || !fits(b, br, bc, ldb) || !fits(c, m, n, ldc) {
		x.Implementation.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if beta != 0 && beta != 1 {
		for i := range m {
			for j := range n {
				c[i*ldc+j] *= beta
			}
		}
	}
	form := kernel.NN
	switch {
	case alpha != 1 || tA != blas.NoTrans && tB != blas.NoTrans: // the kernels have no alpha and no form for two transposed operands
		a, lda = x.scaled(tA, m, k, alpha, a, lda), k
		if tB != blas.NoTrans {
			form = kernel.NT
		}
	case tA != blas.NoTrans:
		form = kernel.TN
	case tB != blas.NoTrans:
		form = kernel.NT
	}
	x.workers().Gemm(form, m, n, k, a, lda, b, ldb, c, ldc, beta != 0)
}

// Sgemv computes y = alpha·op(A)·x + beta·y, A (m,n); see gonum's Sgemv. Vectors with gaps and other factors than 1 and 0 are left to gonum.
func (x *BLAS) Sgemv(tA blas.Transpose, m, n int, alpha float32, a []float32, lda int, v []float32, incX int, beta float32, y []float32, incY int) {
	form, in, out := kernel.NT, n, m // a row of A and v lie alike: y = v·Aᵀ
	if tA != blas.NoTrans {
		form, in, out = kernel.NN, m, n
	}
	if !transpose(tA) || incX != 1 || incY != 1 || alpha != 1 || beta != 0 && beta != 1 || !fits(a, m, n, lda) || len(v) < in || len(y) < out {
		x.Implementation.Sgemv(tA, m, n, alpha, a, lda, v, incX, beta, y, incY)
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.workers().Gemm(form, 1, out, in, v, in, a, lda, y, out, beta != 0)
}

// workers returns the pool.
func (x *BLAS) workers() *kernel.Pool {
	if x.pool == nil {
		x.pool = kernel.NewPool(x.Threads)
	}
	return x.pool
}

// scaled copies alpha·op(A) (m,k) into the scratch.
func (x *BLAS) scaled(tA blas.Transpose, m, k int, alpha float32, a []float32, lda int) []float32 {
	if cap(x.scratch) < m*k {
		x.scratch = make([]float32, m*k)
	}
	s := x.scratch[:m*k]
	for i := range m {
		for p := range k {
			if tA == blas.NoTrans {
				s[i*k+p] = alpha * a[i*lda+p]
			} else {
				s[i*k+p] = alpha * a[p*lda+i]
			}
		}
	}
	return s
}

func transpose(t blas.Transpose) bool {
	return t == blas.NoTrans || t == blas.Trans || t == blas.ConjTrans
}

// fits tells whether s holds a matrix of at least one element.
func fits(s []float32, rows, cols, ld int) bool {
	return rows > 0 && cols > 0 && ld >= cols && len(s) >= (rows-1)*ld+cols
}
