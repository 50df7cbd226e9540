//go:build race

package tokenizer

// raceEnabled: the race detector makes sync.Pool forget at random.
const raceEnabled = true
