//go:build race

package edge

// raceDetector reports whether the race detector is on. The library as shipped is
// not started then, because it has races.
const raceDetector = true
