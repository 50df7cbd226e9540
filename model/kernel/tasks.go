package kernel

// opTasks keeps the arguments of each kernel between call and workers.
type opTasks struct {
	rmsNorm       rmsNormTask
	rmsNormGrad   rmsNormGradTask
	rmsNormDW     rmsNormDWTask
	layerNorm     layerNormTask
	layerNormGrad layerNormGradTask
	layerNormDW   layerNormDWTask
	rotate        rotateTask
	gated         gatedTask
	conv          shortConvTask
	bias          biasTask
	columnSum     columnSumTask
	gather        gatherTask
	scatter       scatterTask
	residual      residualTask
	element       elementTask
	crossEntropy  crossEntropyTask
	adamw         adamwTask
	squares       squaresTask
	finite        finiteTask
	drop          dropTask
	norms         normTask
	gains         gainTask
	columnDot     columnDotTask
	average       averageTask
	noise         noiseTask
}

// need panics where a slice has fewer than n values.
func need(n int, slices ...[]float32) {
	for _, x := range slices {
		if len(x) < n {
			panic("kernel: slice is too short")
		}
	}
}

// columnBlock is the width of the column blocks by which sums down the rows are split.
const columnBlock = 64

// columns runs t over blocks of columns of an (n, c) array: rows(w, lo, hi) gets column block numbers.
func (p *Pool) columns(n, c int, t rowTask) {
	p.rows((c+columnBlock-1)/columnBlock, n*columnBlock, t)
}
