//go:build race

package kernel

// raced tells that the race detector looks on: what only compares numbers is done for fewer shapes, as it makes Go code
// ten times slower and finds nothing there.
const raced = true
