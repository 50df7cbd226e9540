package data

// SamplerState is the place of a Sampler: what a checkpoint must keep to go on exactly.
type SamplerState struct {
	// Epoch counts from 0.
	Epoch int `json:"epoch"`
	// Position is the number of micro-batches of that epoch already given.
	Position int `json:"position"`
}

// Sampler walks through the micro-batches of a plan, epoch after epoch.
type Sampler struct {
	plan    *Plan
	state   SamplerState
	batches [][]int
}

// NewSampler starts at the first micro-batch of epoch 0.
func NewSampler(plan *Plan) *Sampler {
	return &Sampler{plan: plan, batches: plan.Epoch(0)}
}

// Next gives the next micro-batch as indices of rows. It goes on to the next epoch by itself; ok is false when the
// plan has no rows at all.
func (s *Sampler) Next() (rows []int, ok bool) {
	if len(s.batches) == 0 {
		return nil, false
	}
	if s.state.Position == len(s.batches) {
		s.state = SamplerState{Epoch: s.state.Epoch + 1}
		s.batches = s.plan.Epoch(s.state.Epoch)
	}
	rows = s.batches[s.state.Position]
	s.state.Position++
	return rows, true
}

// EpochLength is the number of micro-batches in the present epoch.
func (s *Sampler) EpochLength() int { return len(s.batches) }

// State tells where the sampler stands.
func (s *Sampler) State() SamplerState { return s.state }

// Restore goes to a place that State told. It fails when the plan has no such place, which means that the data or
// the batch settings are not those of the run that is resumed.
func (s *Sampler) Restore(state SamplerState) error {
	if state.Epoch < 0 || state.Position < 0 {
		return userErrorf("data: sampler state %+v is not valid", state)
	}
	batches := s.plan.Epoch(state.Epoch)
	if state.Position > len(batches) {
		return userErrorf("data: sampler position %d lies beyond epoch %d, which has %d micro-batches: the data or the batch settings differ from those of the saved run",
			state.Position, state.Epoch, len(batches))
	}
	s.state, s.batches = state, batches
	return nil
}
